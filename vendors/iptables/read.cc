#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>
#include <thread>

#include "base/text.h"
#include "sets/prefix_list.h"
#include "vendors/iptables/ahead.h"
#include "vendors/iptables/ipset_command.h"
#include "vendors/iptables/ipset_read.h"
#include "vendors/iptables/reader.h"

namespace aclmend::iptables {
namespace {

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

std::string_view without_blanks_before(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

Line from(const Line& line, std::size_t offset) {
  Line rest = line;
  rest.text = line.text.substr(offset);
  rest.span.begin += static_cast<std::uint32_t>(offset);
  return rest;
}

// "*filter": iptables-restore reads one word and leaves the rest of the line.
struct TableLine {
  std::string_view name, rest;
};
TableLine table_line(std::string_view text) {
  const std::string_view words = trimmed(text.substr(1));
  const std::size_t end = std::min(words.find_first_of(" \t"), words.size());
  return {words.substr(0, end), trimmed(words.substr(end))};
}
bool begins_table(std::string_view text) {
  return text.starts_with('*') && table_named(table_line(text).name).has_value();
}

bool is_commit(std::string_view text) { return trimmed(text) == "COMMIT"; }

// `-A CHAIN`, `-P CHAIN POLICY`, `-N CHAIN` as iptables -S prints them.
bool is_listing_line(std::string_view text) {
  return text.starts_with("-A ") || text.starts_with("-P ") || text.starts_with("-N ") ||
         text.starts_with("-I ");
}

bool is_v6_text(std::string_view word) {
  return std::ranges::count(word, ':') >= 2 &&
         word.find_first_not_of("0123456789abcdefABCDEF:./-,[]") == std::string_view::npos;
}
bool is_v4_text(std::string_view word) {
  const std::size_t end = word.find_first_not_of("0123456789.");
  return std::ranges::count(word.substr(0, end), '.') == 3;
}

}  // namespace

std::optional<Family> family_shown(std::span<const Word> words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i].is_quoted) continue;
    const std::string_view option = words[i].text;
    const std::string_view value =
        words[i + 1].text == "!" && i + 2 < words.size() ? words[i + 2].text : words[i + 1].text;
    const bool is_address = option == "-s" || option == "-d" || option == "--source" || option == "--src" ||
                            option == "--destination" || option == "--dst" || option == "--src-range" ||
                            option == "--dst-range" || option == "--to-destination" ||
                            option == "--to-source" || option == "--to" || option == "--ctorigdst" ||
                            option == "--ctorigsrc" || option == "--ctreplsrc" || option == "--ctrepldst";
    if (is_address) {
      if (is_v6_text(value) && (option.find("to") == std::string_view::npos ||
                                value.find("::") != std::string_view::npos || value.starts_with('[')))
        return Family::ipv6;
      if (is_v4_text(value)) return Family::ipv4;
    }
    if (option == "-m" || option == "--match") {
      if (value == "icmp6" || value == "hl" || value == "rt" || value == "frag" || value == "eui64")
        return Family::ipv6;
      if (value == "icmp" || value == "ttl") return Family::ipv4;
    }
    if (option == "--reject-with") {
      if (value.starts_with("icmp6-")) return Family::ipv6;
      if (value.starts_with("icmp-")) return Family::ipv4;
    }
  }
  return std::nullopt;
}

std::optional<Family> family_hinted(std::span<const Word> words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string_view option = words[i].text;
    if (words[i].is_quoted || (option != "-p" && option != "--protocol" && option != "--proto")) continue;
    const std::string name = lower(words[i + 1].text);
    if (name == "ipv6-icmp" || name == "icmpv6" || name == "icmp6") return Family::ipv6;
    if (name == "icmp") return Family::ipv4;
  }
  return std::nullopt;
}

namespace {
// Of a file's own name, where it says one.
std::optional<Family> family_named(std::string_view path) {
  const std::string name = lower(path.substr(path.rfind('/') + 1));
  const auto has = [&](std::string_view word) { return name.find(word) != std::string::npos; };
  if (has("ip6") || has("v6")) return Family::ipv6;
  return has("ip4") || has("v4") ? std::optional(Family::ipv4) : std::nullopt;
}
}  // namespace

// ---- what a file is -----------------------------------------------------------------------------------

