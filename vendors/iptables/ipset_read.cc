#include "vendors/iptables/ipset_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_set>

#include "base/text.h"
#include "vendors/iptables/ipset_command.h"
#include "vendors/words.h"

namespace aclmend::iptables {
namespace {

constexpr std::size_t longest_line = 1023;  // ipset reads the rest as another line

std::string shown(std::string_view text) { return printable(text.substr(0, 60)); }

class Reader {
 public:
  Reader(const Source& source, std::uint16_t index, IpSets before);
  IpsetReading read();

 private:
  enum class Mode : std::uint8_t { commands, header, members };

  void take(std::string_view line, std::uint32_t begin);
  bool plain_element(std::string_view text, std::uint32_t begin);
  void command(std::string_view line);
  bool header_line(std::string_view line);
  void start_listing(std::string_view name);
  void header_options(std::string_view options);
  void member(std::string_view line);
  void end_listing();
  void refused_command(std::span<const Word> words, const SetFault& fault);
  void join_equal_elements(IpSet& set);

  IpSet& current() { return reading_.sets.sets[current_]; }
  bool has_current() const { return current_ < reading_.sets.sets.size(); }
  void choose(std::string_view name);
  void state(LineState state) { reading_.ledger.lines[line_] = state; }
  void say(Severity severity, Span span, std::string message, Effect effect) {
    reading_.diagnostics.add(severity, span, std::move(message), effect);
  }
  Span whole_line() const { return {begin_, end_, index_}; }
  void doubt(IpSet& set, Span span, std::string why);
  void not_understood(Span span, const std::string& message, IpSet* set);
  LinePlace place() const { return {index_, begin_}; }

