#include "sets/prefix_list.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace aclmend {
namespace {

struct Range {  // of one family
  Address first;
  Address last;
};

// ---- one entry ------------------------------------------------------------------------------------------

// What is wrong with an entry, and how many bytes into it.
struct Complaint {
  std::string message;
  std::size_t at = 0;
};
using Entry = std::expected<Range, Complaint>;

std::string quoted(std::string_view text) {
  constexpr std::size_t longest = 50;
  return text.size() <= longest ? fmt::format("'{}'", text) : fmt::format("'{}…'", text.substr(0, longest));
}

std::unexpected<Complaint> complain(std::string message, std::size_t at) {
  return std::unexpected(Complaint{std::move(message), at});
}

std::unexpected<Complaint> expected_an_entry(std::string_view found, std::size_t at) {
  return complain(fmt::format("expected an address, a prefix or a range, found {}", quoted(found)), at);
}

Entry range_entry(std::string_view text, std::size_t dash) {
  const std::string_view from = trimmed(text.substr(0, dash)), to = trimmed(text.substr(dash + 1));
  const std::size_t to_at = to.empty() ? dash + 1 : static_cast<std::size_t>(to.data() - text.data());
  const auto first = parse_address(from), last = parse_address(to);
  if (!first) return expected_an_entry(text, 0);
  if (!last) return complain(fmt::format("expected the range's last address, found {}", quoted(to)), to_at);
  if (first->family != last->family)
    return complain("the range begins in one family and ends in the other", to_at);
  if (*last < *first)
    return complain(fmt::format("the range ends before it begins, at {}", quoted(from)), to_at);
  return Range{*first, *last};
}

Entry prefix_entry(std::string_view text, std::size_t slash, HostBits host_bits) {
  const auto address = parse_address(text.substr(0, slash));
  if (!address) return expected_an_entry(text, 0);
  const std::string_view digits = text.substr(slash + 1);
  const auto length = parse_decimal<std::uint8_t>(digits);
  const int bits = address_bits(address->family);
  if (!length || *length > bits || (digits.size() > 1 && digits[0] == '0'))
    return complain(fmt::format("expected a prefix length, 0 to {}, found {}", bits, quoted(digits)),
                    slash + 1);
  const Prefix prefix = prefix_of(*address, *length);
  if (prefix.address != *address && host_bits == HostBits::refused)
    return complain(
        fmt::format("bits are set beyond the length: did you mean {} or {}? (--host-bits clear takes "
                    "the first)",
                    to_string(prefix), to_string(*address)),
        0);
  return Range{prefix.first(), prefix.last()};
}

// `text` is not empty and has no blanks at its ends.
Entry entry(std::string_view text, HostBits host_bits) {
  if (const std::size_t dash = text.find('-'); dash != std::string_view::npos) return range_entry(text, dash);
  if (const std::size_t slash = text.find('/'); slash != std::string_view::npos)
    return prefix_entry(text, slash, host_bits);
  const auto address = parse_address(text);
  if (!address) return expected_an_entry(text, 0);
  return Range{*address, *address};
}

// ---- one line -------------------------------------------------------------------------------------------

// The short way for the lines that nearly all lists are made of: an IPv4 address, perhaps "/" and a length,
// then at once the end of the line. Anything else, right or wrong, is nullopt and goes the long way.
struct Quick {
  Interval<V4> interval;
  std::size_t length;  // of the line, without its LF
};
std::optional<Quick> quick_v4(std::string_view text) {
  const auto [number, scanned] = scan_v4(text);
  if (scanned == 0) return std::nullopt;
  std::size_t at = scanned;
  int length = 32;
  if (at < text.size() && text[at] == '/') {
    const auto digit = [&] { return at < text.size() && text[at] >= '0' && text[at] <= '9'; };
    ++at;
    if (!digit()) return std::nullopt;
    length = text[at++] - '0';
    if (length != 0 && digit()) length = 10 * length + (text[at++] - '0');
  }
  if (at < text.size() && text[at] == '\r') ++at;
  if (at < text.size() && text[at] != '\n') return std::nullopt;
  if (length > 32) return std::nullopt;
  const V4 beyond = ~netmask(length);
  if ((number & beyond) != 0) return std::nullopt;
  return Quick{{number, number | beyond}, at};
}

// An entry and what stands around it: blanks, a comment, CR.
std::string_view without_comment(std::string_view line) { return trimmed(line.substr(0, line.find('#'))); }

// Walks the lines of a list. on_v4(interval, line) and on_range(range, line) get the entries.
template <class OnV4, class OnRange>
std::optional<Error> each_entry(const Source& list, HostBits host_bits, OnV4 on_v4, OnRange on_range) {
  const std::string_view all = list.text();
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  std::size_t at = all.starts_with(byte_order_mark) ? byte_order_mark.size() : 0;
  while (at < all.size()) {
    const std::string_view rest = all.substr(at);
    if (const auto quick = quick_v4(rest)) {
      on_v4(quick->interval, rest.substr(0, quick->length));
      at += quick->length + 1;
      continue;
    }
    const std::string_view line = rest.substr(0, rest.find('\n'));
    at += line.size() + 1;
    const std::string_view text = without_comment(line);
    if (text.empty()) continue;
    const Entry range = entry(text, host_bits);
    if (!range) {
      const auto offset = static_cast<std::size_t>(text.data() - all.data()) + range.error().at;
      const Position place = list.position(static_cast<std::uint32_t>(offset));
      return Error{range.error().message, list.name(), place.line, place.column};
    }
    on_range(*range, line);
  }
  return std::nullopt;
}

// ---- many entries ---------------------------------------------------------------------------------------

// Intervals on their way into a set. They are folded into it whenever they outnumber what it holds, so that a
// list which says the same a hundred million times needs no more memory than its set (and a little).
template <class Point>
class Gathering {
 public:
  explicit Gathering(std::size_t expected) { pending_.reserve(std::min(expected, room)); }
  void add(Point first, Point last) {
    if (pending_.size() >= std::max(room, set_.interval_count())) fold();
    pending_.push_back({first, last});
  }
  FlipSet<Point> take() {
    fold();
    return std::move(set_);
  }

