// Mail servers of others: Postfix and Exim as private instances, and swaks as a second opinion on what they
// say.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "tests/support/daemon.h"
#include "tests/support/folder.h"
#include "tests/support/lab.h"
#include "tests/support/program.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test.h"

using namespace aclmend::test;
using Json = nlohmann::json;

namespace {

constexpr std::string_view postfix_main = R"(compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mail.lab.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_relay_restrictions = reject_unauth_destination
alias_maps =
smtpd_tls_security_level = may
smtpd_tls_chain_files = {folder}/chain.pem
maillog_file = {folder}/data/mail.log
maillog_file_prefixes = {folder}
)";

constexpr std::string_view postfix_master = R"(127.0.0.1:{tls} inet n - n - - smtpd
127.0.0.1:{plain} inet n - n - - smtpd
  -o smtpd_tls_security_level=none
127.0.0.1:{screen} inet n - n - 1 postscreen
  -o postscreen_access_list=
  -o postscreen_greet_wait=1s
  -o postscreen_greet_banner=please-wait
  -o postscreen_greet_action=enforce
smtpd pass - - n - - smtpd
tlsproxy unix - - n - 0 tlsproxy
dnsblog unix - - n - 0 dnsblog
postlog unix-dgram n - n - 1 postlogd
anvil unix - - n - 1 anvil
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
pickup unix n - n 60 1 pickup
qmgr unix n - n 300 1 qmgr
)";

struct Postfix {
  Folder folder;
  std::uint16_t tls = free_port(), plain = free_port(), screen = free_port();
  std::unique_ptr<Daemon> daemon;

  Postfix() {
    const std::string& path = folder.path();
    const Identity identity = Lab::the().good();
    folder.write("chain.pem", identity.key + identity.chain);
    folder.write("main.cf", fmt::format(postfix_main, fmt::arg("folder", path)));
    folder.write("master.cf", fmt::format(postfix_master, fmt::arg("tls", tls), fmt::arg("plain", plain),
                                          fmt::arg("screen", screen)));
    printed_by("chmod 755 " + path + " && mkdir " + path + "/queue " + path + "/data && chown postfix " +
               path + "/data");
    daemon = std::make_unique<Daemon>(std::vector<std::string>{"postfix", "-c", path, "start-fg"},
                                      path + "/out.log", [this] { return greets(tls) && greets(plain); });
  }
};

constexpr std::string_view exim_conf = R"(primary_hostname = mail.lab.test
spool_directory = {folder}/spool
log_file_path = {folder}/spool/%slog
pid_file_path = {folder}/spool/exim.pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
tls_advertise_hosts = *
tls_certificate = {folder}/chain.pem
tls_privatekey = {folder}/key.pem
acl_smtp_rcpt = closed
begin acl
closed:
  deny message = no recipients here
)";

// Exim wants its user; where the system has none, it sees one of its own.
struct Exim {
  Folder folder;
  std::uint16_t port = free_port();
  std::unique_ptr<Daemon> daemon;

  explicit Exim(const std::string& program) {
    const std::string& path = folder.path();
    const Identity identity = Lab::the().good();
    folder.write("chain.pem", identity.chain);
    folder.write("key.pem", identity.key);
    folder.write("exim.conf", fmt::format(exim_conf, fmt::arg("folder", path), fmt::arg("port", port)));
    folder.write("passwd", text_of("/etc/passwd") + "Debian-exim:x:64999:64999::/:/bin/false\n");
    folder.write("group", text_of("/etc/group") + "Debian-exim:x:64999:\n");
    printed_by("cd " + path + " && chmod 755 . && chmod 644 * && mkdir spool && chown 64999:64999 spool");
    const std::string command = fmt::format(
        "mount --bind {0}/passwd /etc/passwd && mount --bind {0}/group /etc/group && exec {1} -C "
        "{0}/exim.conf -bdf",
        path, program);
    daemon = std::make_unique<Daemon>(std::vector<std::string>{"unshare", "-m", "sh", "-c", command},
                                      path + "/out.log", [this] { return greets(port); });
  }
};

struct Answer {
  int status = 0;
  Json document;
  std::string step(const std::string& id) const {
    for (const Json& step : document["hosts"][0]["addresses"][0]["steps"])
      if (step["id"] == id) return step["status"].get<std::string>() + ": " + step["text"].get<std::string>();
    return "";
  }
};

Answer probed(std::uint16_t port, const std::string& ca, std::vector<std::string> more = {}) {
  std::vector<std::string> args{
      "probe", "mail.lab.test", "--address", "127.0.0.1", "--port", std::to_string(port), "--ca-file",
      ca,      "--timeout",     "10",        "--format",  "json"};
  args.insert(args.end(), more.begin(), more.end());
  const Ran ran = aclmend::test::aclmend(args);
  INFO(ran.err);
  REQUIRE(ran.out.starts_with("{"));
  return {ran.status, Json::parse(ran.out)};
}

