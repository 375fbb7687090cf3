// Evidence in, steps out: each step's table of situations, what they leave as causes, and where two of them
// do not agree. `diagnose` is asked as people ask it, with files whose kinds it has to find out.
#include <algorithm>
#include <sstream>

#include "diagnose/diagnose.h"
#include "tests/diagnose/told.h"
#include "tests/support/smtp_server.h"

using namespace aclmend;
using test::asa;
using test::asa_built;
using test::asa_denied;
using test::connected;
using test::half;
using test::permit;
using test::receive_head;
using test::refused;
using test::said;
using test::timed_out;
using test::told;
using test::Told;
using test::whole;

namespace {

std::string story(const std::string& name) { return (test::root() / "fixtures/story" / name).string(); }

std::size_t lines_in(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

// Two days of one connection every hour from each of these, and a last one at the end of the log.
std::string days_of(const std::vector<std::string>& senders) {
  std::string text = receive_head;
  for (int hour = 0; hour < 48; ++hour)
    for (const std::string& sender : senders) {
      char time[32];
      std::snprintf(time, sizeof time, "2026-11-%02dT%02d:10:00", 22 + hour / 24, hour % 24);
      text += connected(time, sender, hour);
    }
  return text;
}

}  // namespace

// ---- the error text

TEST_CASE("a pasted error text alone tells the first steps and says what settles the others", "[diagnose]") {
  const Told one = told({}, refused);
  CHECK(one.ran.status == 0);
  CHECK(one.status("error-text") == "ok");
  CHECK(one.summary("error-text") == "450 4.4.316, 10061: connection refused before any mail");
  CHECK(one.status("sender") == "ok");
  CHECK(one.status("name") == "not-known");
  for (const char* id : {"exchange-saw", "firewall-log", "firewall-rules", "refused-or-silent"}) {
    INFO(id);
    CHECK(one.status(id) == "not-known");
    CHECK_FALSE(one.settle(id).empty());
  }
  CHECK(one.settle("exchange-saw").find("SmtpReceive\\RECV*.LOG") != std::string::npos);
  const std::string next = one.document.at("next").dump();
  CHECK(next.find("--ticket") != std::string::npos);
  CHECK(next.find("Copy-Item") != std::string::npos);
  CHECK(one.document.at("causes").size() == 2);
  CHECK(one.cause().starts_with("possible: a firewall turns part"));
}

TEST_CASE("what an error text says of the connection", "[diagnose]") {
  struct Row {
    const char* text;
    const char* summary;  // of the first step
    const char* status;
    const char* cause;  // how the first one begins
  };
  const Row rows[] = {
      {"450 4.4.316 Connection refused", "450 4.4.316: connection refused before any mail", "ok",
       "possible: a firewall turns part"},
      {"550 5.4.316 Message expired, connection refused(Socket error code 10061)",
       "550 5.4.316, 10061: connection refused before any mail", "ok", "possible: a firewall turns part"},
      {"450 4.4.315 Connection timed out", "450 4.4.315: no answer at all, before any mail", "ok",
       "possible: a firewall drops part"},
      {"450 4.4.312 DNS query failed", "450 4.4.312: the mail host's name was not found", "ok",
       "likely: the mail host's name does not resolve"},
      {"450 4.4.317 Cannot connect to remote server [Message=451 5.7.3 STARTTLS is required to send mail]",
       "450 4.4.317, 5.7.3: connected, but STARTTLS was not offered", "ok",
       "possible: the receive connector has no valid certificate"},
      {"LED=450 4.4.317 Cannot connect to remote server [Message=SubjectMismatch Expected Subject: "
       "*.contoso.com.]",
       "450 4.4.317: connected, but the certificate was not taken", "ok",
       "likely: the certificate does not suit"},
      {"450 4.4.318 Connection was closed abruptly", "450 4.4.318: connected, then cut off", "ok",
       "possible: inspection on the way"},
      {"450 4.7.320 Certificate validation failed",
       "450 4.7.320: connected, but the certificate was not taken", "ok",
       "likely: the certificate does not suit"},
      {"451 4.7.23 Message deferred - unable to verify SPF policy",
       "451 4.7.23: the mail server was reached, and answered no", "ok",
       "likely: the mail server itself answered no"},
      {"550 5.7.64 TenantAttribution; Relay Access Denied",
       "550 5.7.64: about mail from your side to Microsoft", "ok",
       "likely: mail from your side to Microsoft fails"},
      {"550 4.4.7 QUEUE.Expired; message expired", "550 4.4.7: given up; the reason is in an earlier text",
       "not-known", ""},
  };
  for (const Row& row : rows) {
    INFO(row.text);
    const Told one = told({"--trace-text", row.text});
    CHECK(one.summary("error-text") == row.summary);
    CHECK(one.status("error-text") == row.status);
    CHECK(one.cause().starts_with(row.cause));
    CHECK((one.document.at("causes").empty() == (*row.cause == '\0')));
  }
}

TEST_CASE("the real texts of the posts are each understood", "[diagnose]") {
  const auto path = test::shared_data("m365/samples/message-trace-reasons.txt");
  if (path.empty()) {
    WARN("the real message-trace reasons are not at hand");
    return;
  }
  std::istringstream lines(test::text_of(path));
  std::size_t count = 0;
  for (std::string line; std::getline(lines, line) && line != "# sources";) {
    if (!line.starts_with("[#")) continue;
    INFO(line);
    const Told one = told({}, line.substr(5) + "\n");
    CHECK(one.ran.status != 2);
    CHECK(one.status("error-text") == "ok");
    ++count;
  }
  CHECK(count >= 10);
}

TEST_CASE("a mangled paste is read: wrapped anywhere, cut off, among other words", "[diagnose]") {
  std::string wrapped = refused;
  for (std::size_t at = 60; at < wrapped.size(); at += 61) wrapped.insert(at, "\r\n");
  CHECK(told({}, "Hello, it says:\n" + wrapped).summary("error-text").find("10061") != std::string::npos);
  const Told cut = told({}, refused.substr(0, 75));
  CHECK(cut.summary("error-text") == "450 4.4.316: connection refused before any mail");
}

TEST_CASE("what is no evidence at all is refused with words", "[diagnose]") {
  const test::Ran ran = test::aclmend({"diagnose", "--offline"}, "mail is slow, please help\n");
  CHECK(ran.status == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.find("paste the Detail of the delayed message") != std::string::npos);
  CHECK(test::aclmend({"diagnose", "--offline"}, "").status == 2);
  CHECK(test::aclmend({"diagnose", "--offline", "/nowhere/at-all.log"}).status == 2);
}

TEST_CASE("nothing of a hostile text reaches the terminal", "[diagnose]") {
  const std::string hostile =
      "450 4.4.316 Connection refused\x1b[31m [Message=\x1b]0;title\x07 10061] "
      "[LastAttemptedServerName=a\x1b[2Jb] "
      "[LastAttemptedIP=203.0.113.25:25]\n";
  for (const std::vector<std::string>& further :
       {std::vector<std::string>{}, {"--ticket"}, {"--redact"}, {"--show-unread"}}) {
    std::vector<std::string> args{"diagnose", "--offline"};
    args.insert(args.end(), further.begin(), further.end());
    const test::Ran ran = test::aclmend(args, hostile);
    CHECK((ran.out + ran.err).find('\x1b') == std::string::npos);
    CHECK((ran.out + ran.err).find('\x07') == std::string::npos);
    CHECK_FALSE(ran.out.empty());
  }
}

// ---- what Exchange saw

TEST_CASE("the receive log is turned round: which of Microsoft's ranges arrive", "[diagnose]") {
  const test::Folder folder;
  const std::vector<std::string> all{"40.92.1.1", "40.107.1.1", "52.100.1.1", "104.47.1.1"};
  SECTION("all of them") {
    const Told one = told({folder.write("RECV1.LOG", days_of(all))});
    CHECK(one.status("exchange-saw") == "ok");
    CHECK(one.summary("exchange-saw") ==
          "40.92.0.0/15 40.107.0.0/16 52.100.0.0/14 104.47.0.0/17  96 on 23 Nov");
    CHECK(one.ran.status == 0);
  }
  SECTION("two came until an hour, and no more") {
    std::string log = days_of({"40.92.1.1", "40.107.1.1"});
    for (int minute = 10; minute < 50; ++minute)
      log += connected("2026-11-20T02:" + std::to_string(minute) + ":31",
                       minute % 2 == 0 ? "52.100.1.1" : "104.47.1.1");
    const Told one = told({folder.write("RECV1.LOG", log)});
    CHECK(one.status("exchange-saw") == "not-ok");
    CHECK(one.says("exchange-saw", "52.100.0.0/14  not since 02:48:31 UTC, 20 Nov"));
    CHECK(one.says("exchange-saw", "104.47.0.0/17  not since 02:49:31 UTC, 20 Nov"));
    CHECK(one.cause().starts_with("likely: something before Exchange stops 52.100.0.0/14 104.47.0.0/17"));
    CHECK(one.ran.status == 1);
  }
  SECTION("two do not come in two days") {
    const Told one = told({folder.write("RECV1.LOG", days_of({"40.92.1.1", "40.107.1.1"}))});
    CHECK(one.status("exchange-saw") == "not-ok");
    CHECK(one.says("exchange-saw", "52.100.0.0/14 104.47.0.0/17  not once in this log"));
    CHECK(one.cause().starts_with("possible: something before Exchange"));
  }
  SECTION("a log of a minute says nothing of the others") {
    const Told one =
        told({folder.write("RECV1.LOG", receive_head + connected("2026-11-23T01:00:00", "40.92.1.1") +
                                            connected("2026-11-23T01:01:00", "198.51.100.9"))});
    CHECK(one.status("exchange-saw") == "not-known");
    CHECK(one.settle("exchange-saw") == "a longer time of the same log");
  }
  SECTION("a few private peers are NAT or a balancer: nothing is known of the senders") {
    const Told one = told({folder.write("RECV1.LOG", days_of({"10.1.1.1", "10.1.1.2"}))});
    CHECK(one.status("exchange-saw") == "not-known");
    CHECK(one.says("exchange-saw", "all 96 connections from 10.1.1.1 10.1.1.2"));
    CHECK(one.says("exchange-saw", "NAT or a load balancer"));
  }
  SECTION("a private peer among public ones is an ordinary client") {
    const Told one = told({folder.write("RECV1.LOG", days_of({"10.1.1.1", "198.51.100.9"}))});
    CHECK(one.status("exchange-saw") == "not-ok");
    CHECK(one.says("exchange-saw", "none of Microsoft's ranges from 00:10:00 UTC, 22 Nov"));
  }
  SECTION("STARTTLS that is not offered, and TLS that fails") {
    const std::string ehlo = "250 MAIL01 Hello [40.92.1.1] SIZE 37748736 PIPELINING 8BITMIME";
    const Told one =
        told({folder.write("RECV1.LOG", days_of(all) + said("2026-11-23T23:11:00", "40.92.1.1", ">", ehlo))});
    CHECK(one.status("exchange-saw") == "not-ok");
    CHECK(one.says("exchange-saw", "STARTTLS not offered to 40.92.1.1 (1 session)"));
  }
  SECTION("the log ends before the error") {
    const Told one = told({folder.write("RECV1.LOG", days_of(all).substr(0, days_of(all).find("2026-11-23"))),
                           folder.write("text", refused)});
    CHECK(one.status("exchange-saw") == "not-known");
    CHECK(one.says("exchange-saw", "before the error"));
  }
}

TEST_CASE("the real receive logs are read", "[diagnose]") {
  const auto one = test::shared_data("m365/samples/smtp-receive-other-lines.log");
  if (one.empty()) {
    WARN("the real receive logs are not at hand");
    return;
  }
  const Told seen = told({one.string()});
  CHECK(seen.says("exchange-saw", "STARTTLS not offered to 104.47.58.43 (1 session)"));
  CHECK(seen.status("exchange-saw") == "not-ok");
}

// ---- the firewall's log

TEST_CASE("the firewall's log counts denied openings, and never takes silence for an answer", "[diagnose]") {
  const test::Folder folder;
  const std::string text = folder.write("text", refused);
  SECTION("denied: attempts and not lines, only some ranges") {
    const Told one =
        told({text, folder.write("fw.log", asa_denied("2026-11-23T01:12:04Z", "52.100.1.1", 40001) +
                                               asa_denied("2026-11-23T01:12:05Z", "52.100.1.1", 40001) +
                                               asa_denied("2026-11-23T01:12:09Z", "52.100.140.7", 40002) +
                                               asa_denied("2026-11-23T01:13:09Z", "104.47.1.1", 40003))});
    CHECK(one.status("firewall-log") == "not-ok");
    CHECK(one.says("firewall-log",
                   "3 new connections denied, 3 addresses; only from 52.100.0.0/14 104.47.0.0/17"));
    CHECK(one.says("firewall-log", "first 01:12:04 UTC, 23 Nov, by OUTSIDE_IN"));
    CHECK(one.summary("sender") == "52.100.140.7 is Microsoft (EOP), range 52.100.0.0/14");
    CHECK(one.cause().starts_with("likely: a firewall denies 52.100.0.0/14 104.47.0.0/17"));
    CHECK(one.ran.status == 1);
  }
  SECTION("late packets of connections that are over count for nothing") {
    const Told one =
        told({text, folder.write("fw.log",
                                 "2026-11-23T01:00:00Z edge : %ASA-6-106015: Deny TCP (no connection) from "
                                 "52.100.1.1/4711 to 203.0.113.25/25 flags RST  on interface outside\n" +
                                     asa_denied("2026-11-23T02:00:00Z", "198.51.100.9", 40001))});
    CHECK(one.status("firewall-log") == "not-known");
    CHECK(one.says("firewall-log", "the log does not show it"));
  }
  SECTION("a late packet that was dropped is no opening either") {
    const auto dropped = [](const std::string& flags, int port) {
      return "2026-11-23T01:12:0" + std::to_string(port % 10) +
             "+00:00 mail01 kernel: SMTP-DROP IN=eth0 OUT= MAC= SRC=52.100.140.7 DST=203.0.113.25 LEN=60 "
             "TOS=0x00 "
             "PREC=0x00 TTL=52 ID=4711 DF PROTO=TCP SPT=" +
             std::to_string(port) + " DPT=25 WINDOW=64240 RES=0x00 " + flags + " URGP=0\n";
    };
    const Told late = told({text, folder.write("fw.log", dropped("ACK FIN", 40001) + dropped("RST", 40002))});
    CHECK(late.status("firewall-log") == "not-known");
    CHECK(late.says("firewall-log", "2 late packets of connections that were over"));
    const Told opening =
        told({text, folder.write("fw.log", dropped("ACK FIN", 40001) + dropped("SYN", 40002))});
    CHECK(opening.says("firewall-log", "1 new connection denied, 1 address"));
    CHECK(opening.says("firewall-log", "stands in the log prefix alone"));
  }
  SECTION("it does not reach to the error") {
    const Told one =
        told({text, folder.write("fw.log", asa_denied("2026-11-22T01:00:00Z", "198.51.100.9", 40001) +
                                               asa_denied("2026-11-22T02:00:00Z", "198.51.100.9", 40002))});
    CHECK(one.says("firewall-log",
                   "it reaches from 01:00:00 UTC, 22 Nov to 02:00:00 UTC, 22 Nov and not to the error"));
    CHECK(one.status("firewall-log") == "not-known");
  }
  SECTION("it says itself that lines are missing") {
    const Told one =
        told({text, folder.write("fw.log",
                                 asa_denied("2026-11-23T01:00:00Z", "198.51.100.9", 40001) +
                                     "2026-11-23T01:05:00Z edge : %ASA-1-106101: Number of cached deny-flows "
                                     "for ACL log has reached limit (4096).\n" +
                                     asa_denied("2026-11-23T02:00:00Z", "198.51.100.9", 40002))});
    CHECK(one.says("firewall-log", "lines are missing"));
    CHECK(one.status("firewall-log") == "not-known");
  }
  SECTION("it denies nothing at all") {
    const Told one =
        told({text, folder.write("fw.log", asa_built("2026-11-23T01:00:00Z", "198.51.100.9", 40001) +
                                               asa_built("2026-11-23T02:00:00Z", "198.51.100.9", 40002))});
    CHECK(one.says("firewall-log", "it shows no denied connection at all"));
  }
  SECTION("some are let in, the others are not in it") {
    const Told one =
        told({text, folder.write("fw.log", asa_built("2026-11-23T01:12:09Z", "40.92.1.1", 40001))});
    CHECK(one.status("firewall-log") == "not-known");
    CHECK(one.says("firewall-log", "let in: 40.92.0.0/15; none denied"));
  }
  SECTION("denied on the way to another public address") {
    const Told one = told({text, folder.write("fw.log", asa_denied("2026-11-23T01:12:09Z", "52.100.1.1",
                                                                   40001, "203.0.113.77"))});
    CHECK(one.status("firewall-log") == "not-known");
    CHECK(one.says("firewall-log", "denied on the way to 203.0.113.77"));
  }
  SECTION("the relay pool is Microsoft's, and no range that must get in") {
    const Told one =
        told({text, folder.write("fw.log", asa_denied("2026-11-23T01:12:09Z", "40.95.1.1", 40001))});
    CHECK(one.says("sender", "40.95.1.1 is of the relay pool 40.95.0.0/16"));
    CHECK(one.status("firewall-log") == "not-known");
  }
}

TEST_CASE("a clock without a zone is told, with the zone that fits the receive log", "[diagnose]") {
  const test::Folder folder;
  const std::string log = asa_denied("Nov 20 2026 03:12:04", "52.100.1.1", 40001) +
                          asa_denied("Nov 20 2026 03:13:04", "52.100.1.2", 40001);
  std::string receive = days_of({"40.92.1.1"});
  for (int minute = 0; minute < 12; ++minute)
    receive +=
        connected("2026-11-20T02:" + std::string(minute < 10 ? "0" : "") + std::to_string(minute) + ":00",
                  "52.100.1.1");
  const std::vector<std::string> files{folder.write("fw.log", log), folder.write("RECV.LOG", receive)};
  std::vector<std::string> args{"diagnose", "--offline"};
  args.insert(args.end(), files.begin(), files.end());
  CHECK(test::aclmend(args).out.find("the firewall log names no zone; +01:00 fits the receive log") !=
        std::string::npos);
  args.insert(args.end(), {"--log-timezone", "+01:00"});
  const test::Ran ran = test::aclmend(args);
  CHECK(ran.out.find("first 02:12:04 UTC, 20 Nov") != std::string::npos);
  CHECK(ran.out.find("Clocks") == std::string::npos);
}

// ---- the rules, and where they and the logs do not agree

TEST_CASE("the rules are asked by the audit itself", "[diagnose]") {
  const test::Folder folder;
  const std::string text = folder.write("text", refused);
  SECTION("some ranges are denied") {
    const Told one = told({text, folder.write("edge.cfg", asa(half, "service resetinbound\n"))});
    CHECK(one.status("firewall-rules") == "not-ok");
    CHECK(one.says("firewall-rules", "denied by OUTSIDE_IN line 3; 52.100.0.0/14 104.47.0.0/17"));
    CHECK(one.says("firewall-rules", "written 02:11:45 UTC, 20 Nov"));
    CHECK(one.cause().starts_with("certain: "));
    CHECK(one.status("name") == "ok");
    CHECK(one.says("name", "as the firewall has it"));
    CHECK(one.status("refused-or-silent") == "ok");
    CHECK(one.ran.status == 1);
  }
  SECTION("all are let in") {
    const Told one = told({text, folder.write("edge.cfg", asa(whole))});
    CHECK(one.status("firewall-rules") == "ok");
    CHECK(one.says("firewall-rules", "4 of 4 ranges open (OUTSIDE_IN line 1)"));
    CHECK(one.cause().starts_with("possible: nothing listens on TCP 25"));
    CHECK(one.ran.status == 0);
  }
  SECTION("it hangs on what the export does not settle") {
    const Told one = told(
        {text,
         folder.write("edge.cfg",
                      "time-range OFFICE\n periodic weekdays 8:00 to 18:00\n" +
                          asa(half + "access-list OUTSIDE_IN extended permit tcp any host 10.1.1.25 eq smtp "
                                     "time-range OFFICE\n"))});
    CHECK(one.status("firewall-rules") == "not-known");
    CHECK(one.says("firewall-rules", "52.100.0.0/14 104.47.0.0/17 cannot be told"));
    const test::Ran plain = test::aclmend({"diagnose", "--offline", text, folder.path() + "/edge.cfg"});
    CHECK(plain.out.find("let it in") == std::string::npos);  // nobody knows that
    CHECK(one.settle("firewall-rules").starts_with("aclmend audit "));
  }
  SECTION("what cannot be judged is told, and the rest all the same") {
    const Told one = told({text, "--config", folder.write("edge.cfg", "nothing of a firewall\n")});
    CHECK(one.ran.status == 2);
    CHECK(one.status("firewall-rules") == "not-known");
    CHECK(one.status("error-text") == "ok");
  }
}

TEST_CASE("the rules let in what the log denies: another device, or another export", "[diagnose]") {
  const test::Folder folder;
  const Told one = told({folder.write("text", refused), folder.write("edge.cfg", asa(whole)),
                         folder.write("fw.log", asa_denied("2026-11-23T01:12:09Z", "52.100.140.7", 40001))});
  CHECK(one.status("firewall-log") == "not-ok");
  CHECK(one.says("firewall-rules", "yet a log denies 52.100.0.0/14"));
  CHECK(one.cause() == "likely: another device denies it, or the export is not what runs");
  CHECK(one.contradicts().find("these rules let 52.100.0.0/14 in") != std::string::npos);
}

TEST_CASE("the rules deny what arrives: another way in, or an old export", "[diagnose]") {
  const test::Folder folder;
  const Told one =
      told({folder.write("text", refused), folder.write("edge.cfg", asa(half)),
            folder.write("RECV.LOG", days_of({"40.92.1.1", "40.107.1.1", "52.100.1.1", "104.47.1.1"}))});
  CHECK(one.says("firewall-rules", "yet Exchange sees 52.100.0.0/14 104.47.0.0/17"));
  CHECK_FALSE(one.cause().starts_with("certain"));
  CHECK(one.contradicts().find("Exchange sees 52.100.0.0/14 104.47.0.0/17") != std::string::npos);
}

TEST_CASE("a configuration written after the first denial is told as such", "[diagnose]") {
  const test::Folder folder;
  const Told one = told({folder.write("edge.cfg", asa(half)),
                         folder.write("fw.log", asa_denied("2026-11-20T02:10:45Z", "52.100.140.7", 40001))});
  CHECK(one.says("firewall-rules", "written 02:11:45, 60 s after the first denial"));
}

// ---- refused or silent

TEST_CASE("the error text and what a deny earns are compared", "[diagnose]") {
  const test::Folder folder;
  struct Row {
    std::string text, further;
    const char* status;
    const char* words;
  };
  const Row rows[] = {
      {refused, "service resetinbound\n", "ok", "so the error text agrees"},
      {refused, "", "not-ok", "there is no `service resetinbound`: a deny here is silent (10060)"},
      {refused, "service resetinbound interface dmz\n", "not-ok", "a deny here is silent (10060)"},
      {refused, "service resetinbound interface outside\n", "ok", "so the error text agrees"},
      {timed_out, "", "ok", "so the error text agrees"},
      {timed_out, "service resetinbound\n", "not-ok", "something else answered"},
      {"450 4.4.317 Cannot connect to remote server [Message=451 5.7.3 STARTTLS is required]\n", "", "ok",
       "neither: the connection was opened"},
  };
  for (const Row& row : rows) {
    INFO(row.text << row.further);
    const Told one = told({folder.write("text", row.text), folder.write("edge.cfg", asa(half, row.further))});
    CHECK(one.status("refused-or-silent") == row.status);
    CHECK(one.says("refused-or-silent", row.words));
  }
  const Told silent = told({folder.write("text", refused), folder.write("edge.cfg", asa(half))});
  CHECK(silent.cause().starts_with("likely: "));
  CHECK(silent.contradicts().find("answered otherwise") != std::string::npos);
}

TEST_CASE("iptables says with its target what a sender gets", "[diagnose]") {
  const test::Folder folder;
  const auto rules = [](const char* target) {
    return std::string("*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n") +
           "-A INPUT -s 40.92.0.0/15 -p tcp -m tcp --dport 25 -j ACCEPT\n-A INPUT -p tcp -m tcp --dport 25 "
           "-j " +
           target + "\nCOMMIT\n";
  };
  const auto status = [&](const std::string& text, const char* target) {
    return told({folder.write("text", text), folder.write("v4.rules", rules(target)), "--direction", "in",
                 "--to", "203.0.113.25"})
        .status("refused-or-silent");
  };
  CHECK(status(refused, "REJECT --reject-with icmp-port-unreachable") == "ok");
  CHECK(status(refused, "DROP") == "not-ok");
  CHECK(status(timed_out, "DROP") == "ok");
  CHECK(status(timed_out, "REJECT --reject-with tcp-reset") == "not-ok");
}

// ---- the live server

TEST_CASE("the mail host is asked from here, and that proves nothing for Microsoft's way", "[diagnose]") {
  test::Script script;
  script.ehlo = "250-mail.lab.test\r\n250 8BITMIME\r\n";
  const test::SmtpServer server(script);
  REQUIRE(server.is_listening());
  const test::Ran ran = test::aclmend(
      {"diagnose", "--trace-text", "450 4.4.316 Connection refused [LastAttemptedIP=127.0.0.1:25]", "--host",
       "127.0.0.1:" + std::to_string(server.port()), "--format", "json"});
  const auto document = nlohmann::json::parse(ran.out);
  CHECK(document.at("steps")[2].at("status") == "ok");
  CHECK(document.at("steps")[3].at("status") == "not-ok");
  CHECK(std::string(document.at("steps")[3].at("summary")).find("starttls") != std::string::npos);
  CHECK(std::string(document.at("steps")[3].at("summary")).find("says nothing of Microsoft's way") !=
        std::string::npos);
  CHECK(server.connections() >= 1);
  const test::Ran closed =
      test::aclmend({"diagnose", "--trace-text", "450 4.4.316 Connection refused", "--host",
                     "127.0.0.1:" + std::to_string(test::closed_port()), "--format", "json"});
  const auto answer = nlohmann::json::parse(closed.out);
  CHECK(answer.at("steps")[3].at("status") == "not-known");
  CHECK(answer.at("causes")[0].at("cause") ==
        "nothing listens on TCP 25, or a load balancer has no server left");
}

// ---- the whole story

TEST_CASE("the story: from the evidence to the line", "[diagnose][story]") {
  const std::vector<std::string> files{story("deferral.txt"), story("RECV2026112002-1.LOG"),
                                       story("RECV2026112301-1.LOG"), story("asa-syslog.txt"),
                                       story("edge-after.cfg")};
  const Told one = told(files);
  CHECK(one.ran.status == 1);
  CHECK(one.status("error-text") == "ok");
  CHECK(one.summary("sender") == "52.100.140.7 is Microsoft (EOP), range 52.100.0.0/14");
  CHECK(one.status("name") == "ok");
  CHECK(one.status("certificate") == "ok");
  CHECK(one.status("exchange-saw") == "not-ok");
  CHECK(one.status("firewall-log") == "not-ok");
  CHECK(one.status("firewall-rules") == "not-ok");
  CHECK(one.says("firewall-rules", "19 s before the first denial"));
  CHECK(one.status("refused-or-silent") == "ok");
  CHECK(one.cause() == "certain: group EOP-NETS lost 2 members: EOP-52-100, EOP-104-47");
  CHECK(one.contradicts().empty());
  for (const auto& step : one.document.at("steps"))
    for (const auto& evidence : step.at("evidence"))
      CHECK_FALSE(evidence.at("file").get<std::string>().empty());
  std::vector<std::string> args{"diagnose", "--offline"};
  args.insert(args.end(), files.begin(), files.end());
  const test::Ran text = test::aclmend(args);
  CHECK(text.out.starts_with("Your firewall \"edge-after\" stops part of Microsoft's servers."));
  CHECK(lines_in(text.out) <= 40);
  CHECK((text.out + text.err).find("FAKE-SECRET") == std::string::npos);
  std::istringstream lines(text.out);
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 130);
}

