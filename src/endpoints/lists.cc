// A selection of a release as a list, and the neutral texts of it. Nothing here knows the time or the
// machine: the same release and selection give the same bytes, so that a changed file means a changed list.
#include "endpoints/lists.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "endpoints/ports.h"

namespace aclmend::endpoints {
namespace {

// ---- choosing --------------------------------------------------------------------------------------------

AddressSet of_families(AddressSet addresses, Families families) {
  switch (families) {
    case Families::both: return addresses;
    case Families::ipv4: return {std::move(addresses.v4), {}};
    case Families::ipv6: return {{}, std::move(addresses.v6)};
  }
  return {};
}

Row of_families(Row row, Families families) {
  std::erase_if(row.ips, [&](const Prefix& prefix) {
    return families != Families::both && prefix.address.is_v4() != (families == Families::ipv4);
  });
  return row;
}

// Rows without addresses are names for clients; they give a list nothing.
Result<std::vector<Row>> rows_of(const Release& release, const ListRequest& request) {
  if (request.literal) return std::vector<Row>();
  TRY(selected, select(release, request.selection.value_or(Selection{})));
  std::vector<Row> rows;
  for (Row& row : selected.rows)
    if (Row kept = of_families(std::move(row), request.families); !kept.ips.empty())
      rows.push_back(std::move(kept));
  return rows;
}

std::string_view family_words(Families families) {
  switch (families) {
    case Families::both: return "IPv4 or IPv6";
    case Families::ipv4: return "IPv4";
    case Families::ipv6: return "IPv6";
  }
  return "";
}

bool holds_a_whole_family(const AddressSet& addresses) {
  return addresses.v4.is_all() || addresses.v6.is_all();
}

// ---- what stands at the head -----------------------------------------------------------------------------

std::string fact(std::string_view label, std::string_view text) {
  return fmt::format("{:<10} {}", label, text);
}

std::string counted(const AddressSet& addresses, Families families) {
  const auto of = [](const AddressSet& one, std::string_view family) {
    const std::size_t count = one.prefixes().size();
    return fmt::format("{} {} {}", count, family, count == 1 ? "prefix" : "prefixes");
  };
  const std::string four = of({addresses.v4, {}}, "IPv4"), six = of({{}, addresses.v6}, "IPv6");
  switch (families) {
    case Families::both: return fmt::format("{}, {}", four, six);
    case Families::ipv4: return fmt::format("{}; IPv6 was not asked for", four);
    case Families::ipv6: return fmt::format("{}; IPv4 was not asked for", six);
  }
  return "";
}

// Without the day of the last check, which moves while the list does not.
std::string lasting_title(const Release& release) {
  Release named;
  named.instance = release.instance;
  named.version = release.version;
  named.as_of = release.as_of;
  named.origin = release.origin;
  named.file = release.file;
  named.completeness = release.completeness;
  return title(named);
}

std::vector<std::string> heading_of(const List& list) {
  const std::string chosen =
      list.flow.empty() ? list.asked : fmt::format("{} (flow {})", list.asked, list.flow);
  std::vector<std::string> lines;
  if (list.is_literal) {
    lines = {"addresses that a required flow names itself; no list of Microsoft's holds them",
             fact("chosen", chosen), fact("holds", counted(list.named.addresses, list.families))};
    return lines;
  }
  lines = {"addresses that Microsoft 365 publishes, chosen by aclmend",
           fact("list", lasting_title(list.release)), fact("sha256", list.release.sha256),
           fact("chosen", chosen), fact("holds", counted(list.named.addresses, list.families))};
  for (const std::string& remark : list.release.remarks) lines.push_back(fact("note", remark));
  lines.push_back(
      fact("direction", "Microsoft's list states no direction: who connects to whom is not said"));
  return lines;
}

std::string description_of(const List& list) {
  if (list.is_literal) return fmt::format("{} (flow {})", list.asked, list.flow);
  return fmt::format("{}; {}; sha256 {}", lasting_title(list.release), list.asked, list.release.sha256);
}

// ---- the texts -------------------------------------------------------------------------------------------

constexpr std::string_view hash = "#";

std::string plain(const NamedList& list) {
  std::string text = comments(hash, list.heading);
  for (const Prefix& prefix : list.addresses.prefixes()) text += to_string(prefix) + "\n";
  return text;
}

// A line begins with an address; a comment stands behind a blank, on an entry's line and nowhere else
// ("Formatting Guidelines for an External Dynamic List", PAN-OS). So the heading is laid beside the entries,
// and what is longer than they are stands beside the last one.
std::string external_dynamic_list(const NamedList& list) {
  const std::vector<Prefix> prefixes = list.addresses.prefixes();
  std::string text;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    text += to_string(prefixes[i]);
    const bool is_last = i + 1 == prefixes.size();
    const std::size_t end = is_last ? list.heading.size() : std::min(i + 1, list.heading.size());
    for (std::size_t at = i; at < end; ++at) {
      text += at == i ? " # " : "; ";
      text += list.heading[at];
    }
    text += '\n';
  }
  return text;
}

// nft carries out a file as one transaction: the set holds the old list until it holds the new one. A set is
// made where it is not there yet.
std::string one_nft_set(std::string_view name, std::string_view type, const AddressSet& addresses) {
  constexpr std::string_view table = "inet filter";
  std::string text = fmt::format(
      "add table {0}\nadd set {0} {1} {{ type {2}; flags interval; }}\nflush set {0} {1}\n"
      "add element {0} {1} {{\n",
      table, name, type);
  std::string_view joint = "  ";
  for (const Prefix& prefix : addresses.prefixes())
    text += fmt::format("{}{}", std::exchange(joint, ",\n  "), to_string(prefix));
  return text + "\n}\n";
}

std::string nft_sets(const NamedList& list) {
  const std::string four = list.name + "-v4", six = list.name + "-v6";
  std::vector<std::string> head = list.heading;
  if (!head.empty()) {
    head.emplace_back("load it with: nft -f THIS; another table than 'inet filter': replace these two words");
    head.push_back(fmt::format("a rule names a set as @{}", list.addresses.v4.empty() ? six : four));
  }
  std::string text = comments(hash, head);
  if (!list.addresses.v4.empty()) text += one_nft_set(four, "ipv4_addr", {list.addresses.v4, {}});
  if (!list.addresses.v6.empty()) text += one_nft_set(six, "ipv6_addr", {{}, list.addresses.v6});
  return text;
}

constexpr std::size_t longest_ending = 3;  // "-v4"

constexpr std::array formats = {
    ListFormat{.id = "plain", .longest_name = 0, .most_prefixes = 0, .beyond = {}, .write = plain},
    ListFormat{.id = "edl",
               .longest_name = 0,
               .most_prefixes = 50'000,  // of all lists of a small or middle device together
               .beyond = "PAN-OS skips the entries beyond",
               .write = external_dynamic_list},
    ListFormat{.id = "nft",
               .longest_name = 255 - longest_ending,  // since Linux 4.14
               .most_prefixes = 0,
               .beyond = {},
               .write = nft_sets},
};

// ---- CSV -------------------------------------------------------------------------------------------------

// RFC 4180; a spreadsheet would carry out what begins like a formula.
std::string cell(std::string_view text) {
  std::string shown = printable(text);
  if (!shown.empty() && std::string_view("=+-@").contains(shown[0])) shown.insert(0, "'");
  if (shown.find_first_of(",\"") == std::string::npos) return shown;
  std::string quoted = "\"";
  for (const char c : shown) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string_view family_of(const Prefix& prefix) { return prefix.address.is_v4() ? "ipv4" : "ipv6"; }

std::string csv_line(const Prefix& prefix, const Row& row) {
  std::string_view required;
  if (row.required) required = *row.required ? "true" : "false";
  return fmt::format("{},{},{},{},{},{},{},{}\n", to_string(prefix), family_of(prefix), row.id,
                     cell(row.service_area), cell(comma_list(row.tcp_ports)), cell(comma_list(row.udp_ports)),
                     cell(row.category), required);
}

}  // namespace

std::string_view to_string(Families families) {
  switch (families) {
    case Families::both: return "both";
    case Families::ipv4: return "ipv4";
    case Families::ipv6: return "ipv6";
  }
  return "";
}

Result<Families> families_named(std::string_view text) {
  for (const Families families : {Families::both, Families::ipv4, Families::ipv6})
    if (lower(text) == to_string(families)) return families;
  return fail(fmt::format("expected ipv4, ipv6 or both, found '{}'", text));
}

std::string default_name(Instance instance, std::string_view flow) {
  std::string name = fmt::format("M365-{}", flow.empty() ? to_string(instance) : flow);
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    else if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) c = '-';
  }
  return name;
}

