// Names as real servers tell them: Knot holds and signs the zone, Unbound validates. The logic without
// servers is in targets_test.cc.
#include "tests/support/test.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "net/dns.h"
#include "probe/targets.h"
#include "tests/support/daemon.h"
#include "tests/support/folder.h"
#include "tests/support/lab.h"
#include "tests/support/program.h"
#include "tests/support/smtp_server.h"

using namespace aclmend;
using namespace aclmend::test;
using net::RecordType;
using Status = net::DnsAnswer::Status;
using Json = nlohmann::json;

namespace {

net::Endpoint local(std::uint16_t port) { return {*parse_address("127.0.0.1"), port}; }

net::DnsAnswer ask(std::uint16_t port, std::string_view name, RecordType type) {
  const auto resolver =
      net::Resolver::open({.server = local(port), .timeout = std::chrono::milliseconds(2000)});
  REQUIRE(resolver);
  return resolver->ask(name, type);
}

// 3 1 1 by OpenSSL's own program: SHA-256 of the public key (RFC 6698, appendix A.3.1).
std::string key_digest(const Folder& folder, const Identity& identity) {
  const std::string file = folder.write("leaf.pem", identity.chain);
  return printed_by("openssl x509 -in " + file +
                    " -noout -pubkey | openssl pkey -pubin -outform der | openssl dgst -sha256 -r | cut "
                    "-c1-64 | tr -d '\\n'")
      .text;
}

constexpr std::string_view knot_conf = R"(server:
    listen: 127.0.0.1@{port}
    rundir: {folder}
database:
    storage: {folder}
policy:
  - id: quick
    algorithm: ecdsap256sha256
    single-type-signing: on
template:
  - id: default
    storage: {folder}
    dnssec-signing: on
    dnssec-policy: quick
    zonefile-sync: -1
    zonefile-load: difference-no-serial
    journal-content: all
zone:
  - domain: lab.test
  - domain: bogus.test
)";

constexpr std::string_view unbound_conf = R"(server:
  interface: 127.0.0.1@{port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  do-not-query-localhost: no
  local-zone: "test." nodefault
  trust-anchor: "{anchor}"
  trust-anchor: "{bad_anchor}"
  num-threads: 1
remote-control:
  control-enable: no
stub-zone:
  name: "lab.test"
  stub-addr: 127.0.0.1@{knot}
stub-zone:
  name: "bogus.test"
  stub-addr: 127.0.0.1@{knot}
)";

std::string zone_head() { return "$TTL 60\n@ SOA ns hostmaster 1 60 60 600 60\n@ NS ns\nns A 127.0.0.1\n"; }

std::string lab_zone(std::uint16_t port, const std::string& digest, const std::string& stale_digest) {
  std::string zone =
      zone_head() +
      "@ MX 10 mail\n@ MX 20 mail2\nmail A 127.0.0.1\nmail2 A 127.0.0.2\nboth A 127.0.0.1\nboth AAAA ::1\n"
      "null MX 0 .\nmixed MX 0 .\nmixed MX 10 mail\nimplicit A 127.0.0.1\n"
      "cnamemx MX 10 alias\nalias CNAME mail\nwww CNAME lab.test.\nipmx MX 10 192.0.2.1.\n"
      "dangling MX 10 nowhere\nloop1 CNAME loop2\nloop2 CNAME loop1\ntext TXT \"one \" \"two\"\n";
  zone += fmt::format("_{0}._tcp.mail TLSA 3 1 1 {1}\n_{0}._tcp.mail2 TLSA 3 1 1 {2}\n", port, digest,
                      stale_digest);
  for (int i = 0; i < 60; ++i)
    zone +=
        fmt::format("big MX {} a-rather-long-name-so-that-the-answer-is-cut-{:02}.lab.test.\n", 60 - i, i);
  return zone;
}

// Started once, when the first test asks; they end with the process.
struct Names {
  Folder folder;
  Identity identity = Lab::the().good();
  SmtpServer server{Script{.identity = identity}, "0.0.0.0"};
  std::uint16_t knot_port = free_port(), unbound_port = free_port();
  std::unique_ptr<Daemon> knot, unbound;