TEST_CASE("the story before the change: the rules let everything in", "[diagnose][story]") {
  const Told one = told({story("deferral.txt"), story("edge-before.cfg")});
  CHECK(one.status("firewall-rules") == "ok");
  CHECK(one.ran.status == 0);
}

TEST_CASE("the files may come in any order, and by their named options", "[diagnose]") {
  const Told mixed = told({story("edge-after.cfg"), story("asa-syslog.txt"), story("deferral.txt")});
  const Told named = told({"--config", story("edge-after.cfg"), "--drop-log", story("asa-syslog.txt"),
                           "--trace-file", story("deferral.txt")});
  CHECK(mixed.document.at("steps") == named.document.at("steps"));
  CHECK(mixed.document.at("causes") == named.document.at("causes"));
  CHECK(mixed.summary("sender") == "52.100.140.7 is Microsoft (EOP), range 52.100.0.0/14");
}

TEST_CASE("an inventory stands for its configurations", "[diagnose][story]") {
  const Told one = told({story("deferral.txt"), story("aclmend.yaml")});
  CHECK(one.status("firewall-rules") == "not-ok");
  CHECK(one.says("firewall-rules",
                 "edge-after.cfg: denied by OUTSIDE_IN line 80; 52.100.0.0/14 104.47.0.0/17"));
}