Recognised recognised(std::string_view text) {
  constexpr std::size_t looked_at = 1 << 20;
  Lines lines(text.substr(0, looked_at), 0);
  int listing = 0, commands = 0;
  bool is_script = false, has_table = false;
  Form form = Form::none;
  int confidence = 0;
  const auto at_least = [&](int sure, Form what) {
    if (sure > confidence) confidence = sure, form = what;
  };
  while (const auto line = lines.next()) {
    const std::string_view one = without_blanks_before(line->text);
    if (line->number == 1 && one.starts_with("#!")) is_script = true;
    if (one.starts_with("# Generated by ") && one.find("tables") != std::string_view::npos &&
        one.find("-save") != std::string_view::npos)
      at_least(100, Form::save);
    if (begins_table(one)) has_table = true, at_least(95, Form::save);
    if (has_table && is_commit(one)) at_least(97, Form::save);
    if (is_listing_line(one)) {
      ++listing;
      const bool has_policy =
          one.starts_with("-P ") && (trimmed(one).ends_with(" ACCEPT") || trimmed(one).ends_with(" DROP") ||
                                     one.find(" -c ") != std::string_view::npos);
      at_least(has_policy ? 90 : 60, Form::listing);
    }
    if (one.starts_with("Chain ") && one.find("(policy ") != std::string_view::npos)
      at_least(80, Form::table);
    if (one.starts_with("create ") && one.find(':') != std::string_view::npos) at_least(90, Form::sets);
    if (one.starts_with("Name: ")) at_least(50, Form::sets);
    if (one.starts_with("<ipset") || one.starts_with("<?xml")) break;
    const bool is_command = one.starts_with("iptables ") || one.starts_with("ip6tables ") ||
                            one.starts_with("/sbin/iptables ") || one.starts_with("/usr/sbin/iptables ") ||
                            one.starts_with("$IPT") || one.starts_with("${IPT") ||
                            one.starts_with("sudo iptables ");
    if (is_command) ++commands;
    if (confidence >= 95) break;
  }
  if (commands > 0 && !has_table && commands >= listing) return {Form::script, is_script ? 85 : 75};
  return {form, confidence};
}

// ---- a file -------------------------------------------------------------------------------------------

std::optional<Error> Reader::read(std::uint16_t source) {
  const Source& file = *account_.sources[source];
  text_ = file.text();
  file_ = file.name();
  header_family_.reset();
  header_tool_.clear();
  const auto refused = [&](std::string message, std::string hint) {
    return Error{
        .message = std::move(message), .file = file_, .line = 0, .column = 0, .hint = std::move(hint)};
  };
  constexpr std::string_view what_to_run =
      "run iptables-save (and ip6tables-save) on the machine and give its output";
  if (const std::size_t at = text_.find('\0'); at != std::string_view::npos) {
    const Position place = file.position(static_cast<std::uint32_t>(at));
    return Error{.message = "a NUL byte: this is no text of iptables-save",
                 .file = file_,
                 .line = place.line,
                 .column = place.column};
  }
  switch (recognised(text_).form) {
    case Form::script:
      return refused(
          "this is a shell script of iptables commands, not an export: what it makes depends on where it "
          "runs",
          std::string(what_to_run));
    case Form::table:
      return refused("this is the table of iptables -L, which leaves out interfaces, marks and more",
                     std::string(what_to_run));
    case Form::sets: {
      document_.has_sets = true;
      return read_sets(source);
    }
    case Form::listing: return listing(text_, source);
    case Form::none:
    case Form::save: break;
  }
  save(text_, source);
  return std::nullopt;
}

std::optional<Error> Reader::read_sets(std::uint16_t source) {
  auto reading = read_ipsets(*account_.sources[source], source, std::move(document_.sets));
  if (!reading) return std::move(reading).error();
  document_.sets = std::move(reading->sets);
  for (const Diagnostic& one : reading->diagnostics.all())
    account_.say(one.severity, one.span, one.message, one.effect);
  account_.ledgers[source] = std::move(reading->ledger);
  return std::nullopt;
}

// A prefix a line: what a set of networks holds.
std::optional<Error> Reader::read_set(std::uint16_t source, const std::string& name) {
  const Source& file = *account_.sources[source];
  if (!ipset_form(file.text()).empty()) return read_sets(source);
  const auto refused = [&](std::string message) {
    return Error{.message = std::move(message), .file = file.name()};
  };
  if (name.empty())
    return refused("is no output of ipset save: with NAME= before it, it is read as a list of prefixes");
  const auto list = read_prefix_list(file, HostBits::cleared);
  if (!list) return list.error();
  if (!list->addresses.v4.empty() && !list->addresses.v6.empty())
    return refused("holds addresses of both families, a set of ipset has one");
  if (name.size() > longest_set_name)
    return refused(fmt::format("'{}' cannot be the name of a set", shown(name)));
  if (document_.sets.named(name) != nullptr)
    return refused(fmt::format("the set {} was read before", shown(name)));
  IpSet set = empty_set(name, "hash:net", {0, 0, source});
  set.family = list->addresses.v4.empty() ? Family::ipv6 : Family::ipv4;
  for (const Prefix& prefix : list->addresses.prefixes()) {
    Element element;
    element.low = static_cast<std::uint64_t>(prefix.address.number);
    element.high = static_cast<std::uint64_t>(prefix.address.number >> 64);
    element.length = static_cast<std::uint8_t>(prefix.length);
    element.source = source;
    set.elements.append(element);
  }
  document_.sets.add(std::move(set));
  std::ranges::fill(account_.ledgers[source].lines, LineState::decides);
  return std::nullopt;
}