  const Source& source_;
  std::uint16_t index_;
  IpsetReading reading_;
  std::deque<std::string> arena_;
  Splitter splitter_{Grammar::ipset, arena_};
  Mode mode_ = Mode::commands;
  std::size_t line_ = 0;  // in the ledger
  std::uint32_t begin_ = 0, end_ = 0;
  // The set that elements go to: of a listing, or of the last `add`.
  std::size_t current_ = ~std::size_t{0};
  std::string current_name_;
  bool is_plain_ = false;  // hosts or networks without anything behind them
  std::optional<std::uint32_t> entries_;
  std::size_t members_ = 0;
};

Reader::Reader(const Source& source, std::uint16_t index, IpSets before) : source_(source), index_(index) {
  reading_.sets = std::move(before);
  reading_.ledger.lines.assign(source.line_count(), LineState::no_effect);
}

void Reader::choose(std::string_view name) {
  const IpSet* set = reading_.sets.named(name);
  current_ = set == nullptr ? ~std::size_t{0} : static_cast<std::size_t>(set - reading_.sets.sets.data());
  current_name_ = name;
  is_plain_ = set != nullptr && set->is_known() && !set->options.timeout && !set->options.netmask &&
              (set->type == SetType::hash_ip || set->type == SetType::hash_net);
}

void Reader::doubt(IpSet& set, Span span, std::string why) {
  set.doubt = {std::move(why), span};
  set.elements.clear();
  choose(current_name_);
}

void Reader::not_understood(Span span, const std::string& message, IpSet* set) {
  state(LineState::not_understood);
  say(Severity::error, span, message, Effect::unknown);
  if (set != nullptr && !set->doubt) doubt(*set, span, message);
}

// ---- elements of the common kind ----------------------------------------------------------------------

// "10.0.0.0/8" up to the end of the line, for a set of hosts or networks. False: look closer.
bool Reader::plain_element(std::string_view text, std::uint32_t begin) {
  IpSet& set = current();
  const bool is_v4 = set.family == Family::ipv4;
  const auto full = is_v4 ? 32U : 128U;
  Address address;
  std::size_t at = 0;
  if (is_v4) {
    const ScannedV4 scanned = scan_v4(text);
    address = Address::v4(scanned.number);
    at = scanned.length;
  } else {
    at = std::min(text.find('/'), text.size());
    const auto parsed = parse_address(text.substr(0, at));
    if (!parsed || parsed->is_v4()) return false;
    address = *parsed;
  }
  if (at == 0) return false;
  unsigned length = full;
  if (at < text.size() && text[at] == '/') {
    const char* const from = text.data() + at + 1;
    const auto [end, status] = std::from_chars(from, text.data() + text.size(), length, 10);
    if (status != std::errc{} || *from == '0' || length > full) return false;
    at = static_cast<std::size_t>(end - text.data());
  }
  if (at != text.size()) return false;
  if (set.type == SetType::hash_ip && (length != full || address.number == 0)) return false;
  if (set.elements.size() >= std::min<std::size_t>(set.options.maxelem, most_elements) ||
      reading_.sets.touched >= most_altogether)
    return false;
  const Prefix prefix = prefix_of(address, static_cast<int>(length));
  Element element;
  element.low = static_cast<std::uint64_t>(prefix.address.number);
  element.high = static_cast<std::uint64_t>(prefix.address.number >> 64);
  element.length = static_cast<std::uint8_t>(length);
  element.begin = begin;
  element.source = index_;
  set.elements.append(element);
  ++reading_.sets.touched;
  return true;
}

// ---- commands -----------------------------------------------------------------------------------------

void Reader::refused_command(std::span<const Word> words, const SetFault& fault) {
  IpSet* set = nullptr;
  for (const Word& word : words.subspan(std::min<std::size_t>(1, words.size()))) {
    set = reading_.sets.named(word.text);
    if (set != nullptr) break;
  }
  not_understood(place().span_of(fault), fault.message, set);
}

void Reader::command(std::string_view line) {
  const auto words = splitter_.split(line);
  if (!words) {
    Words rough(line);
    rough.next();
    return not_understood(place().span_of(words.error()), words.error().message,
                          reading_.sets.named(rough.next()));
  }
  if (words->empty()) return;
  if ((*words)[0].text.starts_with('#')) return;
  const std::size_t count = reading_.sets.sets.size();
  const auto done = execute(reading_.sets, *words, place(), Lookup::later);
  if (!done) {
    const bool is_new_and_unknown = reading_.sets.sets.size() > count;
    if (!is_new_and_unknown) return refused_command(*words, done.error());
    state(LineState::partly_understood);
    say(Severity::error, place().span_of(done.error()), done.error().message, Effect::unknown);
    return choose(reading_.sets.sets.back().name);
  }
  switch (*done) {
    case Executed::nothing: break;
    case Executed::created:
      state(LineState::decides);
      choose((*words)[1].text);
      break;
    case Executed::other:
      state(LineState::decides);
      choose(current_name_);
      break;
    case Executed::element: {
      state(LineState::decides);
      const std::string_view name = (*words)[1].text;
      if (name != current_name_) choose(name);
      break;
    }
    case Executed::unknown:
      state(LineState::not_supported);
      if (reading_.sets.sets.size() > count) {
        const IpSet& set = reading_.sets.sets.back();
        say(Severity::warning, set.doubt->span, set.doubt->why, Effect::unknown);
        choose(set.name);
      }
      break;
  }
}

// ---- listings -----------------------------------------------------------------------------------------

void Reader::start_listing(std::string_view name) {
  end_listing();
  state(LineState::decides);
  mode_ = Mode::header;
  entries_.reset();
  members_ = 0;
  if (IpSet* there = reading_.sets.named(name)) {
    not_understood(whole_line(), fmt::format("set '{}' stands twice", shown(name)), there);
    mode_ = Mode::commands;
    return;
  }
  if (name.empty() || name.size() > longest_set_name || reading_.sets.sets.size() >= most_sets) {
    not_understood(whole_line(), "expected the name of a set after 'Name:'", nullptr);
    mode_ = Mode::commands;
    return;
  }
  IpSet set;
  set.name = name;
  set.span = whole_line();
  set.doubt = {"its type is not told", whole_line(), true};
  set.has_members = false;
  reading_.sets.add(std::move(set));
  choose(name);
}

void Reader::header_options(std::string_view options) {
  const auto words = splitter_.split(options);
  const LinePlace place{index_, static_cast<std::uint32_t>(options.data() - source_.text().data())};
  if (!words) return not_understood(place.span_of(words.error()), words.error().message, &current());
  const auto read = parse_create_options(current(), *words);
  if (read) return;
  not_understood(place.span_of(read.error()), read.error().message, &current());
  if (current().doubt) current().doubt->is_lasting = true;
}

// A line between "Name:" and the members; false: none of these.
bool Reader::header_line(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view key = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  if (key == "Members") {
    mode_ = Mode::members;
    current().has_members = true;
  } else if (key == "Type") {
    const bool has_members = current().has_members;
    IpSet set = empty_set(current().name, value, current().span);
    set.has_members = has_members;
    if (set.doubt) not_understood(whole_line(), set.doubt->why, nullptr);
    current() = std::move(set);
  } else if (key == "Header") {
    if (current().type != SetType::unknown) header_options(line.substr(colon + 1));
  } else if (key == "Number of entries") {
    entries_ = parse_decimal<std::uint32_t>(value);
  } else if (key != "Revision" && key != "Size in memory" && key != "References") {
    return false;
  }
  choose(current_name_);
  return true;
}

void Reader::member(std::string_view line) {
  ++members_;
  if (!current().is_known()) return state(LineState::not_supported);
  const auto words = splitter_.split(line);
  if (!words) return not_understood(place().span_of(words.error()), words.error().message, &current());
  if (words->empty()) return;
  const auto added = add_element(reading_.sets, current(), *words, place(), Lookup::later);
  if (!added) return not_understood(place().span_of(added.error()), added.error().message, &current());
  state(LineState::decides);
}

void Reader::end_listing() {
  if (mode_ == Mode::commands || !has_current()) return;
  IpSet& set = current();
  mode_ = Mode::commands;
  if (!set.has_members && entries_ == 0u) set.has_members = true;
  if (!set.is_known() || !entries_ || *entries_ == members_) return;
  const std::string message =
      fmt::format("set '{}' has {} entries by its heading, and {} {}: the listing is cut off",
                  shown(set.name), *entries_, members_, members_ == 1 ? "follows" : "follow");
  say(Severity::error, set.span, message, Effect::unknown);
  doubt(set, set.span, message);
}

// ---- the file -----------------------------------------------------------------------------------------

void Reader::take(std::string_view line, std::uint32_t begin) {
  begin_ = begin;
  end_ = begin + static_cast<std::uint32_t>(line.size());
  if (mode_ == Mode::members && is_plain_ && plain_element(line, begin)) {
    ++members_;
    return state(LineState::decides);
  }
  constexpr std::string_view add = "add ";
  const std::size_t after_name = add.size() + current_name_.size();
  if (is_plain_ && line.size() > after_name + 1 && line[after_name] == ' ' && line.starts_with(add) &&
      line.substr(add.size(), current_name_.size()) == current_name_ &&
      plain_element(line.substr(after_name + 1), begin))
    return state(LineState::decides);
  const std::string_view text = trimmed(line);
  if (text.empty()) {
    if (mode_ == Mode::members) end_listing();
    return;
  }
  if (line.size() > longest_line) {
    Words rough(text);
    rough.next();
    IpSet* const set = mode_ == Mode::members ? &current() : reading_.sets.named(rough.next());
    return not_understood(whole_line(),
                          fmt::format("a line of more than {} bytes is read as two", longest_line), set);
  }
  constexpr std::string_view name = "Name:";
  if (text.starts_with(name)) return start_listing(trimmed(text.substr(name.size())));
  if (mode_ == Mode::header) {
    if (header_line(text)) return state(LineState::decides);
    end_listing();
  }
  if (mode_ == Mode::members) return member(line);
  command(line);
}

// What stands twice. `ipset restore` stops there, unless the later one says -exist.
void Reader::join_equal_elements(IpSet& set) {
  auto& elements = set.elements;
  const auto pairs = elements.equal_pairs();
  for (const auto [first, later] : pairs) {
    Element one = elements[first];
    const Element& other = elements[later];
    if (other.exist) {
      elements.replace(first, other);
      continue;
    }
    const bool same = one.nomatch == other.nomatch && one.timeout == other.timeout;
    Span span{other.begin, other.begin, other.source};
    if (other.source == index_)
      span.end = other.begin + static_cast<std::uint32_t>(source_.line_at(other.begin).size());
    say(same ? Severity::warning : Severity::error, span,
        fmt::format("this element of '{}' stands there already{}; ipset restore stops here", shown(set.name),
                    one.nomatch != other.nomatch ? ", with another 'nomatch'"
                    : same                       ? ""
                                                 : ", with another timeout"),
        same ? Effect::none : Effect::unknown);
    one.doubtful = one.doubtful || one.nomatch != other.nomatch;
    one.timeout = std::max<std::uint32_t>(one.timeout, other.timeout) & 0xFFFFFF;
    elements.replace(first, one);
  }
  elements.erase_later(pairs);
  elements.shrink();
}

IpsetReading Reader::read() {
  const std::string_view text = source_.text();
  for (std::size_t begin = 0; begin < text.size(); ++line_) {
    const void* const end = std::memchr(text.data() + begin, '\n', text.size() - begin);
    const std::size_t size =
        end == nullptr ? text.size() - begin
                       : static_cast<std::size_t>(static_cast<const char*>(end) - text.data()) - begin;
    std::string_view line = text.substr(begin, size);
    if (line.ends_with('\r')) line.remove_suffix(1);
    take(line, static_cast<std::uint32_t>(begin));
    begin += size + 1;
  }
  end_listing();
  for (IpSet& set : reading_.sets.sets) join_equal_elements(set);
  reading_.sets.count_lists();
  return std::move(reading_);
}

}  // namespace

std::string_view ipset_form(std::string_view text) {
  constexpr int lines_looked_at = 50;
  for (int i = 0; i < lines_looked_at && !text.empty(); ++i) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    Words words(trimmed(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view first = words.next();
    if (first == "Name:" && !words.at_end() && text.starts_with("Type: ")) return "ipset list";
    if (first == "create" && !words.next().empty()) {
      const std::string_view type = words.next();
      if (set_type_named(type) || type.starts_with("hash:") || type.starts_with("bitmap:"))
        return "ipset save";
    }
  }
  return "";
}

Result<IpsetReading> read_ipsets(const Source& source, std::uint16_t source_index, IpSets before) {
  const std::string_view start = trimmed(source.text().substr(0, 4096));
  const auto refuse = [&](const char* what) {
    return fail(Error{.message = fmt::format("{} of ipset is not read", what),
                      .file = source.name(),
                      .line = 1,
                      .column = 1,
                      .hint = "export the sets with: ipset save"});
  };
  if (start.starts_with("<ipset") || start.starts_with("<?xml")) return refuse("the XML output");
  if (start.starts_with('[') || start.starts_with('{')) return refuse("the JSON output");
  return Reader(source, source_index, std::move(before)).read();
}

}  // namespace aclmend::iptables