// ---- the ticket, and what is shown to others

TEST_CASE("the ticket says what is refused, when, how to find it, and what to send back", "[diagnose]") {
  const test::Ran plain = test::aclmend({"diagnose", "--offline", "--ticket"}, refused);
  for (const char* words :
       {"please check inbound TCP 25 to 203.0.113.25", "2026-11-23 01:12:09 UTC",
        "40.92.0.0/15  40.107.0.0/16", "104.47.0.0/17", "show running-config", "show logging | include",
        "( port.dst eq 25 )", "packet-tracer input outside tcp", "opening 25 to any"}) {
    INFO(words);
    CHECK(plain.out.find(words) != std::string::npos);
  }
  const test::Ran all = test::aclmend({"diagnose", "--offline", "--ticket", story("deferral.txt"),
                                       story("asa-syslog.txt"), story("edge-after.cfg")});
  CHECK(all.out.find("Refused at 2026-11-23 01:12:09 UTC: 52.100.140.7") != std::string::npos);
  CHECK(all.out.find("packet-tracer input outside tcp 52.100.140.7 40000 203.0.113.25 25") !=
        std::string::npos);
  CHECK(all.out.find("journalctl") == std::string::npos);  // it is an ASA, that is known
  CHECK(all.out.find("FAKE-SECRET") == std::string::npos);
  CHECK(lines_in(all.out) <= 40);
  CHECK(test::aclmend({"diagnose", "--offline", "--ticket", "--format", "json"}, refused).status == 2);
}