 private:
  static constexpr std::size_t room = 1 << 20;
  void fold() {
    auto more = FlipSet<Point>::of(std::exchange(pending_, {}));
    set_ = set_.empty() ? std::move(more) : set_ | more;
  }
  std::vector<Interval<Point>> pending_;
  FlipSet<Point> set_;
};

// ---- printing -------------------------------------------------------------------------------------------

// Lines collected in a small buffer that stays in the cache, and appended to the text when it is full.
class ListText {
 public:
  explicit ListText(std::size_t expected) { text_.reserve(expected); }
  void add(Address network, int length) {
    if (size_ + longest_line > buffer_.size()) flush();
    char* to = write(buffer_.data() + size_, network);
    if (length < address_bits(network.family)) {
      *to++ = '/';
      to = fmt::format_to(to, FMT_COMPILE("{}"), length);
    }
    *to++ = '\n';
    size_ = static_cast<std::size_t>(to - buffer_.data());
  }
  std::string take() {
    flush();
    return std::move(text_);
  }

 private:
  static constexpr std::size_t longest_line = longest_address + 5;  // "/128" and LF
  void flush() {
    text_.append(buffer_.data(), size_);
    size_ = 0;
  }
  std::array<char, 16384> buffer_;
  std::size_t size_ = 0;
  std::string text_;
};

std::string decimal(V6 number) {
  std::string digits;
  do digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(number % 10)));
  while ((number /= 10) != 0);
  return digits;
}

}  // namespace

Result<PrefixList> read_prefix_list(const Source& list, HostBits host_bits) {
  constexpr std::size_t shortest_v4_line = 8;  // "1.1.1.1" and LF
  Gathering<V4> four(list.text().size() / shortest_v4_line + 1);
  Gathering<V6> six(0);
  std::uint32_t entries = 0;
  const auto error = each_entry(
      list, host_bits,
      [&](const Interval<V4>& interval, std::string_view) {
        ++entries;
        four.add(interval.first, interval.last);
      },
      [&](const Range& range, std::string_view) {
        ++entries;
        if (range.first.is_v4()) four.add(range.first.as_v4(), range.last.as_v4());
        else six.add(range.first.number, range.last.number);
      });
  if (error) return fail(*error);
  return PrefixList{{four.take(), six.take()}, entries};
}

Result<std::uint32_t> each_prefix(const Source& list, HostBits host_bits,
                                  const std::function<void(const Prefix&)>& on_prefix) {
  std::uint32_t entries = 0;
  const auto error = each_entry(
      list, host_bits,
      [&](const Interval<V4>& interval, std::string_view) {
        ++entries;
        each_minimal_prefix(interval.first, interval.last,
                            [&](V4 network, int length) { on_prefix({Address::v4(network), length}); });
      },
      [&](const Range& range, std::string_view) {
        ++entries;
        for (const Prefix& prefix : minimal_prefixes(range.first, range.last)) on_prefix(prefix);
      });
  if (error) return fail(*error);
  return entries;
}

Result<AddressSet> read_entry(std::string_view text, HostBits host_bits) {
  const Entry range = entry(trimmed(text), host_bits);
  if (!range) return fail(range.error().message);
  return AddressSet(range->first, range->last);
}

Result<FoundLines> lines_within(const AddressSet& set, const Source& list, HostBits host_bits) {
  FoundLines found;
  const auto take = [&](bool is_within, std::string_view line) {
    ++found.entries;
    if (is_within) (found.text += line) += '\n';
  };
  const auto error = each_entry(
      list, host_bits,
      [&](const Interval<V4>& interval, std::string_view line) { take(set.v4.covers(interval), line); },
      [&](const Range& range, std::string_view line) {
        take(set.covers(AddressSet(range.first, range.last)), line);
      });
  if (error) return fail(*error);
  return found;
}

std::string to_list(const AddressSet& set) {
  constexpr std::size_t usual_v4_text = 32;  // an interval is mostly one or two lines
  ListText text(usual_v4_text * set.v4.interval_count());
  const auto add_all = [&](const auto& family_set, Family family) {
    for (std::size_t i = 0; i < family_set.interval_count(); ++i) {
      const auto interval = family_set.interval(i);
      each_minimal_prefix(interval.first, interval.last,
                          [&](auto network, int length) { text.add({family, network}, length); });
    }
  };
  add_all(set.v4, Family::ipv4);
  add_all(set.v6, Family::ipv6);
  return text.take();
}

std::string address_count(const FlipSet<V6>& set) {
  if (set.is_all()) return "340282366920938463463374607431768211456";  // 2^128
  V6 count = 0;
  for (std::size_t i = 0; i < set.interval_count(); ++i)
    count += set.interval(i).last - set.interval(i).first + 1;
  return decimal(count);
}

std::string address_count(const FlipSet<V4>& set) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < set.interval_count(); ++i)
    count += std::uint64_t{set.interval(i).last} - set.interval(i).first + 1;
  return fmt::format("{}", count);
}

}  // namespace aclmend