bool is_superuser(const std::string& what) {
  if (geteuid() == 0) return true;
  WARN(what << " is not tried: it starts as the superuser only");
  return false;
}

std::string exim_program() {
  for (const std::string& path :
       {std::string("/usr/sbin/exim4"), (root() / "build/exim/usr/sbin/exim4").string()})
    if (is_installed(path)) return path;
  return "";
}

// swaks(1), EXIT CODES
constexpr int swaks_ok = 0, swaks_no_connection = 2, swaks_no_starttls = 29;

}  // namespace

TEST_CASE("Postfix: with TLS, without, and behind postscreen", "[probe][servers]") {
  if (!is_installed("postfix")) {
    WARN("postfix is not installed: not tried");
    return;
  }
  if (!is_superuser("postfix")) return;
  const Postfix postfix;
  INFO(text_of(postfix.folder.path() + "/out.log"));
  REQUIRE(postfix.daemon->is_up());
  const Folder folder;
  const std::string ca = folder.write("ca.pem", Lab::the().root());

  const Answer good = probed(postfix.tls, ca);
  CHECK(good.status == 0);
  CHECK(good.step("banner") == "ok: 220 mail.lab.test ESMTP Postfix");
  CHECK(good.step("tls.chain") == "ok: 2 certificates sent, issued by CN=Lab Issuing, O=Lab");
  CHECK(good.step("ehlo.tls").starts_with("ok"));

  const Answer plain = probed(postfix.plain, ca);
  CHECK(plain.status == 1);
  CHECK(plain.step("starttls") == "fail: not offered");

  // postscreen sends one line of its greeting and watches who talks before the last.
  const Answer screened = probed(postfix.screen, ca);
  CHECK(screened.step("banner") == "ok: 220 please-wait");
  CHECK(screened.status == 0);

  const Answer recipient = probed(postfix.tls, ca, {"--try-recipient", "a@elsewhere.test"});
  CHECK(recipient.status == 1);
  CHECK(recipient.step("recipient").starts_with("fail: 554 5.7.1"));
}

TEST_CASE("Exim passes every step", "[probe][servers]") {
  const std::string program = exim_program();
  if (program.empty()) {
    WARN("exim4 is neither installed nor unpacked in build/exim: not tried");
    return;
  }
  if (!is_superuser("exim4")) return;
  if (printed_by("unshare -m true").status != 0) {
    WARN("no mount namespace may be made here: exim4 is not tried");
    return;
  }
  const Exim exim(program);
  INFO(text_of(exim.folder.path() + "/out.log"));
  REQUIRE(exim.daemon->is_up());
  const Answer good = probed(exim.port, exim.folder.write("ca.pem", Lab::the().root()));
  CHECK(good.status == 0);
  CHECK(good.step("banner").starts_with("ok: 220 mail.lab.test ESMTP Exim"));
  CHECK(good.step("tls.handshake").starts_with("ok: TLSv1.3"));
}

TEST_CASE("swaks says the same where it can tell", "[probe][servers]") {
  if (!is_installed("swaks") || printed_by("perl -MNet::SSLeay -e1").status != 0) {
    WARN("swaks or Net::SSLeay is not installed: no second opinion");
    return;
  }
  const Folder folder;
  const std::string ca = folder.write("ca.pem", Lab::the().root());
  const auto swaks = [&](std::uint16_t port, const std::string& more) {
    return printed_by(fmt::format(
        "swaks --server 127.0.0.1:{} --helo me.lab.test --quit-after {} --timeout 5", port, more));
  };
  Script script;
  script.identity = Lab::the().good();
  {
    const SmtpServer server(script);
    const Answer ours = probed(server.port(), ca);
    const auto theirs = swaks(server.port(), "TLS --tls --tls-verify --tls-ca-path " + ca);
    INFO(theirs.text);
    CHECK(theirs.status == swaks_ok);
    CHECK(ours.status == 0);
    CHECK(theirs.text.find("CN=mail.lab.test") != std::string::npos);
    CHECK(theirs.text.find("TLSv1.3") != std::string::npos);
  }
  {
    Script plain = script;
    plain.ehlo = "250-mail.lab.test\r\n250 SIZE 1\r\n";
    const SmtpServer server(plain);
    CHECK(swaks(server.port(), "TLS --tls").status == swaks_no_starttls);
    CHECK(probed(server.port(), ca).step("starttls") == "fail: not offered");
  }
  {
    Script untrusted = script;
    untrusted.identity = Lab::the().untrusted();
    const SmtpServer server(untrusted);
    CHECK(swaks(server.port(), "TLS --tls --tls-verify --tls-ca-path " + ca).status != swaks_ok);
    CHECK(probed(server.port(), ca).step("tls.chain").starts_with("fail"));
  }
  const std::uint16_t closed = closed_port();
  CHECK(swaks(closed, "CONNECT").status == swaks_no_connection);
  CHECK(probed(closed, ca).step("tcp").starts_with("fail: refused"));
}