TEST_CASE("redacted output keeps Microsoft's addresses and no own ones", "[diagnose]") {
  for (const char* format : {"text", "json"}) {
    const test::Ran ran =
        test::aclmend({"diagnose", "--offline", "--redact", "--format", format, story("deferral.txt"),
                       story("asa-syslog.txt"), story("edge-after.cfg")});
    INFO(format);
    CHECK(ran.out.find("203.0.113.25") == std::string::npos);
    CHECK(ran.out.find("10.1.1.25") == std::string::npos);
    CHECK(ran.out.find("mail.contoso.com") == std::string::npos);
    CHECK(ran.out.find("52.100.140.7") != std::string::npos);
    CHECK(ran.out.find("own-address-1") != std::string::npos);
  }
}

TEST_CASE("equal things are replaced by equal ones, inside of words too", "[diagnose]") {
  diagnose::Facts facts;
  facts.microsoft = AddressSet(*parse_prefix("52.100.0.0/14"));
  facts.inputs = {"logs/edge.cfg"};
  diagnose::Redaction redaction(facts);
  CHECK(redaction.text("from 203.0.113.25:25, x203.0.113.25-y and 52.100.1.1/32 at edge.cfg:42") ==
        "from own-address-1:25, xown-address-1-y and 52.100.1.1/32 at edge.cfg:42");
  CHECK(redaction.text("[2001:db8::25]:25 2001:DB8::25. 203.0.113.26") ==
        "[own-v6-address-1]:25 own-v6-address-1. own-address-2");
  CHECK(redaction.text("Mail.Contoso.com mail.contoso.com. a.b@contoso.com BN7.prod.outlook.com") ==
        "own-name-1.example own-name-1.example. user-2.example BN7.prod.outlook.com");
  CHECK(redaction.text("02:11:45 UTC, 450 4.4.316, 9.16(4)") == "02:11:45 UTC, 450 4.4.316, 9.16(4)");
}