Result<List> list_of(const Release& release, const ListRequest& request) {
  TRY(rows, rows_of(release, request));
  List list{.release = release,
            .asked = request.words,
            .flow = request.flow,
            .families = request.families,
            .is_literal = request.literal.has_value(),
            .rows = std::move(rows),
            .named = {}};
  list.named.name = request.name.empty() ? default_name(release.instance, request.flow) : request.name;
  list.named.addresses =
      request.literal ? of_families(*request.literal, request.families) : addresses(list.rows);
  const std::string where = list.is_literal ? fmt::format("flow {}", request.flow) : lasting_title(release);
  if (list.named.addresses.empty())
    return fail(
        fmt::format("{}: no {} address among {}", where, family_words(request.families), request.words));
  if (holds_a_whole_family(list.named.addresses))
    return fail(fmt::format("{}: {} are every address of a family; that is no list of Microsoft's", where,
                            request.words));
  list.named.description = description_of(list);
  for (const std::string& line : heading_of(list)) list.named.heading.push_back(heading_line(line));
  return list;
}

std::span<const ListFormat> list_formats() { return formats; }

std::string csv(const List& list) {
  struct Line {
    Prefix prefix;
    const Row* row = nullptr;
  };
  std::vector<Line> lines;
  for (const Row& row : list.rows)
    for (const Prefix& prefix : addresses(row).prefixes()) lines.push_back({prefix, &row});
  std::ranges::stable_sort(lines, {}, &Line::prefix);
  std::string text = comments(hash, list.named.heading);
  text += "prefix,family,id,service_area,tcp_ports,udp_ports,category,required\n";
  for (const Line& line : lines) text += csv_line(line.prefix, *line.row);
  if (list.is_literal)
    for (const Prefix& prefix : list.named.addresses.prefixes())
      text += fmt::format("{},{},,,,,,\n", to_string(prefix), family_of(prefix));
  return text;
}

}  // namespace aclmend::endpoints