  Names() {
    const std::string& path = folder.path();
    folder.write("lab.test.zone",
                 lab_zone(server.port(), key_digest(folder, identity), std::string(64, '0')));
    folder.write("bogus.test.zone", zone_head() + "@ MX 10 mail\nmail A 127.0.0.1\n");
    const std::string conf = folder.write(
        "knot.conf", fmt::format(knot_conf, fmt::arg("port", knot_port), fmt::arg("folder", path)));
    knot =
        std::make_unique<Daemon>(std::vector<std::string>{"knotd", "-c", conf}, path + "/knot.log", [this] {
          const auto resolver = net::Resolver::open(
              {.server = local(knot_port), .timeout = std::chrono::milliseconds(300), .tries = 1});
          return resolver && resolver->ask("mail.lab.test", RecordType::a).status == Status::answered;
        });
    if (!knot->is_up()) return;
    const std::string anchor = first_line(printed_by("keymgr -c " + conf + " lab.test ds").text);
    std::string bad_anchor = anchor;
    bad_anchor.replace(0, std::string_view("lab.test").size(), "bogus.test");
    const std::string unbound_file = folder.write(
        "unbound.conf", fmt::format(unbound_conf, fmt::arg("port", unbound_port), fmt::arg("folder", path),
                                    fmt::arg("anchor", anchor), fmt::arg("bad_anchor", bad_anchor),
                                    fmt::arg("knot", knot_port)));
    unbound = std::make_unique<Daemon>(
        std::vector<std::string>{"unbound", "-d", "-c", unbound_file}, path + "/unbound.log", [this] {
          const auto resolver = net::Resolver::open(
              {.server = local(unbound_port), .timeout = std::chrono::milliseconds(300), .tries = 1});
          return resolver && resolver->ask("mail.lab.test", RecordType::a).status == Status::answered;
        });
  }

  static std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }
};

// None where the programs are missing; the test has said so.
Names* names() {
  if (!is_installed("knotd") || !is_installed("unbound")) {
    WARN("knot or unbound is not installed: names are not tried on real servers");
    return nullptr;
  }
  static Names all;
  if (!all.knot->is_up() || all.unbound == nullptr || !all.unbound->is_up()) {
    FAIL("knot or unbound does not start: "
         << text_of(all.folder.path() + "/knot.log")
         << (all.unbound ? text_of(all.folder.path() + "/unbound.log") : ""));
  }
  return &all;
}

struct Answer {
  int status = 0;
  Json document;
};

Answer probed(const Names& names, std::uint16_t resolver, std::vector<std::string> args) {
  args.insert(args.begin(), "probe");
  args.insert(args.end(), {"--resolver", fmt::format("127.0.0.1:{}", resolver), "--port",
                           std::to_string(names.server.port()), "--timeout", "5", "--format", "json",
                           "--ca-file", names.folder.write("ca.pem", Lab::the().root())});
  const Ran ran = aclmend::test::aclmend(args);
  INFO(ran.err);
  REQUIRE(ran.out.starts_with("{"));
  return {ran.status, Json::parse(ran.out)};
}

std::string step(const Json& steps, const std::string& id) {
  for (const Json& step : steps)
    if (step["id"] == id) return step["status"].get<std::string>() + ": " + step["text"].get<std::string>();
  return "";
}

}  // namespace

TEST_CASE("records of every type come from a real server", "[probe][dns]") {
  Names* real = names();
  if (real == nullptr) return;
  const auto answer = [&](std::string_view name, RecordType type) {
    return ask(real->knot_port, name, type);
  };
  const auto mx = answer("lab.test", RecordType::mx);
  REQUIRE(mx.records.size() == 2);
  CHECK(std::ranges::count(mx.records, "mail2.lab.test", &net::Record::target) == 1);
  CHECK(answer("MAIL.lab.test.", RecordType::a).records.at(0).address == *parse_address("127.0.0.1"));
  CHECK(answer("both.lab.test", RecordType::aaaa).records.at(0).address == *parse_address("::1"));
  CHECK(answer("text.lab.test", RecordType::txt).records.at(0).text == "one two");
  CHECK(answer("null.lab.test", RecordType::mx).records.at(0).target.empty());
  const auto tlsa = answer(fmt::format("_{}._tcp.mail.lab.test", real->server.port()), RecordType::tlsa);
  CHECK(tlsa.records.at(0).usage == 3);
  CHECK(tlsa.records.at(0).data.size() == 32);
  CHECK(answer("mail.lab.test", RecordType::mx).status == Status::no_data);
  CHECK(answer("nowhere.lab.test", RecordType::a).status == Status::no_such_name);
  const auto alias = answer("www.lab.test", RecordType::mx);
  CHECK(alias.aliases == std::vector<std::string>{"lab.test"});
  CHECK(alias.records.size() == 2);
  CHECK(answer("elsewhere.example", RecordType::a).status == Status::failed);  // REFUSED: not its zone
  CHECK(answer("big.lab.test", RecordType::mx).records.size() == 60);  // cut off in UDP, asked again over TCP
  CHECK(ask(closed_port(), "lab.test", RecordType::mx).status == Status::timed_out);
}

