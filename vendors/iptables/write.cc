// Edits → commands to paste, with those that take them back. A rule goes before a number that holds for the
// rules of the export; it is taken back by its whole text, which a comment of ours tells from all others.
// Nothing that comes from the export goes into a command unchecked, and what is written is rehearsed.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/iptables/commands.h"
#include "vendors/iptables/edit.h"
#include "vendors/iptables/ipset_write.h"
#include "vendors/iptables/script.h"

namespace aclmend::iptables {
namespace {

constexpr std::size_t most_rules = 4;  // of one edit; a set takes more prefixes

// Names out of the export that may stand in a command line, in quotes where a shell would read them
// otherwise.
std::optional<std::string> for_a_command(std::string_view name) {
  const auto is_legal = [](unsigned char c) {
    return std::isalnum(c) != 0 ||
           std::string_view("_.:+@%~-").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (name.empty() || name.starts_with('-') || !std::ranges::all_of(name, is_legal)) return std::nullopt;
  return name.find('~') == std::string_view::npos ? std::string(name) : fmt::format("'{}'", name);
}

std::string comment_of(std::string_view text) {
  std::string comment;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0 || std::string_view(" ._:/-").find(c) != std::string_view::npos) comment += c;
  }
  constexpr std::size_t longest = 200;
  return comment.substr(0, longest);
}

struct Writer {
  const Device& device;
  const IptablesDocument& document;
  Commands commands;

  Result<Commands> operator()(const AddMembers& edit);
  Result<Commands> operator()(const Enable&) { return fail("iptables knows no disabled rules"); }
  Result<Commands> operator()(const MoveBefore&) {
    return fail("iptables moves no rule: a new one is put where it is needed");
  }
  Result<Commands> operator()(const InsertPermit& edit);
  Result<Commands> operator()(const BindList&) { return fail("a chain is not bound to an interface here"); }