void Reader::save(std::string_view text, std::uint16_t source) {
  Lines lines(text, source);
  while (const auto line = lines.next()) {
    take_line(*line);
    if (is_worth_reading_ahead(lines)) read_ahead(lines);
  }
  if (open_)
    cut_off({static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(text.size()), source});
  if (lines.has_carriage_returns())
    account_.say(Severity::note, {0, 0, source},
                 "lines end in CR LF, which iptables-restore refuses: read without the CR", Effect::none);
}

std::size_t usual_piece() {
  constexpr std::size_t usual = std::size_t{512} << 10;
  return std::thread::hardware_concurrency() > 1 ? usual : std::numeric_limits<std::size_t>::max();
}

bool Reader::is_worth_reading_ahead(const Lines& lines) const {
  constexpr std::size_t bytes_a_rule = 2048;  // far more than rules have: what follows is much longer
  return open_ && quick_in_a_row_ >= piece_ / bytes_a_rule && lines.left() / 2 >= piece_;
}

// Lines are taken in their order, whoever read them.
void Reader::read_ahead(Lines& lines) {
  Ahead ahead(interpreter_, *open_, place_, lines, piece_);
  const std::uint32_t era = interpreter_.era();
  while (const auto* part = ahead.next()) {
    for (std::size_t i = 0; i < part->size(); ++i) {
      const auto line = lines.next();
      const bool is_usual = line->text.size() <= restore_cuts_at;
      if (is_usual && interpreter_.append_early(*open_, *part, i, *line)) continue;
      ahead.rest();
      take_line(*line);
      if (interpreter_.era() != era) return;  // other chains, another table: the rest in its turn
    }
  }
}

void Reader::take_line(const Line& whole) {
  if (whole.text.size() > restore_cuts_at) return too_long(whole);
  const bool is_rule = whole.text.starts_with('-') || whole.text.starts_with('[');
  if (is_rule && open_) return rule(whole);  // nearly every line
  quick_in_a_row_ = 0;
  const std::size_t blanks = whole.text.find_first_not_of(" \t");
  if (blanks == std::string_view::npos) return;
  const Line line = from(whole, blanks);
  if (whole.text[0] == '#') return comment(line);
  if (line.text[0] == '*') return begin_table(line);
  if (!open_) return outside(line);
  if (line.text[0] == '-' || line.text[0] == '[') return rule(line);
  if (line.text[0] == ':') return interpreter_.declare(*open_, place_, line);
  if (is_commit(line.text)) return end_table(line);
  account_.not_understood(line, line.span,
                          fmt::format("expected a rule, a chain or COMMIT, found '{}'", shown(line.text)));
  if (!open_->unread) open_->unread = line.span;
}

// What stands behind the cut is a line of its own for iptables-restore: a rule, or anything.
void Reader::too_long(const Line& line) {
  quick_in_a_row_ = 0;
  account_.not_understood(
      line, {line.span.begin, line.span.begin + 1, line.span.source},
      fmt::format("a line of {} bytes: iptables-restore would cut it in two", line.text.size()));
  if (!open_) document_.v4.stray = document_.v6.stray = line.span;
  else if (!open_->unread) open_->unread = line.span;
}

void Reader::rule(const Line& line) {
  if (interpreter_.append_quickly(*open_, place_, line)) {
    ++quick_in_a_row_;
    return;
  }
  quick_in_a_row_ = 0;
  std::size_t begin = 0;
  if (line.text.starts_with('[')) {
    begin = counters_end(line.text);
    if (begin != 0) begin = line.text.find_first_not_of(" \t", begin);
    if (begin == 0 || begin == std::string_view::npos || line.text[begin] != '-') {
      account_.not_understood(line, line.span, "expected '[packets:bytes] -A CHAIN …'");
      if (!open_->unread) open_->unread = line.span;
      return;
    }
  }
  const Line command = from(line, begin);
  Splitter splitter(Grammar::restore, arena_);
  const auto words = splitter.split(command.text);
  if (!words) {
    const Fault& fault = words.error();
    account_.not_understood(
        line, {command.span.begin + fault.begin, command.span.begin + fault.end, line.span.source},
        fault.message);
    if (!open_->unread) open_->unread = line.span;
    return;
  }
  interpreter_.run(*open_, place_, *words, command);
}

