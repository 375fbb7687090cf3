// The probe against real sockets and TLS: a scripted server for each fault.
#include "tests/support/test.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/support/folder.h"
#include "tests/support/lab.h"
#include "tests/support/program.h"
#include "tests/support/smtp_server.h"

using namespace aclmend;
using namespace aclmend::test;
using Json = nlohmann::json;

namespace {

Script good() {
  Script script;
  script.identity = Lab::the().good();
  return script;
}

struct Answer {
  int status = 0;
  Json document;
  std::string err;

  const Json& address(std::size_t i = 0) const { return document["hosts"][0]["addresses"][i]; }
  std::string step(const std::string& id) const {  // "ok: until 2027-05-02"
    for (const Json& step : address()["steps"])
      if (step["id"] == id) return step["status"].get<std::string>() + ": " + step["text"].get<std::string>();
    return "";
  }
  std::string codes() const {
    std::string all;
    for (const Json& finding : document["findings"])
      all += (all.empty() ? "" : " ") + finding["code"].get<std::string>() + "/" +
             finding["step"].get<std::string>();
    return all;
  }
};

Answer probed(std::vector<std::string> args) {
  const Folder folder;
  args.insert(args.begin(), "probe");
  args.insert(args.end(), {"--ca-file", folder.write("ca.pem", Lab::the().root()), "--format", "json"});
  const Ran ran = aclmend::test::aclmend(args);
  Answer answer{ran.status, {}, ran.err};
  INFO(ran.err);
  REQUIRE(ran.out.starts_with("{"));
  answer.document = Json::parse(ran.out);
  CHECK(answer.document["exit"] == ran.status);
  return answer;
}

// As mail.lab.test, wherever the server is.
Answer probed(const SmtpServer& server, std::vector<std::string> more = {},
              const std::string& address = "127.0.0.1") {
  REQUIRE(server.is_listening());
  std::vector<std::string> args{"mail.lab.test", "--address", address, "--port",
                                std::to_string(server.port())};
  if (std::ranges::find(more, "--timeout") == more.end()) args.insert(args.end(), {"--timeout", "5"});
  args.insert(args.end(), more.begin(), more.end());
  return probed(std::move(args));
}

Answer with(const Script& script, std::vector<std::string> more = {}) {
  const SmtpServer server(script);
  return probed(server, std::move(more));
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a good server passes every step", "[probe][schema]") {
  const SmtpServer server(good());
  const Answer answer = probed(server);
  CHECK(answer.status == 0);
  CHECK(answer.codes() == "");
  CHECK(answer.step("tcp") == "ok: connected from 127.0.0.1");
  CHECK(answer.step("banner") == "ok: 220 mail.lab.test ESMTP");
  CHECK(answer.step("ehlo") == "ok: SIZE 36700160, STARTTLS, 8BITMIME");
  CHECK(answer.step("starttls") == "ok: 220 go ahead");
  CHECK(has(answer.step("tls.handshake"), "ok: TLSv1.3 TLS_AES_256_GCM_SHA384"));
  CHECK(answer.step("tls.chain") == "ok: 2 certificates sent, issued by CN=Lab Issuing, O=Lab");
  CHECK(answer.step("tls.name") == "ok: it is for mail.lab.test");
  CHECK(has(answer.step("tls.validity"), "90 days"));
  CHECK(answer.step("tls.key") == "ok: EC prime256v1, ecdsa-with-SHA256");
  CHECK(answer.step("quit") == "ok: said QUIT before any mail");
  const Json& tls = answer.address()["tls"];
  CHECK(tls["names"] == Json{"mail.lab.test"});
  CHECK(tls["tls_certificate_name"] == "<I>CN=Lab Issuing, O=Lab<S>CN=mail.lab.test, O=Lab");
  CHECK(tls["chain"].size() == 2);
  CHECK(schema_errors(answer.document.dump(), "probe") == "");
  CHECK(server.heard() ==
        std::vector<std::string>{"EHLO [127.0.0.1]", "STARTTLS", "EHLO [127.0.0.1]", "QUIT"});
}

TEST_CASE("the report says where it was asked from, and what that proves", "[probe]") {
  const SmtpServer server(good());
  const Folder folder;
  const Ran ran = aclmend::test::aclmend({"probe", "mail.lab.test", "--address", "127.0.0.1", "--port",
                                          std::to_string(server.port()), "--ca-file",
                                          folder.write("ca.pem", Lab::the().root())});
  CHECK(ran.status == 0);
  CHECK(has(ran.out, "asked from 127.0.0.1"));
  CHECK(has(ran.out, "It proves nothing for the ranges that an ACL names"));
  CHECK(has(ran.out, "<I>CN=Lab Issuing, O=Lab<S>CN=mail.lab.test, O=Lab"));
  CHECK(has(ran.out, "nothing found"));
  const Answer answer = probed(server);
  CHECK(answer.document["vantage"]["from"] == Json{"127.0.0.1"});
  CHECK(answer.document["vantage"]["resolvers"].empty());
}

TEST_CASE("what is wrong with a certificate is told, all of it", "[probe]") {
  Script script = good();
  const auto faults = [&](const Identity& identity) {
    script.identity = identity;
    return with(script).codes();
  };
  const Lab& lab = Lab::the();
  using std::chrono::days;
  CHECK(faults(lab.leaf({.begins = days(-90), .ends = days(-10)})) == "ACM042/tls.validity");
  CHECK(faults(lab.leaf({.begins = days(10)})) == "ACM042/tls.validity");
  CHECK(faults(lab.leaf({.names = {"other.lab.test"}})) == "ACM042/tls.name");
  CHECK(faults(lab.leaf({.names = {"other.lab.test"}, .begins = days(-90), .ends = days(-10)})) ==
        "ACM042/tls.name ACM042/tls.validity");
  CHECK(faults(lab.leaf({.rsa_bits = 1024})) == "ACM042/tls.key");
  CHECK(faults(lab.leaf({.is_for_clients = true})) == "ACM042/tls.chain");
  CHECK(faults(lab.leaf({.ends = days(20)})) == "ACM043/tls.validity");
  CHECK(faults(lab.untrusted()) == "ACM042/tls.chain");
  CHECK(faults(lab.self_signed()) == "ACM042/tls.chain");
  CHECK(faults(lab.without_intermediate()) == "ACM042/tls.chain");
}

TEST_CASE("a chain that is not taken says which of the reasons it is", "[probe]") {
  Script script = good();
  const auto chain = [&](const Identity& identity) {
    script.identity = identity;
    return with(script).step("tls.chain");
  };
  CHECK(chain(Lab::the().untrusted()) ==
        "fail: the chain ends in a root that is not trusted here: CN=Other Root, O=Lab");
  CHECK(chain(Lab::the().self_signed()) == "fail: the certificate is self-signed");
  CHECK(chain(Lab::the().without_intermediate()) ==
        "fail: its issuer, CN=Lab Issuing, O=Lab, is neither sent by the server nor trusted here: the server "
        "leaves out "
        "its intermediate certificate");
}

TEST_CASE("a wildcard stands for one label, TlsDomain for a whole domain", "[probe]") {
  Script script = good();
  script.identity = Lab::the().leaf({.names = {"*.lab.test"}});
  const SmtpServer server(script);
  const auto name = [&](const std::string& host, std::vector<std::string> more) {
    std::vector<std::string> args{host, "--address", "127.0.0.1", "--port", std::to_string(server.port())};
    args.insert(args.end(), more.begin(), more.end());
    return probed(args).step("tls.name");
  };
  CHECK(name("mail.lab.test", {}) == "ok: it is for mail.lab.test");
  CHECK(name("mail.lab.test.", {}).starts_with("ok"));
  CHECK(name("a.b.lab.test", {}) == "fail: it is for *.lab.test, not for a.b.lab.test");
  CHECK(name("lab.test", {}).starts_with("fail"));
  CHECK(name("elsewhere.test", {"--tls-domain", "*.lab.test"}).starts_with("ok"));
  CHECK(name("mail.lab.test", {"--tls-domain", "*.contoso.com"}).starts_with("fail"));
}

TEST_CASE("no STARTTLS, refused, masked: each is ACM041 with its reason", "[probe]") {
  Script script = good();
  script.ehlo = "250-mail.lab.test\r\n250 SIZE 1\r\n";
  CHECK(with(script).codes() == "ACM041/starttls");
  CHECK(with(script).step("starttls") == "fail: not offered");
  CHECK(with(script).status == 1);
  script.greeting = "220 ****************\r\n";
  script.ehlo = "250-mail.lab.test\r\n250-PIPELINING\r\n250-XXXXXXXA\r\n250 XXXB\r\n";
  const Answer masked = with(script);
  CHECK(masked.codes() == "ACM041/starttls");
  CHECK(has(masked.step("starttls"), "a firewall on the way wrote over a keyword"));
  CHECK(masked.address()["remarks"].size() == 2);
  script = good();
  script.starttls = "454 4.7.0 TLS not available\r\n";
  CHECK(with(script).step("starttls") == "fail: 454 4.7.0 TLS not available: offered, but refused");
}

TEST_CASE("TLS that is none, too old, or cut is ACM041", "[probe]") {
  Script script = good();
  script.instead_of_tls = "500 what?\r\n";
  CHECK(with(script).codes() == "ACM041/tls.handshake");
  script = good();
  script.newest_tls = 0x0302;
  const Answer old = with(script);
  CHECK(old.codes() == "ACM041/tls.handshake");
  CHECK(has(old.step("tls.handshake"), "no TLS 1.2 or 1.3 came about"));
  script = good();
  script.fault = Script::Fault::closes_in_tls;
  CHECK(with(script).codes() == "ACM041/ehlo.tls");
}

TEST_CASE("bytes injected behind the 220 of STARTTLS are reported", "[probe]") {
  Script script = good();
  script.starttls = "220 go ahead\r\n250 injected\x1b[31m\r\n";
  const Answer answer = with(script);
  CHECK(answer.codes() == "ACM041/starttls");
  CHECK(has(answer.step("tls.handshake"), "ok: TLSv1.3"));
}

TEST_CASE("how a connection fails is told: refused, silent, cut, closed", "[probe]") {
  const std::string port = std::to_string(closed_port());
  const Answer refused = probed({"127.0.0.1", "--port", port});
  CHECK(refused.codes() == "ACM040/tcp");
  CHECK(refused.status == 1);
  CHECK(has(refused.step("tcp"), "refused (RST)"));
  CHECK(has(refused.step("tcp"), "10061"));
  Script script;
  script.fault = Script::Fault::silent;
  CHECK(with(script, {"--timeout", "0.2"}).step("banner") ==
        "fail: the greeting did not come within 0.2 s (socket error 10060 in Microsoft's texts)");
  script.fault = Script::Fault::closes;
  CHECK(with(script).step("banner") == "fail: the other side closed the connection instead of the greeting");
  script.fault = Script::Fault::resets;
  const Answer reset = with(script);  // at once, so that it may be seen before the connection is
  CHECK(has(reset.step("tcp") + reset.step("banner"), "10054"));
  CHECK(reset.codes().starts_with("ACM040/"));
  script.fault = Script::Fault::none;
  script.greeting = "421 4.3.2 too many connections\r\n";
  const Answer busy = with(script);
  CHECK(busy.codes() == "ACM040/banner");
  CHECK(has(busy.step("banner"), "421 4.3.2 too many connections: the server closes at once"));
  script.greeting = "554 5.7.1 blocked\r\n";
  CHECK(has(with(script).step("banner"), "does not serve this address"));
}

TEST_CASE("an endless, a binary, a dripping greeting end within their bounds, and are escaped", "[probe]") {
  Script script;
  script.fault = Script::Fault::never_ends;
  script.greeting = "220-" + std::string(500, 'a') + "\r\n";
  CHECK(with(script).step("banner") == "fail: a reply of more than 128 lines or 64 KiB");
  script.greeting = std::string(1 << 16, 'a');
  CHECK(has(with(script).step("banner"), "not SMTP"));
  script.fault = Script::Fault::drips;
  CHECK(has(with(script, {"--timeout", "0.3"}).step("banner"), "not SMTP"));
  script.fault = Script::Fault::none;
  script.greeting = std::string("\x00\xff\x1b[2J\x07\r\n", 9);
  const SmtpServer server(script);
  CHECK(has(probed(server).step("banner"), "not SMTP"));
  const Ran ran =
      aclmend::test::aclmend({"probe", "127.0.0.1", "--port", std::to_string(server.port()), "-v"});
  CHECK(ran.out.find('\x1b') == std::string::npos);
  CHECK(has(ran.out, "\\x1b[2J"));
}

TEST_CASE("escape sequences in a good greeting reach no terminal and no monitoring line", "[probe]") {
  Script script = good();
  script.greeting = "220 \x1b[31mred | rm -rf\r\n";
  script.ehlo = "250-a\r\n250 X\x1b]0;title\x07\r\n";
  const SmtpServer server(script);
  for (const char* format : {"text", "nagios"}) {
    const Ran ran = aclmend::test::aclmend(
        {"probe", "127.0.0.1", "--port", std::to_string(server.port()), "--format", format, "-v"});
    CHECK(ran.out.find_first_of("\x1b\x07") == std::string::npos);
  }
}

TEST_CASE("IPv6 alone works as well", "[probe]") {
  Script script = good();
  const SmtpServer server(script, "::1");
  if (!server.is_listening()) {
    WARN("this machine has no IPv6 loopback: not tried");
    return;
  }
  const Answer answer = probed(server, {}, "::1");
  CHECK(answer.status == 0);
  CHECK(server.heard().front() == "EHLO [IPv6:::1]");
}

TEST_CASE("a recipient is asked on request, its refusal is exit status 1", "[probe]") {
  Script script = good();
  const SmtpServer server(script);
  const Answer taken = probed(server, {"--try-recipient", "a@lab.test"});
  CHECK(taken.status == 0);
  CHECK(taken.step("recipient") == "ok: 250 2.1.5 ok");
  CHECK(server.heard() == std::vector<std::string>{"EHLO [127.0.0.1]", "STARTTLS", "EHLO [127.0.0.1]",
                                                   "MAIL FROM:<>", "RCPT TO:<a@lab.test>", "RSET", "QUIT"});
  script.rcpt = "550 5.1.1 unknown\r\n";
  CHECK(with(script, {"--try-recipient", "a@lab.test"}).status == 1);
  script.rcpt = "451 4.7.1 greylisted\r\n";
  CHECK(has(with(script, {"--try-recipient", "a@lab.test"}).step("recipient"), "unknown: 451"));
}

TEST_CASE("a fault that comes and goes is caught by repeating", "[probe]") {
  Script script = good();
  script.fault = Script::Fault::fails_every_other;
  const SmtpServer server(script);
  const Answer answer = probed(server, {"--repeat", "3", "--interval", "1"});
  CHECK(answer.address()["tries"] == 3);
  CHECK(answer.address()["failures"] == 1);
  CHECK(answer.codes() == "ACM040/banner");
  CHECK(server.connections() == 3);
}

TEST_CASE("a hundred hosts take the time of the slowest, not the sum", "[probe]") {
  Script script;
  script.fault = Script::Fault::silent;
  const SmtpServer server(script, "0.0.0.0");
  std::vector<std::string> args{"--port", std::to_string(server.port()), "--timeout", "1"};
  for (int i = 1; i <= 100; ++i) args.push_back(fmt::format("127.0.1.{}", i));
  const auto start = std::chrono::steady_clock::now();
  const Answer answer = probed(args);
  const auto time = std::chrono::steady_clock::now() - start;
  CHECK(answer.document["hosts"].size() == 100);
  CHECK(answer.document["findings"].size() == 100);
  CHECK(time < std::chrono::seconds(10));  // the sum would be 100 s
}

TEST_CASE("more addresses than anybody names by hand are refused without --yes", "[probe]") {
  std::vector<std::string> args{"probe", "--port", std::to_string(closed_port())};
  for (int i = 1; i <= 129; ++i) args.push_back(fmt::format("127.0.1.{}", i));
  const Ran ran = aclmend::test::aclmend(args);
  CHECK(ran.status == 2);
  CHECK(has(ran.err, "129 addresses would be asked"));
}

TEST_CASE("one cause at many hosts is told once, and what is not known is not \"nothing found\"", "[probe]") {
  const std::string port = std::to_string(closed_port());
  const Ran ran = aclmend::test::aclmend(
      {"probe", "127.0.2.1", "127.0.2.2", "127.0.2.3", "127.0.2.4", "127.0.2.5", "--port", port});
  CHECK(ran.status == 1);
  const std::size_t first = ran.out.find("ACM040");
  REQUIRE(first != std::string::npos);
  CHECK(ran.out.find("ACM040", first + 1) == std::string::npos);
  CHECK(has(ran.out, "host       127.0.2.1, 127.0.2.2, 127.0.2.3, 127.0.2.4, 127.0.2.5\n"));
  const Ran open = aclmend::test::aclmend({"probe", "mail.lab.test", "--resolver", "127.0.0.1:" + port});
  CHECK(open.status == 2);
  CHECK(has(open.out, "not judged: what is marked ? above is not known"));
  CHECK_FALSE(has(open.out, "nothing found"));
}

TEST_CASE("one line for monitoring", "[probe]") {
  Script script = good();
  const SmtpServer server(script);
  const Folder folder;
  const std::string ca = folder.write("ca.pem", Lab::the().root());
  const auto line = [&](const std::string& host, const std::string& port) {
    return aclmend::test::aclmend(
        {"probe", host, "--address", "127.0.0.1", "--port", port, "--ca-file", ca, "--format", "nagios"});
  };
  const Ran ok = line("mail.lab.test", std::to_string(server.port()));
  CHECK(ok.status == 0);
  CHECK(ok.out.starts_with("SMTP OK - 1 of 1 addresses answer as they should | failed=0;;0;0;1 slowest="));
  CHECK(has(ok.out, "certificate_days=90;30:;0:"));
  const Ran critical = line("mail.lab.test", std::to_string(closed_port()));
  CHECK(critical.status == 1);
  CHECK(critical.out.starts_with("SMTP CRITICAL - ACM040 mail.lab.test tcp: refused"));
  CHECK(std::count(critical.out.begin(), critical.out.end(), '\n') == 1);
}

TEST_CASE("what cannot be asked is refused with what was expected", "[probe]") {
  const auto refused = [](std::vector<std::string> args) {
    args.insert(args.begin(), "probe");
    const Ran ran = aclmend::test::aclmend(args);
    CHECK(ran.status == 2);
    CHECK(ran.out.empty());
    return ran.err;
  };
  CHECK(has(refused({"a b"}), "expected a domain, a host name or an address"));
  CHECK(has(refused({"a@b.test"}), "expected a domain"));
  CHECK(has(refused({"mail.lab.test", "--address", "x"}), "expected an address after --address, found 'x'"));
  CHECK(has(refused({"a.test", "b.test", "--address", "127.0.0.1"}), "--address names where one host is"));
  CHECK(has(refused({"a.test", "--try-recipient", "a@b.test>\r\nDATA"}), "expected a mail address"));
  CHECK(has(refused({"a.test", "--ehlo", "x\r\nDATA"}), "expected a host name after --ehlo"));
  CHECK(has(refused({"a.test", "--resolver", "dns"}), "expected an address with or without a port"));
  CHECK(has(refused({"127.0.0.1", "--ca-file", "/nonexistent.pem"}), "expected certificates in PEM form"));
}

TEST_CASE("an own address that this machine has not is not the server's fault", "[probe]") {
  const SmtpServer server(good());
  const Answer answer = probed(server, {"--bind", "192.0.2.77"});
  CHECK(answer.status == 2);
  CHECK(answer.codes() == "");
  CHECK(answer.step("tcp") == "unknown: not sent: this machine has no such own address");
  CHECK(probed(server, {"--bind", "127.0.0.9"}).address()["from"] == "127.0.0.9");
}

TEST_CASE("options that would do nothing are refused", "[probe]") {
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"probe", "mail.lab.test", "--address", "127.0.0.1", "--resolver",
                                 "127.0.0.1"},
        {"probe", "mail.lab.test", "--address", "127.0.0.1", "--mta-sts"},
        {"probe", "mail.lab.test", "--smarthost", "--mta-sts"}}) {
    const Ran ran = aclmend::test::aclmend(args);
    CHECK(ran.status == 2);
    CHECK(ran.err.find("without --") != std::string::npos);
  }
}

