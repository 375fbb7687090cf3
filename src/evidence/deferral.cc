// The grammar of Exchange's error texts:
//   Reason: [{LED=450 4.4.316 Connection refused [Message=Socket error code 10061]
//   [LastAttemptedServerName=…] [LastAttemptedIP=a.b.c.d:25] [SmtpSecurity=n;n] [EOP-HOST TIME
//   SESSION]};{MSG=…};{FQDN=…};{IP=…};{LRT=…}]. OutboundProxyTargetIP: …. OutboundProxyTargetHostName: …
// Every part can be missing or empty, and the text is often cut off in the middle.
#include <algorithm>

#include "base/text.h"
#include "evidence/readers.h"
#include "evidence/result.h"
#include "evidence/vocabulary.h"

namespace aclmend::evidence {
namespace {

constexpr std::size_t longest_text = 16 << 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Status {
  std::size_t begin = 0, end = 0;
  std::string_view reply, status;
};

// "4.4.316" at a place: class 2, 4 or 5, two numbers of at most three digits, and no further number behind.
std::string_view status_at(std::string_view text, std::size_t at) {
  if (at + 5 > text.size() || std::string_view("245").find(text[at]) == std::string_view::npos) return {};
  std::size_t end = at + 1;
  for (int part = 0; part < 2; ++part) {
    if (end >= text.size() || text[end] != '.') return {};
    const std::size_t begin = ++end;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == begin || end - begin > 3) return {};
  }
  const bool goes_on = end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1]);
  return goes_on ? std::string_view{} : text.substr(at, end - at);
}

// A reply code with a status ("450 4.4.316", "451-4.7.23"; "550 4.4.7" of what was given up), or a status
// alone that is a known word.
std::optional<Status> find_status(std::string_view text, std::size_t from = 0) {
  for (std::size_t dot = text.find('.', from); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
    if (dot < from + 1) continue;
    const std::size_t at = dot - 1;
    if (at > 0 && (is_digit(text[at - 1]) || text[at - 1] == '.')) continue;
    const std::string_view status = status_at(text, at);
    if (status.empty()) continue;
    if (at >= 4 && (text[at - 1] == ' ' || text[at - 1] == '-') && is_digit(text[at - 2]) &&
        is_digit(text[at - 3]) && (text[at - 4] == status[0] || (text[at - 4] == '5' && status[0] == '4')) &&
        (at == 4 || !is_digit(text[at - 5])))
      return Status{at - 4, at + status.size(), text.substr(at - 4, 3), status};
    const bool is_alone =
        at == 0 || std::string_view(" \t(\"'[{=:;,#").find(text[at - 1]) != std::string_view::npos;
    if (is_alone && status.size() >= 5 && word_named(status) != nullptr)
      return Status{at, at + status.size(), {}, status};
  }
  return std::nullopt;
}

// What stands behind a key up to what closes it; brackets inside are balanced; a cut text ends where it ends.
std::string_view behind(std::string_view text, std::string_view key, char opens, char closes) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + key.size());
  std::size_t depth = 0;
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == opens) ++depth;
    if (rest[i] == closes && depth-- == 0) return trimmed(rest.substr(0, i));
  }
  return trimmed(rest);
}
std::string_view in_brackets(std::string_view text, std::string_view key) {
  return behind(text, key, '[', ']');
}
std::string_view in_braces(std::string_view text, std::string_view key) {
  return behind(text, key, '{', '}');
}

// "OutboundProxyTargetIP: 203.0.113.25. OutboundProxyTargetHostName: mail.contoso.com"
std::string_view sentence(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  std::string_view word = trimmed(text.substr(at + key.size()));
  word = word.substr(0, word.find_first_of(" \t\r\n\"'<"));
  while (word.ends_with('.') || word.ends_with(',') || word.ends_with(']')) word.remove_suffix(1);
  return word;
}

std::uint32_t number_behind(std::string_view text, std::string_view words) {
  const std::size_t at = text.find(words);
  if (at == std::string_view::npos) return 0;
  std::string_view rest = text.substr(at + words.size());
  rest.remove_prefix(std::min(rest.find_first_not_of(" :"), rest.size()));
  const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
  return parse_decimal<std::uint32_t>(rest.substr(0, digits)).value_or(0);
}

std::uint32_t socket_error_in(std::string_view text) {
  for (const std::string_view words :
       {"ocket error code", "insock error code", "in32 error code", "ocketError"})
    if (const std::uint32_t number = number_behind(text, words); number > 0) return number;
  struct Named {
    std::string_view word;
    std::uint32_t number;
  };
  // .NET's names of them, as Exchange prints them.
  constexpr Named named[] = {{"ConnectionRefused", 10061}, {"TimedOut", 10060},
                             {"ConnectionReset", 10054},   {"ConnectionAborted", 10053},
                             {"HostUnreachable", 10065},   {"NetworkUnreachable", 10051},
                             {"HostNotFound", 11001}};
  for (const auto& [word, number] : named)
    if (text.find(word) != std::string_view::npos) return number;
  return 0;
}

