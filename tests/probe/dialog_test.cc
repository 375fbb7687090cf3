// The dialog without sockets: what it says, when, and what it makes of hostile replies.
#include "probe/dialog.h"

#include <algorithm>

#include "probe/inspection.h"
#include "tests/support/test.h"

using namespace aclmend::probe;
using Kind = Action::Kind;

namespace {

// Plays a server's lines against the dialog; gives back what was sent, with "<tls>" where TLS began.
struct Played {
  std::string sent;
  Heard heard;
  Stage stage = Stage::greeting;
};

Played play(const std::vector<std::string>& replies, DialogOptions options = {"[192.0.2.1]", ""}) {
  Dialog dialog(std::move(options));
  Played played;
  for (const std::string& reply : replies) {
    Action action = dialog.receive(reply);
    if (action.kind == Kind::start_tls) {
      played.sent += "<tls> ";
      action = dialog.secured();
    }
    if (action.kind == Kind::send) played.sent += action.bytes.substr(0, action.bytes.find('\r')) + " | ";
    if (action.kind == Kind::end) break;
  }
  played.heard = dialog.heard();
  played.stage = dialog.stage();
  return played;
}

const std::string greeting = "220 mail.lab.test ESMTP\r\n";
const std::string ehlo = "250-mail.lab.test\r\n250-SIZE 100\r\n250 STARTTLS\r\n";
const std::string plain_ehlo = "250-mail.lab.test\r\n250 SIZE 100\r\n";
const std::string bye = "221 bye\r\n";

}  // namespace

TEST_CASE("the dialog says EHLO, STARTTLS, EHLO, QUIT and nothing else", "[probe][dialog]") {
  const Played played = play({greeting, ehlo, "220 go\r\n", plain_ehlo, bye});
  CHECK(played.sent == "EHLO [192.0.2.1] | STARTTLS | <tls> EHLO [192.0.2.1] | QUIT | ");
  CHECK(played.stage == Stage::done);
  CHECK(played.heard.fault.empty());
  CHECK(played.heard.ehlo_in_tls->lines.size() == 2);
}

TEST_CASE("without an offer of STARTTLS it leaves", "[probe][dialog]") {
  CHECK(play({greeting, plain_ehlo, bye}).sent == "EHLO [192.0.2.1] | QUIT | ");
  // The keyword is a whole word, in any case, and not the server's own name.
  CHECK(play({greeting, "250-a\r\n250 STARTTLSX\r\n", bye}).sent == "EHLO [192.0.2.1] | QUIT | ");
  CHECK(play({greeting, "250 STARTTLS\r\n", bye}).sent == "EHLO [192.0.2.1] | QUIT | ");
  CHECK(play({greeting, "250-a\r\n250 starttls\r\n"}).sent == "EHLO [192.0.2.1] | STARTTLS | ");
}

TEST_CASE("a greeting that is no 220 ends the dialog", "[probe][dialog]") {
  CHECK(play({"554 no service for you\r\n", bye}).sent == "QUIT | ");
  CHECK(play({"421 too busy\r\n"}).sent.empty());  // it closes by itself
  CHECK(play({"421 too busy\r\n"}).stage == Stage::done);
  CHECK(first_line(*play({"421 4.3.2 too busy\r\n"}).heard.banner) == "421 4.3.2 too busy");
}

TEST_CASE("it waits for the last line of a greeting", "[probe][dialog]") {
  Dialog dialog({"me", ""});
  CHECK(dialog.receive("220-wait\r\n").kind == Kind::read);  // postscreen looks who talks too early
  CHECK(dialog.receive("22").kind == Kind::read);
  CHECK(dialog.receive("0 go").kind == Kind::read);
  CHECK(dialog.receive("\r\n").bytes == "EHLO me\r\n");
}

TEST_CASE("where EHLO is refused HELO is tried, and no TLS", "[probe][dialog]") {
  const Played played = play({greeting, "502 5.5.1 unrecognized\r\n", "250 mail\r\n", bye});
  CHECK(played.sent == "EHLO [192.0.2.1] | HELO [192.0.2.1] | QUIT | ");
  CHECK(played.heard.ehlo->code == 502);
}

TEST_CASE("a recipient is tried inside TLS alone, and never DATA", "[probe][dialog]") {
  const DialogOptions options{"me", "a@lab.test"};
  CHECK(
      play({greeting, ehlo, "220 go\r\n", plain_ehlo, "250 ok\r\n", "250 ok\r\n", "250 ok\r\n", bye}, options)
          .sent ==
      "EHLO me | STARTTLS | <tls> EHLO me | MAIL FROM:<> | RCPT TO:<a@lab.test> | RSET | QUIT | ");
  CHECK(play({greeting, plain_ehlo, bye}, options).sent == "EHLO me | QUIT | ");
  CHECK(play({greeting, ehlo, "220 go\r\n", plain_ehlo, "550 no\r\n", bye}, options).sent ==
        "EHLO me | STARTTLS | <tls> EHLO me | MAIL FROM:<> | QUIT | ");
}