TEST_CASE("another certificate than last time is told, once it was remembered", "[probe]") {
  const Folder folder;
  const std::string store = folder.path() + "/store.sqlite";
  const auto visit = [&](const SmtpServer& server, std::vector<std::string> more) {
    more.insert(more.end(), {"--store", store});
    return probed(server, more).codes();
  };
  Script script = good();
  std::uint16_t port = 0;
  {
    const SmtpServer server(script);
    port = server.port();
    CHECK(visit(server, {}) == "");
    CHECK_FALSE(std::filesystem::exists(store));  // nothing is kept without being asked
    CHECK(visit(server, {"--remember"}) == "");
    CHECK(visit(server, {"--remember"}) == "");
  }
  script.identity = Lab::the().good();
  const SmtpServer renewed(script, "127.0.0.1", port);
  CHECK(visit(renewed, {}) == "ACM043/tls.handshake");
  const Answer answer = probed(renewed, {"--store", store});
  CHECK(answer.status == 0);  // a warning
  REQUIRE(answer.document["findings"].size() == 1);
  CHECK(has(answer.document["findings"][0]["explanation"].get<std::string>(),
            "another certificate than last time"));
  CHECK(visit(renewed, {"--remember"}) == "ACM043/tls.handshake");
  CHECK(visit(renewed, {}) == "");  // it is the one of last time now
}