// "[DM6NAM12FT012.eop-nam12.prod.protection.outlook.com 2023-03-07T18:46:06.378Z 08DB1DF24DB12D84]"
void put_stamp(Deferral& deferral, std::string_view text) {
  for (std::size_t at = text.find('['); at != std::string_view::npos; at = text.find('[', at + 1)) {
    constexpr std::size_t longest_stamp = 320;
    const std::string_view inside = text.substr(at + 1, longest_stamp);
    const std::size_t blank = inside.find(' ');
    if (blank == std::string_view::npos || inside.substr(0, blank).find('.') == std::string_view::npos)
      continue;
    const ScannedMoment stamp = scan_iso(inside.substr(blank + 1));
    if (stamp.length == 0) continue;
    deferral.sender = inside.substr(0, blank);
    deferral.when = stamp.moment;
    return;
  }
}

void put_target(Deferral& deferral, std::string_view text) {
  for (const std::string_view candidate :
       {in_brackets(text, "[LastAttemptedIP="), in_braces(text, "{IP="),
        sentence(text, "OutboundProxyTargetIP:"), sentence(text, "last endpoint attempted was ")}) {
    const LogEndpoint endpoint = log_endpoint(candidate);
    if (!endpoint.address) continue;
    deferral.address = endpoint.address;
    deferral.port = endpoint.port.value_or(0);
    break;
  }
  for (const std::string_view candidate :
       {in_brackets(text, "[LastAttemptedServerName="), in_braces(text, "{Last attempted server name="),
        in_braces(text, "{FQDN="), sentence(text, "OutboundProxyTargetHostName:")}) {
    if (candidate.empty()) continue;
    deferral.host = candidate;
    break;
  }
}

}  // namespace

std::optional<Deferral> parse_deferral(std::string_view text) {
  text = text.substr(0, longest_text);
  const std::size_t led = text.find("LED=");
  auto status = find_status(text, led == std::string_view::npos ? 0 : led);
  if (!status && led == std::string_view::npos) return std::nullopt;
  Deferral deferral;
  if (status) {
    deferral.reply = status->reply;
    deferral.status = status->status;
    const std::string_view rest = text.substr(status->end);
    const std::size_t end =
        std::min({rest.find('['), rest.find('{'), rest.find('}'), rest.find_first_of("\r\n"), rest.size()});
    deferral.text = trimmed(rest.substr(0, end));
    while (deferral.text.starts_with('-') || deferral.text.starts_with(':') || deferral.text.starts_with(' '))
      deferral.text.remove_prefix(1);
    while (deferral.text.ends_with('\'') || deferral.text.ends_with('"')) deferral.text.remove_suffix(1);
  }
  deferral.message = in_brackets(text, "[Message=");
  if (deferral.message.empty()) deferral.message = in_braces(text, "{MSG=");
  const std::string_view inside =
      deferral.message.empty() && status ? text.substr(status->end) : deferral.message;
  if (const auto inner = find_status(inside)) {
    // "451 4.4.0 Primary target … "451 5.7.3 STARTTLS is required…"": the innermost is the reason.
    deferral.inner = inner->status;
    if (const auto innermost = find_status(inside, inner->end)) deferral.inner = innermost->status;
  }
  deferral.socket_error = socket_error_in(text);
  deferral.smtp_security = in_brackets(text, "[SmtpSecurity=");
  put_stamp(deferral, text);
  put_target(deferral, text);
  if (const ScannedMoment retry = scan_local(in_braces(text, "{LRT=")); retry.length > 0)
    deferral.last_retry = retry.moment;
  deferral.is_expired = text.find("essage expired") != std::string_view::npos;
  return deferral;
}

Record record_of(const Deferral& deferral) {
  Record record;
  const bool is_final = deferral.reply.starts_with('5') || deferral.is_expired ||
                        (deferral.reply.empty() && deferral.status.starts_with('5'));
  record.kind = is_final ? Kind::fail : Kind::defer;
  record.source = is_final ? "ndr" : "deferral";
  record.is_new = New::unknown;
  record.time = deferral.when ? deferral.when : deferral.last_retry;
  record.dst = deferral.address;
  if (deferral.port != 0) record.dport = deferral.port;
  record.protocol = deferral.address ? std::optional(protocol::tcp) : std::nullopt;
  record.code = deferral.status;
  record.detail = deferral.message.empty() ? deferral.text : deferral.message;
  record.deferral = &deferral;
  return record;
}

}  // namespace aclmend::evidence
