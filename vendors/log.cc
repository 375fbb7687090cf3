#include "vendors/log.h"

#include <algorithm>

#include "base/text.h"

namespace aclmend::evidence {
namespace {

constexpr unsigned deepest = 16;  // JSON inside JSON

// A cursor over one JSON object; `ok` falls once and for all where the text is none.
class JsonWalk {
 public:
  using Member = std::function<void(std::string_view, std::string_view)>;
  JsonWalk(std::string_view text, const Member& member) : text_(text), member_(member) {}

  bool run() {
    blanks();
    return peek() == '{' && object(0) && ok_;
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void blanks() {
    while (peek() == ' ' || peek() == '\t') ++at_;
  }

  bool object(unsigned depth) {
    if (depth > deepest || !take('{')) return false;
    blanks();
    if (take('}')) return true;
    const std::size_t above = path_.size();
    while (true) {
      blanks();
      const auto name = text();
      if (!name) return false;
      if (above > 0) path_ += '.';
      path_ += *name;
      blanks();
      if (!take(':')) return false;
      blanks();
      if (!value(depth)) return false;
      path_.resize(above);
      blanks();
      if (take('}')) return true;
      if (!take(',')) return false;
    }
  }
  // Members of arrays have the array's own path.
  bool array(unsigned depth) {
    if (depth > deepest || !take('[')) return false;
    blanks();
    if (take(']')) return true;
    while (true) {
      blanks();
      if (!value(depth)) return false;
      blanks();
      if (take(']')) return true;
      if (!take(',')) return false;
    }
  }
  bool value(unsigned depth) {
    if (peek() == '{') return object(depth + 1);
    if (peek() == '[') return array(depth + 1);
    if (peek() == '"') {
      const auto its = text();
      if (its) member_(path_, *its);
      return its.has_value();
    }
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::string_view(",}] \t").find(text_[at_]) == std::string_view::npos) ++at_;
    if (at_ == begin) return false;
    member_(path_, text_.substr(begin, at_ - begin));
    return true;
  }
  std::optional<std::string_view> text() {
    if (!take('"')) return std::nullopt;
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\') ++at_;
    if (peek() == '"') return text_.substr(begin, at_++ - begin);
    unescaped_.assign(text_.substr(begin, at_ - begin));
    while (at_ < text_.size() && text_[at_] != '"') {
      if (text_[at_] != '\\') unescaped_ += text_[at_++];
      else if (!escape()) return std::nullopt;
    }
    return take('"') ? std::optional<std::string_view>(unescaped_) : std::nullopt;
  }
  bool escape() {
    ++at_;
    const char c = peek();
    ++at_;
    constexpr std::string_view from = "nrtbf", to = "\n\r\t\b\f";
    if (c == '"' || c == '\\' || c == '/') return unescaped_ += c, true;
    if (const std::size_t known = from.find(c); c != '\0' && known != std::string_view::npos)
      return unescaped_ += to[known], true;
    if (c != 'u' || at_ + 4 > text_.size()) return false;
    unsigned unit = 0;
    const auto [end, status] = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, unit, 16);
    if (status != std::errc{} || end != text_.data() + at_ + 4) return false;
    at_ += 4;
    // Beyond ASCII nothing is looked for here.
    unescaped_ += unit < 0x80 ? static_cast<char>(unit) : '?';
    return true;
  }

  std::string_view text_;
  const Member& member_;
  std::size_t at_ = 0;
  bool ok_ = true;
  std::string path_, unescaped_;
};

}  // namespace

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::drop: return "drop";
    case Kind::allow: return "allow";
    case Kind::connect: return "connect";
    case Kind::defer: return "defer";
    case Kind::fail: return "fail";
    case Kind::other: return "other";
  }
  return "";
}

std::string_view to_string(New is_new) {
  switch (is_new) {
    case New::yes: return "yes";
    case New::no: return "no";
    case New::unknown: return "unknown";
  }
  return "";
}

std::string_view to_string(Dropper dropper) {
  switch (dropper) {
    case Dropper::none: return "";
    case Dropper::rules: return "rules";
    case Dropper::translation: return "translation";
    case Dropper::routing: return "routing";
    case Dropper::inspection: return "inspection";
    case Dropper::other: return "other";
  }
  return "";
}

std::string_view to_string(Tls tls) {
  switch (tls) {
    case Tls::none: return "";
    case Tls::offered: return "offered";
    case Tls::not_offered: return "not offered";
    case Tls::started: return "started";
    case Tls::certificate: return "certificate sent";
    case Tls::negotiated: return "negotiated";
    case Tls::failed: return "failed";
    case Tls::no_certificate: return "no certificate from the peer";
  }
  return "";
}

std::optional<Address> log_address(std::string_view text) {
  if (const ScannedV4 v4 = scan_v4(text); v4.length > 0 && v4.length == text.size())
    return Address::v4(v4.number);
  if (text.find(':') == std::string_view::npos) return std::nullopt;
  auto address = parse_address(text.substr(0, text.find('%')));  // a zone names an interface of the device
  if (address && !address->is_v4() && address->number >> 32 == 0xFFFF)
    address = Address::v4(static_cast<V4>(address->number));
  return address;
}

std::optional<std::uint16_t> log_port(std::string_view text) {
  if (!text.empty() && text[0] >= '0' && text[0] <= '9') return parse_decimal<std::uint16_t>(text);
  struct Named {
    std::string_view name;
    std::uint16_t port;
  };
  constexpr Named named[] = {{"smtp", 25},  {"ssh", 22},    {"telnet", 23}, {"https", 443}, {"www", 80},
                             {"http", 80},  {"domain", 53}, {"snmp", 161},  {"ldap", 389},  {"imap4", 143},
                             {"pop3", 110}, {"ftp", 21},    {"ntp", 123},   {"ssl", 443},   {"syslog", 514}};
  const auto known = std::ranges::find(named, text, &Named::name);
  return known == std::end(named) ? std::nullopt : std::optional(known->port);
}

std::optional<std::uint8_t> log_protocol(std::string_view text) {
  const auto is = [&](std::string_view name) {
    return text.size() == name.size() && std::ranges::equal(text, name, {}, [](char c) {
             return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
           });
  };
  if (is("tcp")) return protocol::tcp;
  if (is("udp")) return protocol::udp;
  if (is("icmpv6") || is("ipv6-icmp")) return protocol::icmp6;
  return protocol_number(text);
}

LogEndpoint log_endpoint(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t closes = text.find(']');
    if (closes == std::string_view::npos) return {};
    const std::string_view behind = text.substr(closes + 1);
    return {log_address(text.substr(1, closes - 1)),
            behind.starts_with(':') ? log_port(behind.substr(1)) : std::nullopt};
  }
  if (const ScannedV4 v4 = scan_v4(text); v4.length > 0) {
    if (v4.length == text.size()) return {Address::v4(v4.number), std::nullopt};
    if (text[v4.length] == ':') return {Address::v4(v4.number), log_port(text.substr(v4.length + 1))};
    return {};
  }
  return {log_address(text), std::nullopt};
}

std::optional<Moment> EnvelopeClock::at(std::string_view envelope) {
  if (envelope != last_ || envelope.empty()) {
    constexpr std::size_t longest = 512;
    time_ = find_moment(envelope.substr(0, longest), newest_);
    last_.assign(envelope);
  }
  return time_;
}

bool each_json_member(std::string_view line,
                      const std::function<void(std::string_view path, std::string_view value)>& member) {
  return JsonWalk(line, member).run();
}

}  // namespace aclmend::evidence