TEST_CASE("diagnose refuses what cannot be meant", "[diagnose]") {
  CHECK(test::aclmend({"diagnose", "--offline", "-", "--config", "-"}, refused).status == 2);
  const test::Ran zone = test::aclmend({"diagnose", "--offline", "--log-timezone", "noon"}, refused);
  CHECK(zone.status == 2);
  CHECK(zone.err.find("+02:00") != std::string::npos);
}

TEST_CASE("commands to type are one word for one word, whatever was pasted", "[diagnose]") {
  std::string hostile = refused;
  for (std::size_t at = hostile.find("mail.contoso.com"); at != hostile.npos;
       at = hostile.find("mail.contoso.com", at))
    hostile.replace(at, 16, "mail;reboot");
  const Told one = told({}, hostile);
  CHECK(one.ran.out.find("probe mail;reboot") == std::string::npos);
  const test::Folder folder;
  const std::string config = folder.write("edge of all.cfg", asa(half));
  const Told two = told({config, "--to", "198.51.100.99"}, refused);
  CHECK(two.ran.out.find("aclmend audit " + config) == std::string::npos);
  CHECK(two.ran.out.find("aclmend fix " + config) == std::string::npos);
}

TEST_CASE("denials on the way to more destinations than are looked at are told", "[diagnose]") {
  const test::Folder folder;
  std::string log;
  for (int i = 1; i <= 17; ++i)
    log += asa_denied("2026-11-23T01:12:04Z", "52.100.1.1", 40000 + i, "192.0.2." + std::to_string(i));
  const Told one = told({folder.write("fw.log", log)}, refused);
  CHECK(one.step("firewall-log").dump().find("first 16 destinations alone") != std::string::npos);
}

TEST_CASE("a configuration is piped in", "[diagnose]") {
  const test::Folder folder;
  const Told one = told({folder.write("text", refused), "-"}, asa(half));
  CHECK(one.status("firewall-rules") == "not-ok");
}

TEST_CASE("diagnose documents follow their schema", "[diagnose][schema]") {
  CHECK(test::schema_errors(told({}, refused).ran.out, "diagnose").empty());
  CHECK(test::schema_errors(told({story("deferral.txt"), story("edge-after.cfg")}).ran.out, "diagnose")
            .empty());
}