  std::string program(Family family) const {
    const std::string_view name = family == Family::ipv4 ? "iptables" : "ip6tables";
    const bool is_legacy = document.half(family).backend == Half::Backend::legacy;
    return fmt::format("{}{} -w 5", name, is_legacy ? "-legacy" : "");
  }
  // The sources as matches of rules: one each, or a new set for many.
  Result<std::vector<std::string>> sources_of(const InsertPermit& edit, Family family,
                                              const std::vector<Prefix>& prefixes);
  std::string free_set_name(std::string_view name) const;
};

std::string Writer::free_set_name(std::string_view name) const {
  std::string base(name.substr(0, longest_set_name - 3));
  std::string free = base;
  for (int number = 2; document.sets.named(free) != nullptr; ++number)
    free = fmt::format("{}-{}", base, number);
  return free;
}

Result<std::vector<std::string>> Writer::sources_of(const InsertPermit& edit, Family family,
                                                    const std::vector<Prefix>& prefixes) {
  if (edit.sources == AddressSet::all(family)) return std::vector<std::string>{""};
  std::vector<std::string> matches;
  if (prefixes.size() <= most_rules) {
    for (const Prefix& prefix : prefixes) matches.push_back(fmt::format(" -s {}", to_string(prefix)));
    return matches;
  }
  const std::string name =
      free_set_name(fmt::format("aclmend-{}-v{}", edit.name.substr(0, 16), family == Family::ipv4 ? 4 : 6));
  commands.lines.push_back(
      fmt::format("ipset create {} hash:net family {}", name, family == Family::ipv4 ? "inet" : "inet6"));
  for (const Prefix& prefix : prefixes) {
    if (prefix.length == 0) return fail("a set of networks cannot hold every address");
    commands.lines.push_back(fmt::format("ipset add {} {}", name, host_bare(prefix)));
  }
  commands.rollback.push_back(fmt::format("ipset destroy {}", name));
  commands.notes.push_back(
      fmt::format("the set {} must be there before the rules when the machine starts: ipset save > "
                  "/etc/ipset.conf (or where your "
                  "distribution keeps it)",
                  name));
  return std::vector<std::string>{fmt::format(" -m set --match-set {} src", name)};
}

Result<Commands> Writer::operator()(const InsertPermit& edit) {
  const auto found = std::ranges::lower_bound(document.list_places, edit.list, {}, &ListPlace::list);
  if (found == document.list_places.end() || found->list != edit.list)
    return fail("this list is no chain of the export");
  const ListPlace place = *found;
  const auto& rules = device.policy.lists[edit.list].rules;
  if (edit.before && *edit.before >= rules.size()) return fail("there is no such rule");
  const Chains& chains = *document.half(place.family)[place.table];
  const std::size_t number =
      edit.before ? rules[*edit.before].number : chains.chains[place.chain].rules.size() + 1;
  TRY(site, site_for(document, place.family, place.table, place.chain, number));
  const Chain& chain = chains.chains[site.chain];
  const auto name = for_a_command(chain.name);
  if (!name) return fail("the chain's name holds characters that cannot be typed");
  const std::vector<Prefix> sources = (edit.sources & AddressSet::all(place.family)).prefixes();
  const std::vector<Prefix> destinations = (edit.destinations & AddressSet::all(place.family)).prefixes();
  if (sources.empty() || destinations.empty()) return fail("these rules are of the other address family");
  if (destinations.size() > most_rules) return fail("more destinations than rules should name");
  TRY(from, sources_of(edit, place.family, sources));
  const std::string table = place.table == Table::filter ? "" : fmt::format(" -t {}", to_string(place.table));
  const std::string service = protocol_name(edit.protocol);
  if (edit.protocol != protocol::tcp && edit.protocol != protocol::udp)
    return fail("only TCP and UDP are written");
  std::vector<std::string> specs;
  for (const std::string& source : from)
    for (const Prefix& destination : destinations) {
      const std::string to = destination.length == 0 ? "" : fmt::format(" -d {}", to_string(destination));
      specs.push_back(fmt::format("{}{} -p {} -m {} --dport {} -m comment --comment \"{}\" -j ACCEPT", source,
                                  to, service, service, edit.port, comment_of(edit.remark)));
    }
  // All go before the same rule: the last one first, so that they stand in their order.
  for (auto spec = specs.rbegin(); spec != specs.rend(); ++spec)
    commands.lines.push_back(
        fmt::format("{}{} -I {} {}{}", program(place.family), table, *name, site.number, *spec));
  std::vector<std::string> back;
  for (const std::string& spec : specs)
    back.push_back(fmt::format("{}{} -D {}{}", program(place.family), table, *name, spec));
  commands.rollback.insert(commands.rollback.begin(), back.begin(), back.end());
  if (site.number <= chain.rules.size()) {
    const Rule& at = chain.rules[site.number - 1];
    commands.notes.push_back(fmt::format(
        "{} {} is the place of {}:{}: where `{}{} -S {} {}` prints another rule just before, export again",
        chain.name, site.number, document.sources[at.span.source]->name(),
        document.sources[at.span.source]->position(at.span.begin).line, program(place.family), table, *name,
        site.number));
  } else {
    commands.notes.push_back(
        fmt::format("{} must have {} rules before it, as in the export", chain.name, chain.rules.size()));
  }
  if (document.has_sets && document.local.empty() && chain.name != "FORWARD")
    commands.notes.emplace_back(
        "with --local ADDRESS (this machine's own) a member of a set may do, where its rules name no "
        "destination");
  commands.notes.insert(commands.notes.end(), site.notes.begin(), site.notes.end());
  for (std::string& note : manager_notes(document.half(place.family), place.family, edit, sources))
    commands.notes.push_back(std::move(note));
  return commands;
}

Result<Commands> Writer::operator()(const AddMembers& edit) {
  if (edit.group >= device.policy.groups.size()) return fail("there is no such group");
  if (!edit.members.empty()) return fail("a set holds addresses, no named objects");
  const auto place = document.set_groups.find(edit.group);
  if (place == document.set_groups.end())
    return fail(fmt::format("'{}' is no set of ipset", printable(device.policy.groups[edit.group].name)));
  const IpSet* set = document.sets.named(place->second);
  if (set == nullptr) return fail(fmt::format("the set '{}' is not in the export", printable(place->second)));
  for (const Prefix& prefix : edit.addresses.prefixes()) {
    const auto written = addition(*set, prefix, std::nullopt);
    if (!written) return fail(written.error());
    commands.lines.push_back(written->command);
    commands.rollback.insert(commands.rollback.begin(), written->rollback);
  }
  commands.notes.emplace_back(
      "to keep it over a restart: ipset save > /etc/ipset.conf (or where your distribution keeps it)");
  return commands;
}

SourcePtr script_of(std::string name, const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return std::make_shared<const Source>(std::move(name), text);
}

// What the programs would say to the commands, and then to those that take them back.
std::optional<std::string> objection(const IptablesDocument& document, const Commands& commands) {
  IptablesDocument copy = document;
  const auto first = static_cast<std::uint16_t>(copy.sources.size());
  copy.sources.push_back(script_of("commands", commands.lines));
  copy.sources.push_back(script_of("rollback", commands.rollback));
  Account account(copy.sources);
  for (const std::uint16_t source : {first, static_cast<std::uint16_t>(first + 1)}) {
    if (const auto error = type_in(copy, account, source)) return error->message;
    for (const Diagnostic& one : account.diagnostics.all())
      if (one.severity == Severity::error)
        return fmt::format("{}: {}", one.message,
                           printable(trimmed(copy.sources[one.span.source]->line_at(one.span.begin))));
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::string> at_once(std::span<const std::string> commands) {
  std::vector<std::string> lines;
  std::deque<std::string> arena;
  std::string program, table;  // of the fragment that is open
  const auto close = [&] {
    if (!program.empty()) lines.insert(lines.end(), {"COMMIT", "END"});
    program.clear();
  };
  for (const std::string& command : commands) {
    const auto words = shell_words(command, arena);
    if (!words || words->empty()) return {};
    const std::string_view name = (*words)[0].text;
    if (name == "ipset") {
      close();
      lines.push_back(command);
      continue;
    }
    const std::size_t begin = command.find(" -I ");
    if (begin == std::string::npos) return {};
    const std::size_t at = command.find(" -t ");
    const std::string its_table =
        at < begin ? command.substr(at + 4, command.find(' ', at + 4) - at - 4) : "filter";
    const std::string restore = std::string(name) + "-restore";
    if (restore != program || its_table != table) {
      close();
      program = restore, table = its_table;
      lines.push_back(fmt::format("{} -w 5 --noflush <<'END'", program));
      lines.push_back("*" + table);
    }
    lines.push_back(command.substr(begin + 1));
  }
  close();
  const bool has_fragment = std::ranges::find(lines, "COMMIT") != lines.end();
  return has_fragment ? lines : std::vector<std::string>();
}

Result<Commands> write(const Device& device, const Edit& edit) {
  const auto* document = dynamic_cast<const IptablesDocument*>(device.document.get());
  if (document == nullptr) return fail("nothing is known of this device but its policy");
  Writer writer{device, *document, {}};
  TRY(commands, std::visit(writer, edit));
  if (auto reason = objection(*document, commands)) return fail(std::move(*reason));
  return commands;
}

}  // namespace aclmend::iptables
