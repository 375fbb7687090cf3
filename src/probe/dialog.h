// The SMTP conversation of a probe without a socket: bytes in, bytes to send out. It says EHLO, STARTTLS,
// EHLO, QUIT, and never DATA; with `recipient` also MAIL FROM:<>, RCPT TO, RSET, inside TLS alone. RFC 5321,
// RFC 3207. The server is taken to be hostile: a reply has bounds, and what comes out of turn is thrown away
// and told.
#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend::probe {

inline constexpr std::size_t longest_line = 2048;  // RFC 5321 4.5.3.1.5 says 512
inline constexpr std::size_t most_lines = 128;
inline constexpr std::size_t longest_reply = 64 * 1024;

struct Reply {
  int code = 0;
  std::vector<std::string> lines;  // what stands behind the code; any bytes at all
  bool has_bare_lf = false;        // a line ended without CR
};
std::string first_line(const Reply& reply);  // "421 4.3.2 too busy"
// "SIZE 36700160" → this word, in any case, begins a line of the reply to EHLO after the first.
bool offers(const Reply& reply, std::string_view keyword);

// Takes bytes until a whole reply is there.
class ReplyReader {
 public:
  // None: more is needed. An unexpected text: this is no SMTP reply, or none that has an end.
  std::expected<std::optional<Reply>, std::string> take(std::string_view bytes);
  std::size_t pending() const {
    return buffer_.size();
  }  // bytes behind the last reply, or of an unfinished one
  std::string discard();  // gives them back, and forgets them

 private:
  std::string buffer_;
  std::size_t taken_ = 0;
  Reply reply_;
};

enum class Stage : std::uint8_t {
  greeting,
  ehlo,
  helo,
  starttls,
  handshake,
  ehlo_in_tls,
  mail,
  rcpt,
  rset,
  quit,
  done
};
std::string_view to_string(Stage stage);  // "the greeting", "the reply to EHLO"

// What to do next.
struct Action {
  enum class Kind : std::uint8_t { read, send, start_tls, end };
  Kind kind = Kind::read;
  std::string bytes{};  // to send, in one write: inspecting firewalls mask what comes byte by byte
};

struct DialogOptions {
  std::string own_name;   // argument of EHLO
  std::string recipient;  // empty: stop before any mail
};

// What was said, as far as it went.
struct Heard {
  std::optional<Reply> banner, ehlo, helo, starttls, ehlo_in_tls, mail, rcpt;
  std::string fault;  // what made no sense, one clause; the dialog ended there
  Stage fault_at = Stage::done;
  std::string out_of_turn;  // bytes that came before they were asked for, thrown away; the first 200
  std::string
      after_starttls;  // such bytes behind the 220 that answers STARTTLS: injected, or a broken server
};

class Dialog {
 public:
  explicit Dialog(DialogOptions options);
  Action receive(std::string_view bytes);
  Action secured();  // TLS is up

  Stage stage() const { return stage_; }
  const Heard& heard() const { return heard_; }

 private:
  Action answer(Reply reply);
  Action say(Stage next, std::string command);
  Action after_ehlo();
  Action leave();
  void throw_away(std::string& where);

  DialogOptions options_;
  Stage stage_ = Stage::greeting;
  ReplyReader reader_;
  Heard heard_;
};

}  // namespace aclmend::probe