void Reader::comment(const Line& line) {
  const std::string_view text = line.text;
  if (text.find("-legacy tables present") != std::string_view::npos ||
      text.find("-nft tables present") != std::string_view::npos) {
    const Family family = text.find("ip6tables") != std::string_view::npos ? Family::ipv6 : Family::ipv4;
    document_.half(family).other_rules = line.span;
    account_.say(
        Severity::warning, line.span,
        "a second set of rules is active that is not in this file: what it lets through is not known",
        Effect::unknown);
    return;
  }
  constexpr std::string_view generated = "# Generated by ";
  if (!text.starts_with(generated)) return;
  const std::string_view rest = text.substr(generated.size());
  if (rest.find("tables") == std::string_view::npos) return;
  header_family_ = rest.starts_with("ip6tables") ? Family::ipv6 : Family::ipv4;
  const std::size_t on = rest.find(" on ");
  header_written_ = on == std::string_view::npos ? "" : std::string(trimmed(rest.substr(on + 4)));
  header_tool_ = std::string(rest.substr(0, std::min(rest.find(" ("), on)));
  header_backend_ =
      rest.find("nf_tables") != std::string_view::npos || rest.find("-nft-") != std::string_view::npos
          ? Half::Backend::nft
      : rest.find("-legacy-") != std::string_view::npos ? Half::Backend::legacy
                                                        : Half::Backend::not_said;
}

Family Reader::family_of_block(std::string_view rest, const Line& line) {
  std::optional<Family> hinted;
  Lines lines(rest, line.span.source);
  while (const auto next = lines.next()) {
    const std::string_view text = without_blanks_before(next->text);
    if (is_commit(text) || text.starts_with('*')) break;
    if (!text.starts_with('-') && !text.starts_with('[')) continue;
    if (text.size() > restore_cuts_at) continue;
    Splitter splitter(Grammar::restore, arena_);
    const auto words = splitter.split(text);
    if (!words) continue;
    if (const auto shown = family_shown(*words)) return *shown;
    if (!hinted) hinted = family_hinted(*words);
  }
  if (header_family_) return *header_family_;
  if (const auto named = family_named(file_)) return *named;
  return hinted.value_or(Family::ipv4);
}

void Reader::begin_table(const Line& line) {
  if (open_) cut_off(line.span);
  const auto [name, rest] = table_line(line.text);
  const auto table = table_named(name);
  const std::size_t behind = line.span.end;
  const Family family = family_of_block(text_.substr(std::min(behind, text_.size())), line);
  if (!table) {
    account_.not_understood(
        line, line.span,
        fmt::format("expected raw, mangle, nat, filter or security after '*', found '{}'", shown(name)));
    document_.half(family).unknown_table = line.span;
    // Its lines are read as those of a table that nothing walks.
    skipped_table_ = true;
  } else {
    skipped_table_ = false;
    if (!rest.empty())
      account_.say(Severity::warning, line.span,
                   fmt::format("'{}' behind the table's name is nothing to iptables-restore", shown(rest)),
                   Effect::none);
  }
  place_ = {family, table.value_or(Table::filter)};
  interpreter_.forget();
  open_ = Interpreter::empty_table(place_.table, line.span);
}

void Reader::cut_off(Span where) {
  account_.say(
      Severity::error, where,
      fmt::format("the table {} has no COMMIT: the file is cut off, and what would follow is not known",
                  to_string(place_.table)),
      Effect::unknown);
  open_->is_cut_off = true;
  install(where);
}

void Reader::end_table(const Line& line) { install(line.span); }

void Reader::install(Span where) {
  interpreter_.forget();
  Chains table = std::move(*open_);
  open_.reset();
  if (skipped_table_) return;
  Half& half = document_.half(place_.family);
  if (const auto& before = half[place_.table]; before && !before->chains.empty()) {
    const bool is_another_file = before->span.source != where.source;
    account_.say(Severity::warning, table.span,
                 fmt::format("a second {} table for {}: it replaces the one before{}",
                             to_string(place_.table), place_.family == Family::ipv4 ? "IPv4" : "IPv6",
                             is_another_file ? " in another file" : ", as iptables-restore would do"),
                 Effect::none);
  }
  half[place_.table] = std::move(table);
  half.tool = header_tool_;
  half.written = header_written_;
  half.backend = header_backend_;
}