TEST_CASE("bytes behind the 220 that begins TLS are thrown away and told", "[probe][dialog]") {
  const Played played = play({greeting, ehlo, "220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n", plain_ehlo, bye});
  CHECK(played.heard.after_starttls == "250-evil\r\n250 AUTH PLAIN\r\n");
  CHECK(played.heard.ehlo_in_tls->lines == std::vector<std::string>{"mail.lab.test", "SIZE 100"});
}

TEST_CASE("an answer that comes before its question is none", "[probe][dialog]") {
  // "220 go" lies behind the reply to EHLO: it must not start TLS.
  const Played played = play({greeting, ehlo + "220 go\r\n"});
  CHECK(played.sent == "EHLO [192.0.2.1] | STARTTLS | ");
  CHECK(played.stage == Stage::starttls);
  CHECK(played.heard.out_of_turn == "220 go\r\n");
}

TEST_CASE("what is no SMTP is named", "[probe][dialog]") {
  const auto fault = [](const std::string& bytes) { return play({bytes}).heard.fault; };
  CHECK(fault("HTTP/1.1 400 Bad Request\r\n") == "not SMTP: a web server answers");
  CHECK(fault("SSH-2.0-OpenSSH_9.2\r\n") == "not SMTP: an SSH server answers");
  CHECK(fault(std::string("\x15\x03\x01\x00\x02", 5)) == "not SMTP: the port speaks TLS at once");
  CHECK(fault("\x1b[31mred\r\n").find("\\x1b[31mred") != std::string::npos);
  CHECK(fault("22x nonsense\r\n").starts_with("not SMTP"));
  CHECK(fault("220x nonsense\r\n").starts_with("not SMTP"));
  CHECK(fault("990 nonsense\r\n").starts_with("not SMTP"));
  CHECK(fault("220-a\r\n250 b\r\n") == "one reply with two codes, 220 and 250");
}

TEST_CASE("every reply has bounds", "[probe][dialog]") {
  const auto fault = [](const std::string& bytes) { return play({bytes}).heard.fault; };
  CHECK(fault("220 " + std::string(3000, 'a')) == "a line of more than 2048 bytes, without an end");
  CHECK(fault("220 " + std::string(1 << 20, 'a') + "\r\n") == "a line of more than 2048 bytes");
  std::string endless;
  for (int i = 0; i < 1000; ++i) endless += "220-more\r\n";
  CHECK(fault(endless) == "a reply of more than 128 lines or 64 KiB");
  std::string wide;
  for (int i = 0; i < 100; ++i) wide += "220-" + std::string(1500, 'a') + "\r\n";
  CHECK(fault(wide) == "a reply of more than 128 lines or 64 KiB");
}

TEST_CASE("a bare code is a reply, LF alone ends a line and is noted", "[probe][dialog]") {
  const Played played = play({"220\n", "250-a\n250 STARTTLS\n"});
  CHECK(played.sent == "EHLO [192.0.2.1] | STARTTLS | ");
  CHECK(played.heard.banner->has_bare_lf);
}

TEST_CASE("how the bytes are cut up does not matter", "[probe][dialog]") {
  const std::string all = "220-a\r\n220 b\r\n";
  rc::prop("one reply, cut anywhere", [&] {
    const auto at = *rc::gen::inRange<std::size_t>(0, all.size());
    ReplyReader reader;
    auto first = reader.take(all.substr(0, at));
    RC_ASSERT(first.has_value() && !first->has_value());
    auto second = reader.take(all.substr(at));
    RC_ASSERT(second.has_value() && second->has_value());
    RC_ASSERT((**second).lines == (std::vector<std::string>{"a", "b"}));
    RC_ASSERT(reader.pending() == 0u);
  });
}

TEST_CASE("the traces of ESMTP inspection are known", "[probe][dialog]") {
  Heard heard;
  heard.banner = Reply{220, {"****2*********0**"}};
  heard.ehlo = Reply{250, {"mail", "PIPELINING", "XXXXXXXA", "XXXB"}};
  CHECK(signs_of_inspection(heard).size() == 2);
  CHECK(masked_keywords(*heard.ehlo) == std::vector<std::string>{"XXXXXXXA", "XXXB"});
  CHECK(is_starttls_masked(heard));
  heard.ehlo = Reply{250, {"mail", "XXXXXXXA", "STARTTLS"}};  // CHUNKING has eight letters, too
  CHECK_FALSE(is_starttls_masked(heard));
  heard.ehlo = Reply{250, {"XXXXXXXA", "XRDST", "X-ANONYMOUSTLS", "XSHADOW", "XOORG"}};
  CHECK(masked_keywords(*heard.ehlo).empty());
  CHECK_FALSE(is_masked_banner({220, {"mail.lab.test *** hello ***"}}));
  CHECK_FALSE(is_masked_banner({220, {"2020"}}));
}