TEST_CASE("a validating resolver vouches with the AD bit; a broken chain is SERVFAIL", "[probe][dns]") {
  Names* real = names();
  if (real == nullptr) return;
  CHECK(ask(real->unbound_port, "lab.test", RecordType::mx).is_authenticated);
  CHECK_FALSE(ask(real->knot_port, "lab.test", RecordType::mx).is_authenticated);
  CHECK(ask(real->unbound_port, "bogus.test", RecordType::mx).status == Status::failed);
  CHECK(ask(real->unbound_port, "loop1.lab.test", RecordType::a).status != Status::answered);
}

TEST_CASE("every address of every MX is asked, TLSA records are met or not", "[probe][dns][schema]") {
  Names* real = names();
  if (real == nullptr) return;
  const Answer answer = probed(*real, real->unbound_port, {"lab.test", "--allow-private"});
  REQUIRE(answer.document["hosts"].size() == 2);
  const Json& mail = answer.document["hosts"][0];
  CHECK(mail["name"] == "mail.lab.test");
  CHECK(mail["preference"] == 10);
  CHECK(step(mail["steps"], "dns.mx") == "ok: 2 MX records");
  CHECK(step(mail["addresses"][0]["steps"], "dane") == "ok: TLSA 3 1 1 is met by the certificate");
  const Json& second =
      answer.document["hosts"][1];  // another address, the same certificate: the name is wrong there
  CHECK(step(second["addresses"][0]["steps"], "dane").starts_with("fail: no TLSA record (3 1 1)"));
  CHECK(step(second["addresses"][0]["steps"], "tls.name").starts_with("fail"));
  CHECK(answer.status == 1);
  CHECK(answer.document["vantage"]["resolvers"] == Json{fmt::format("127.0.0.1:{}", real->unbound_port)});
  CHECK(schema_errors(answer.document.dump(), "probe") == "");
}

TEST_CASE("private addresses that an MX record names are not asked without a word", "[probe][dns]") {
  Names* real = names();
  if (real == nullptr) return;
  const Answer answer = probed(*real, real->knot_port, {"lab.test"});
  CHECK(answer.status == 2);
  CHECK(step(answer.document["hosts"][0]["addresses"][0]["steps"], "tcp") ==
        "unknown: not asked: a private address that an MX record names (--allow-private)");
  CHECK(probed(*real, real->knot_port, {"mail.lab.test", "--smarthost"}).status == 0);  // named by the user
  // Without DNSSEC TLSA records bind nobody.
  CHECK(step(probed(*real, real->knot_port, {"mail.lab.test"}).document["hosts"][0]["addresses"][0]["steps"],
             "dane") == "skipped: TLSA records that DNSSEC does not vouch for: senders ignore them");
}

TEST_CASE("a domain that takes no mail, and names that lead nowhere, are findings", "[probe][dns]") {
  Names* real = names();
  if (real == nullptr) return;
  const auto lookup = [&](const std::string& name, const std::string& id, int status) {
    const Answer answer = probed(*real, real->unbound_port, {name, "--allow-private"});
    INFO(name);
    CHECK(answer.status == status);
    return step(answer.document["hosts"][0]["steps"], id);
  };
  CHECK(lookup("null.lab.test", "dns.address", 1) ==
        "fail: null MX (RFC 7505): this domain says that it takes no mail");
  CHECK(lookup("nowhere.lab.test", "dns.mx", 1) == "fail: there is no such name (NXDOMAIN)");
  CHECK(lookup("dangling.lab.test", "dns.address", 1) == "fail: there is no such name (NXDOMAIN)");
  CHECK(lookup("ipmx.lab.test", "dns.address", 1).starts_with("fail: the MX record names an address"));
  CHECK(lookup("bogus.test", "dns.mx", 2) == "unknown: the resolver failed (SERVFAIL)");
  CHECK(lookup("implicit.lab.test", "dns.mx", 1).starts_with("ok: no MX record"));  // the name is wrong there
  const Answer alias = probed(*real, real->unbound_port, {"cnamemx.lab.test", "--allow-private"});
  CHECK(alias.document["hosts"][0]["remarks"].dump().find("names an alias (CNAME)") != std::string::npos);
}