void Reader::outside(const Line& line) {
  if (line.text.find("-legacy tables present") != std::string_view::npos) return comment(line);
  account_.set(line, LineState::not_understood);
  // What a terminal left before and behind the tables; but a rule that stands in no table is missing
  // somewhere.
  const bool is_rule = is_listing_line(line.text) || line.text[0] == ':' || is_commit(line.text);
  account_.say(is_rule ? Severity::error : Severity::warning, line.span,
               is_rule ? "this line stands in no table" : "this line is no part of a table",
               is_rule ? Effect::unknown : Effect::none);
  if (is_rule) {
    document_.v4.stray = line.span;
    document_.v6.stray = line.span;
  }
}

// ---- iptables -S --------------------------------------------------------------------------------------

std::optional<Error> Reader::listing(std::string_view text, std::uint16_t source) {
  // Which table is it? It begins with the policies of all its built-in chains.
  std::set<std::string_view> chains, policies;
  bool has_nat_target = false;
  std::optional<Family> family, hinted;
  const auto refused = [&](const Line& line, std::string message) {
    const Position at = account_.sources[source]->position(line.span.begin);
    return Error{.message = std::move(message),
                 .file = file_,
                 .line = at.line,
                 .column = at.column,
                 .hint = "iptables-save prints all tables, each under its name"};
  };
  Lines first(text, source);
  while (const auto line = first.next()) {
    const std::string_view one = without_blanks_before(line->text);
    if (!is_listing_line(one) || one.size() > restore_cuts_at) continue;
    Splitter splitter(Grammar::restore, arena_);
    const auto words = splitter.split(one);
    if (!words || words->size() < 2) continue;
    if ((*words)[0].text == "-P" && !policies.insert((*words)[1].text).second)
      return refused(
          *line,
          fmt::format("{} has a policy for the second time: these are several tables, and which is not said",
                      shown((*words)[1].text)));
    chains.insert((*words)[1].text);
    for (std::size_t i = 2; i + 1 < words->size(); ++i)
      if ((*words)[i].text == "-j") {
        const std::string_view target = (*words)[i + 1].text;
        has_nat_target |=
            target == "DNAT" || target == "SNAT" || target == "MASQUERADE" || target == "REDIRECT";
      }
    if (!family) family = family_shown(*words);
    if (!hinted) hinted = family_hinted(*words);
  }
  place_.table = Table::filter;
  bool is_whole = false;
  for (const Table table : {Table::filter, Table::raw, Table::nat, Table::mangle}) {
    std::set<std::string_view> own;
    for (const Hook hook : all_hooks)
      if (has_hook(table, hook)) own.insert(to_string(hook));
    is_whole = policies == own;
    if (is_whole) place_.table = table;
    if (is_whole) break;
  }
  if (policies.empty() && has_nat_target) place_.table = Table::nat;
  if (!family) family = family_named(file_);
  place_.family = family ? *family : hinted.value_or(Family::ipv4);
  document_.inferred.push_back(fmt::format("{} is a listing of one table: taken as the {} table{}",
                                           printable(file_), place_.family == Family::ipv4 ? "IPv4" : "IPv6",
                                           fmt::format(" {}", to_string(place_.table))));
  interpreter_.forget();
  open_ = Interpreter::empty_table(place_.table, {0, 0, source});
  skipped_table_ = false;
  if (!is_whole) {
    open_->rest_is_missing = open_->span;
    account_.say(
        Severity::error, open_->span,
        "this is the listing of some chains: iptables -S without a chain prints the policies too, and "
        "iptables-save prints all tables",
        Effect::unknown);
  }
  Lines lines(text, source);
  while (const auto whole = lines.next()) {
    const std::size_t blanks = whole->text.find_first_not_of(" \t");
    if (blanks == std::string_view::npos) continue;
    const Line line = from(*whole, blanks);
    if (whole->text[0] == '#') {
      comment(line);
      continue;
    }
    if (line.text.size() > restore_cuts_at) {
      too_long(line);
      continue;
    }
    if (line.text[0] == '-' || line.text[0] == '[') {
      rule(line);
      continue;
    }
    account_.set(line, LineState::not_understood);
    account_.say(Severity::warning, line.span, "this line is no part of the listing", Effect::none);
  }
  const Span end{static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(text.size()), source};
  install(end);
  document_.half(place_.family).is_listing = true;
  return std::nullopt;
}

}  // namespace aclmend::iptables
