#include "vendors/cisco_asa/terminal.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::cisco_asa {
namespace {

bool is_any_of(std::string_view word, std::initializer_list<std::string_view> choices) {
  return std::ranges::find(choices, word) != choices.end();
}

// What only an export holds: a device takes none of it as a command.
bool is_of_an_export(std::string_view text) {
  if (text.starts_with("------------------ show ")) return true;
  if (text.starts_with("Cryptochecksum:")) return text.size() > 15 && text[15] != ' ';
  Words words(text);
  if (words.accept(":")) return is_any_of(words.peek(), {"Saved", "Written"});
  return is_any_of(words.next(), {"ASA", "PIX", "FWSM", "NGFW"}) && words.peek() == "Version";
}

// Commands that filter: whatever mode is open, they are not a line of it.
bool is_global(Words words) {
  words.accept("no");
  const std::string_view keyword = words.next();
  if (keyword == "ip" || keyword == "ipv6") return is_any_of(words.peek(), {"access-list", "access-group"});
  return is_any_of(keyword,
                   {"access-list", "access-group", "object", "object-group", "clear", "nat", "static", "name",
                    "route", "same-security-traffic", "interface", "hostname", "established"});
}

bool is_number(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_beginning_of(std::string_view word, std::string_view whole) {
  return !word.empty() && whole.starts_with(word);
}

// Words of modes that filter nothing, which mean nothing where no such mode is open.
bool needs_a_mode(std::string_view keyword) {
  return is_any_of(keyword, {"set", "match", "network", "rename", "group", "key", "delete", "device",
                             "profile", "mode", "application", "service-interface", "icmp-object"});
}

}  // namespace

Terminal::Terminal(Account& account, Configuration start)
    : account_(account), reader_(account, std::move(start)) {
  for (const SourcePtr& source : account.sources) commands_ += source->line_count();
}

bool Terminal::is_whole() const {
  const Header& header = now().header;
  return !header.version.empty() && header.form != Form::show_access_list && !now().is_cut_off;
}

bool Terminal::refuses_unknown_names() const {
  const Configuration& all = now();
  const Header& header = all.header;
  // Since 9.18 a name may be used before it exists; before, where `forward-reference enable` says so.
  const bool may_come_later =
      all.has_forward_references ||
      (header.product == Product::asa && (header.major > 9 || (header.major == 9 && header.minor >= 18)));
  return is_whole() && !may_come_later;
}

// ---- what is said -------------------------------------------------------------------------------------

void Terminal::refuse(const Line& line, std::string_view word, std::string message) {
  account_.set(line.place, LineState::no_effect);
  account_.say(Severity::error, reader_.span_of(word, line), std::move(message), Effect::none);
}

void Terminal::not_known(const Line& line, std::string_view word, std::string message) {
  account_.set(line.place, LineState::not_understood);
  account_.say(Severity::error, reader_.span_of(word, line), std::move(message), Effect::unknown);
}

void Terminal::warn(const Line& line, std::string_view word, std::string message) {
  account_.say(Severity::warning, reader_.span_of(word, line), std::move(message), Effect::none);
}

void Terminal::tell(const Line& line, std::string message) {
  account_.say(Severity::note, line.place.span(), std::move(message), Effect::none);
}

// ---- the script as a whole ----------------------------------------------------------------------------

std::optional<Error> Terminal::type(std::uint16_t source) {
  const Source& script = *account_.sources[source];
  Lines lines(script, source);
  reader_.mode_ = Reader::Mode::none;
  known_ = unknown_ = 0;
  while (const auto line = refusal_ ? std::nullopt : lines.next()) {
    take(*line);
    if (!reader_.refusal_.empty() && !refusal_)
      refusal_ = Error{.message = reader_.refusal_, .file = script.name(), .line = line->place.line};
  }
  if (!refusal_ && known_ == 0 && unknown_ > 0)
    refusal_ = Error{.message = "no line of it is a command of an ASA", .file = script.name()};
  return refusal_;
}

Configuration Terminal::finish() {
  Configuration& all = now();
  for (auto& [index, live] : lists_) {
    AccessList& list = all.lists[index];
    list.entries = live.entries();
    list.has_commands = false;
    list.is_renumbered = list.is_shown;
    list.count = live.size();
    list.last_number = 0;
  }
  for (auto& [index, live] : groups_) {
    std::vector<Member> left;
    for (std::size_t i = 0; i < live.is_gone.size(); ++i)
      if (!live.is_gone[i]) left.push_back(all.groups[index].members[i]);
    all.groups[index].members = std::move(left);
  }
  return std::move(all);
}

// `nat (inside,outside) static …` inside an object is the object's; `nat (…) source …` never is.
bool Terminal::is_of_object(Words words) const {
  words.accept("no");
  if (reader_.mode_ != Reader::Mode::object || !words.accept("nat")) return false;
  if (words.peek().starts_with('(')) words.next();
  return is_any_of(words.peek(), {"static", "dynamic", ""});
}

void Terminal::take(Line line) {
  if (line.text.empty() || line.text[0] == '!') return;
  if (is_of_an_export(line.text)) {
    refusal_ = Error{.message = "this is an export, not a script of commands",
                     .file = account_.sources[line.place.source]->name(),
                     .line = line.place.line};
    return;
  }
  if (line.text[0] == ':') return;
  Words words(line.text);
  if (is_prompt(words.peek())) {  // a captured session: what stands behind the prompt was typed
    words.next();
    if (words.at_end()) return;
    const std::string_view typed = words.rest();
    if (!line.place.is_glued) line.place.begin += static_cast<std::uint32_t>(typed.data() - line.text.data());
    line.text = typed;
    line.indent = 0;
    if (typed[0] == '!') return;
  }
  if (line.is_too_long)
    return not_known(line, line.text.substr(0, 0),
                     fmt::format("a line of more than {} bytes is no command", longest_line));
  const bool is_of_mode = !is_global(words) || is_of_object(words);
  if (!is_of_mode || !in_mode(line, words)) command(line, words);
  else ++known_;
}

// A line of the mode that is open, at whatever column it stands.
bool Terminal::in_mode(const Line& line, Words words) {
  using enum Reader::Mode;
  const std::string_view keyword = words.peek();
  switch (reader_.mode_) {
    case none: return false;
    case object: return object_line(line, words);
    case group: return group_line(line, words);
    case interface: {
      Port& port = now().ports[reader_.open_];
      Words ahead = words;
      const bool is_negated = ahead.accept("no");
      const std::string_view what = ahead.next();
      if (what == "nameif" && !port.name.empty() && (is_negated || ahead.peek() != port.name)) {
        refuse(line, what, "an interface that changes its name takes its lists with it: not followed");
        return true;
      }
      // A second address takes the place of the first.
      if (what == "ip" && ahead.accept("address") && !is_negated)
        std::erase_if(port.addresses, [](const PortAddress& one) { return !one.is_ipv6; });
      return reader_.interface_line(line, words);
    }
    case class_map:
    case other:
      if (line.indent == 0 && !needs_a_mode(keyword)) return false;
      reader_.child(line);
      return true;
  }
  return false;
}

void Terminal::habits_of_ios(const Line& line, std::string_view keyword) {
  if (is_number(keyword))
    return refuse(line, keyword,
                  "an ASA has no sequence numbers: write 'access-list NAME line N extended permit …'");
  if (keyword == "permit" || keyword == "deny")
    return refuse(line, keyword, "an ASA names the list in every line: 'access-list NAME extended permit …'");
  refuse(line, keyword,
         line.text.find("access-group") != std::string_view::npos
             ? "an ASA binds a list with 'access-group NAME in interface NAMEIF', outside of the interface"
             : "an ASA has no 'ip access-list': write 'access-list NAME extended permit …'");
}

void Terminal::command(const Line& line, Words words) {
  const std::string_view keyword = words.next();
  const auto is_followed_by = [&](std::initializer_list<std::string_view> choices) {
    return is_any_of(words.peek(), choices);
  };
  const auto leave = [&] { reader_.mode_ = Reader::Mode::none; };
  const auto pass = [&] {
    const Configuration& all = now();
    const std::size_t nats = all.nats.size();
    reader_.global(line);
    if (all.nats.size() != nats) uses_.reset();
  };
  ++known_;
  if (keyword == "access-list") return list_command(line, words, "", false);
  if (keyword == "ipv6" && words.accept("access-list")) return list_command(line, words, "ipv6 ", false);
  if (keyword == "no") return undo(line, words);
  if (keyword == "access-group") return bind(line, words);
  if (keyword == "object") return object_header(line, words);
  if (keyword == "object-group") return group_header(line, words);
  if (keyword == "clear") return clear(line, words);
  if (is_any_of(keyword, {"exit", "quit", "end"})) return leave();
  if (is_beginning_of(keyword, "write") || is_beginning_of(keyword, "show")) return;
  if (is_any_of(keyword, {"conf", "config", "configure"})) {
    if (words.at_end() || is_beginning_of(words.peek(), "terminal")) return leave();
    return refuse(line, words.peek(), "this loads what is not in the script: not followed");
  }
  if (keyword == "copy") {
    const std::string_view all = words.rest();
    if (!all.ends_with("running-config") || all.starts_with("running-config ")) return;
    return refuse(line, keyword, "this loads what is not in the script: not followed");
  }
  if (keyword == "hostname") {
    now().header.hostname = words.next();
    return leave();
  }
  if (is_any_of(keyword, {"changeto", "context"}))
    return leave(), refuse(line, keyword, "another context is another firewall: give it a script of its own");
  if (is_any_of(keyword, {"firewall", "reload", "downgrade"}))
    return leave(), refuse(line, keyword, "this takes the running configuration away: not followed");
  if ((keyword == "ip" && is_followed_by({"access-list", "access-group"})) || is_number(keyword) ||
      keyword == "permit" || keyword == "deny")
    return leave(), --known_, habits_of_ios(line, keyword);
  if (keyword.ends_with("-object")) {
    leave();
    return refuse(line, keyword,
                  fmt::format("'{}' stands outside of an object-group that takes it", printable(keyword)));
  }
  if (is_any_of(keyword, {"name",
                          "nat",
                          "static",
                          "global",
                          "route",
                          "same-security-traffic",
                          "nat-control",
                          "established",
                          "interface",
                          "nameif",
                          "conduit",
                          "outbound",
                          "apply",
                          "alias",
                          "shun",
                          "sysopt",
                          "threat-detection",
                          "fixup",
                          "inspect",
                          "class-map",
                          "ipv6",
                          "forward-reference"}))
    return pass();
  if (is_inert(keyword) && !needs_a_mode(keyword)) return pass();
  --known_;
  ++unknown_;
  leave();
  not_known(
      line, keyword,
      fmt::format("'{}' is no command that this reader knows: in a script nothing is taken for harmless, "
                  "and this line was not followed",
                  printable(keyword.substr(0, 60))));
}

void Terminal::undo(const Line& line, Words words) {
  const std::string_view keyword = words.next();
  reader_.mode_ = Reader::Mode::none;
  if (keyword == "access-list") return list_command(line, words, "", true);
  if (keyword == "ipv6" && words.accept("access-list")) return list_command(line, words, "ipv6 ", true);
  if (keyword == "access-group") return unbind(line, words);
  if (keyword == "object" || keyword == "object-group") return remove_name(line, words, keyword != "object");
  if ((keyword == "ip" && is_any_of(words.peek(), {"access-list", "access-group"})) || is_number(keyword))
    return --known_, habits_of_ios(line, keyword);
  if (keyword.ends_with("-object"))
    return refuse(line, keyword,
                  fmt::format("'{}' stands outside of an object-group that takes it", printable(keyword)));
  if (is_any_of(keyword, {"nat", "static", "name", "route"})) {
    const Configuration& all = now();
    const auto things = [&] { return all.nats.size() + all.routes.size() + all.aliases.size(); };
    const std::size_t before = things(), said = account_.diagnostics.all().size();
    reader_.global(line);
    uses_.reset();
    if (things() == before && account_.diagnostics.all().size() == said)
      refuse(line, keyword, "there is no such line in the configuration as it is written here");
    return;
  }
  if (is_any_of(keyword, {"same-security-traffic", "nat-control"})) return reader_.global(line);
  if (is_any_of(keyword, {"interface", "nameif", "security-level", "established", "conduit", "outbound",
                          "apply", "alias", "firewall", "context"}))
    return refuse(line, keyword, fmt::format("what 'no {}' leaves behind is not followed", keyword));
  if (keyword == "global" || keyword == "names" || (is_inert(keyword) && !needs_a_mode(keyword))) return;
  --known_;
  ++unknown_;
  not_known(line, keyword,
            fmt::format("'no {}' is no command that this reader knows: this line was not followed",
                        printable(keyword.substr(0, 60))));
}

// ---- who names what -----------------------------------------------------------------------------------

std::string_view Terminal::text_of_place(const Statement& place, std::string& scratch) const {
  return text_of(place, account_.sources[place.source]->text(), scratch);
}

// A renamed object keeps its old name in the lines that were written before.
std::string_view Terminal::present_name(std::string_view word) const {
  const NameEntry* known = named(now(), word);
  if (known == nullptr) return word;
  return known->is_group ? now().groups[known->index].name : now().objects[known->index].name;
}

void Terminal::count_names(std::string_view text, int by) {
  if (!uses_) return;
  bool is_name = false;
  for (Words words(text); !words.at_end();) {
    const std::string_view word = words.next();
    if (is_name) (*uses_)[std::string(present_name(word))] += static_cast<std::uint32_t>(by);
    is_name = word == "object" || word == "object-group" || word == "group-object" ||
              (word.starts_with("object-group-") && word.size() > 13);
  }
}

void Terminal::count_names(const Statement& place, int by) {
  std::string scratch;
  if (uses_) count_names(text_of_place(place, scratch), by);
}

// Looked through whole once, when something is first taken away; kept up to date from then on.
ByName<std::uint32_t>& Terminal::uses() {
  if (uses_) return *uses_;
  uses_.emplace();
  const Configuration& all = now();
  for (std::uint32_t i = 0; i < all.lists.size(); ++i) {
    const auto live = lists_.find(i);
    const std::vector<Entry> edited = live == lists_.end() ? std::vector<Entry>{} : live->second.entries();
    for (const Entry& entry : live == lists_.end() ? all.lists[i].entries : edited)
      if (entry.kind != EntryKind::remark) count_names(entry.place, 1);
  }
  for (std::uint32_t i = 0; i < all.groups.size(); ++i) {
    if (!all.groups[i].is_defined) continue;
    const auto live = groups_.find(i);
    for (std::size_t m = 0; m < all.groups[i].members.size(); ++m)
      if (live == groups_.end() || !live->second.is_gone[m]) count_names(all.groups[i].members[m].place, 1);
  }
  const auto count_each_word = [&](const Statement& place) {  // a translation names objects without a keyword
    std::string scratch;
    for (Words words(text_of_place(place, scratch)); !words.at_end();)
      if (const std::string_view word = words.next(); named(all, word) != nullptr)
        ++(*uses_)[std::string(present_name(word))];
  };
  for (const NatRule& rule : all.nats) count_each_word(rule.place);
  for (const Object& object : all.objects)
    if (object.nat) count_each_word(*object.nat);
  std::size_t entries = all.groups.size() + all.nats.size();
  for (const AccessList& list : all.lists) entries += list.entries.size();
  reader_.may_scan(entries);
  return *uses_;
}

bool Terminal::is_used(std::string_view name) {
  const auto& counts = uses();
  const auto found = counts.find(name);
  return found != counts.end() && found->second > 0;
}

}  // namespace aclmend::cisco_asa
