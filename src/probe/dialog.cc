#include "probe/dialog.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace aclmend::probe {
namespace {

constexpr std::size_t most_kept = 200;  // of bytes that have no place in the dialog

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string excerpt(std::string_view bytes) {
  return fmt::format("'{}'{}", printable(bytes.substr(0, 60)), bytes.size() > 60 ? "…" : "");
}

// What speaks there, where it is not SMTP.
std::string not_smtp(std::string_view line) {
  if (line.size() >= 2 && (line[0] == '\x15' || line[0] == '\x16') && line[1] == '\x03')
    return "not SMTP: the port speaks TLS at once";
  if (line.starts_with("HTTP/")) return "not SMTP: a web server answers";
  if (line.starts_with("SSH-")) return "not SMTP: an SSH server answers";
  return fmt::format("not SMTP: expected a reply such as '220 mail.contoso.com', found {}", excerpt(line));
}

// RFC 5321 4.2: the first digit 2 to 5, the second 0 to 5.
bool begins_with_code(std::string_view line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '5' &&
         is_digit(line[2]) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

int code_of(std::string_view line) { return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0'); }

}  // namespace

std::string first_line(const Reply& reply) {
  const std::string text = reply.lines.empty() ? "" : reply.lines.front();
  return text.empty() ? std::to_string(reply.code) : fmt::format("{} {}", reply.code, text);
}

bool offers(const Reply& reply, std::string_view keyword) {
  const std::string wanted = lower(keyword);
  return std::ranges::any_of(reply.lines.begin() + std::min<std::ptrdiff_t>(1, std::ssize(reply.lines)),
                             reply.lines.end(), [&](const std::string& line) {
                               return lower(std::string_view(line).substr(0, line.find(' '))) == wanted;
                             });
}

std::expected<std::optional<Reply>, std::string> ReplyReader::take(std::string_view bytes) {
  buffer_ += bytes;
  while (true) {
    const std::size_t end = buffer_.find('\n');
    if (end == std::string::npos) {
      if (buffer_.size() >= 3 && !begins_with_code(buffer_.substr(0, 4)))
        return std::unexpected(not_smtp(buffer_));
      if (buffer_.size() > longest_line)
        return std::unexpected(fmt::format("a line of more than {} bytes, without an end", longest_line));
      return std::nullopt;
    }
    if (end > longest_line) return std::unexpected(fmt::format("a line of more than {} bytes", longest_line));
    taken_ += end + 1;
    std::string_view line = std::string_view(buffer_).substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    else reply_.has_bare_lf = true;
    if (!begins_with_code(line)) return std::unexpected(not_smtp(line));
    if (!reply_.lines.empty() && code_of(line) != reply_.code)
      return std::unexpected(fmt::format("one reply with two codes, {} and {}", reply_.code, code_of(line)));
    if (reply_.lines.size() == most_lines || taken_ > longest_reply)
      return std::unexpected(
          fmt::format("a reply of more than {} lines or {} KiB", most_lines, longest_reply / 1024));
    reply_.code = code_of(line);
    reply_.lines.emplace_back(line.size() > 4 ? line.substr(4) : "");
    const bool is_last = line.size() == 3 || line[3] == ' ';
    buffer_.erase(0, end + 1);
    if (!is_last) continue;
    taken_ = 0;
    return std::exchange(reply_, {});
  }
}

std::string ReplyReader::discard() { return std::exchange(buffer_, {}); }

std::string_view to_string(Stage stage) {
  switch (stage) {
    case Stage::greeting: return "the greeting";
    case Stage::ehlo: return "the reply to EHLO";
    case Stage::helo: return "the reply to HELO";
    case Stage::starttls: return "the reply to STARTTLS";
    case Stage::handshake: return "the TLS handshake";
    case Stage::ehlo_in_tls: return "the reply to EHLO inside TLS";
    case Stage::mail: return "the reply to MAIL FROM";
    case Stage::rcpt: return "the reply to RCPT TO";
    case Stage::rset: return "the reply to RSET";
    case Stage::quit: return "the reply to QUIT";
    case Stage::done: return "the end";
  }
  return "";
}

Dialog::Dialog(DialogOptions options) : options_(std::move(options)) {}

Action Dialog::receive(std::string_view bytes) {
  if (stage_ == Stage::done || stage_ == Stage::handshake) return {Action::Kind::end};
  auto reply = reader_.take(bytes);
  if (!reply) {
    if (stage_ != Stage::quit) {
      heard_.fault = std::move(reply.error());
      heard_.fault_at = stage_;
    }
    stage_ = Stage::done;
    return {Action::Kind::end};
  }
  if (!*reply) return {Action::Kind::read};
  return answer(std::move(**reply));
}

Action Dialog::secured() {
  if (stage_ != Stage::handshake) return {Action::Kind::end};
  reader_ = {};  // RFC 3207 4.2: what was learnt before TLS is forgotten
  return say(Stage::ehlo_in_tls, fmt::format("EHLO {}", options_.own_name));
}

void Dialog::throw_away(std::string& where) {
  const std::string bytes = reader_.discard();
  where += bytes.substr(0, most_kept - std::min(most_kept, where.size()));
}

// Each command is one write. What already lies there was said before it was asked for: it must not be taken
// for the answer.
Action Dialog::say(Stage next, std::string command) {
  throw_away(heard_.out_of_turn);
  stage_ = next;
  return {Action::Kind::send, std::move(command) + "\r\n"};
}

Action Dialog::leave() { return say(Stage::quit, "QUIT"); }

Action Dialog::after_ehlo() {
  if (offers(*heard_.ehlo, "STARTTLS")) return say(Stage::starttls, "STARTTLS");
  return leave();
}

Action Dialog::answer(Reply reply) {
  const int kind = reply.code / 100;
  const bool is_closing = reply.code == 421 && stage_ != Stage::quit;
  const Stage answered = stage_;
  if (is_closing) stage_ = Stage::done;  // it closes by itself
  switch (answered) {
    case Stage::greeting: heard_.banner = std::move(reply); break;
    case Stage::ehlo: heard_.ehlo = std::move(reply); break;
    case Stage::helo: heard_.helo = std::move(reply); break;
    case Stage::starttls: heard_.starttls = std::move(reply); break;
    case Stage::ehlo_in_tls: heard_.ehlo_in_tls = std::move(reply); break;
    case Stage::mail: heard_.mail = std::move(reply); break;
    case Stage::rcpt: heard_.rcpt = std::move(reply); break;
    case Stage::rset:
    case Stage::quit:
    case Stage::handshake:
    case Stage::done: break;
  }
  if (is_closing) return {Action::Kind::end};
  switch (answered) {
    case Stage::greeting:
      return heard_.banner->code == 220 ? say(Stage::ehlo, fmt::format("EHLO {}", options_.own_name))
                                        : leave();
    case Stage::ehlo:
      if (kind == 2) return after_ehlo();
      return kind == 5 ? say(Stage::helo, fmt::format("HELO {}", options_.own_name)) : leave();
    case Stage::starttls:
      if (heard_.starttls->code != 220) return leave();
      throw_away(heard_.after_starttls);
      stage_ = Stage::handshake;
      return {Action::Kind::start_tls};
    case Stage::ehlo_in_tls:
      if (kind != 2 || options_.recipient.empty()) return leave();
      return say(Stage::mail, "MAIL FROM:<>");
    case Stage::mail:
      return kind == 2 ? say(Stage::rcpt, fmt::format("RCPT TO:<{}>", options_.recipient)) : leave();
    case Stage::rcpt: return say(Stage::rset, "RSET");
    case Stage::helo:
    case Stage::rset: return leave();
    case Stage::quit:
    case Stage::handshake:
    case Stage::done: break;
  }
  stage_ = Stage::done;
  return {Action::Kind::end};
}

}  // namespace aclmend::probe
