// What stands on the way: two network namespaces, a firewall between them, and how its answers are told
// apart.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "tests/oracle/iptables/namespace.h"
#include "tests/support/daemon.h"
#include "tests/support/program.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::test;
using oracle::Descriptor;
using oracle::Inside;
using Json = nlohmann::json;

namespace {

bool done(const Result<oracle::Ran>& ran) { return ran && ran->status == 0; }

// A server's namespace behind this firewall; the client's holds the other end of the wire.
struct Wire {
  Descriptor home, server, client;
  std::string trouble;  // empty: it stands

  static std::vector<std::string> words(const std::string& text) {
    std::vector<std::string> all;
    std::size_t at = 0;
    while (at < text.size()) {
      const std::size_t end = std::min(text.find(' ', at), text.size());
      if (end > at) all.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return all;
  }

  bool run(const Descriptor& where, const std::string& command) {
    const Inside inside(where, home);
    const auto ran = oracle::ran(words(command), {});
    if (done(ran)) return true;
    trouble = command + ": " + (ran ? ran->err : ran.error().message);
    return false;
  }

  Wire() { trouble = laid(); }

  // What went wrong, if anything.
  std::string laid() {
    auto own = oracle::own_namespace();
    if (!own) return own.error().message;
    home = std::move(*own);
    auto first = oracle::new_namespace(home), second = oracle::new_namespace(home);
    if (!first || !second) return "no network namespaces";
    server = std::move(*first);
    client = std::move(*second);
    const std::string there = fmt::format("/proc/{}/fd/{}", getpid(), *server);
    {
      const Inside inside(client, home);  // the wire is made in the client's, and one end is given away
      const auto made = oracle::ran(words("ip link add c0 type veth peer name s0 netns " + there), {});
      if (!done(made)) return made ? made->err : made.error().message;
    }
    for (const char* command : {"addr add 10.9.0.4/24 dev c0", "addr add fd00:9::4/64 dev c0 nodad",
                                "link set c0 up", "link set lo up"})
      if (!run(client, fmt::format("ip {}", command))) return trouble;
    for (const char* command : {"addr add 10.9.0.1/24 dev s0", "addr add fd00:9::1/64 dev s0 nodad",
                                "link set s0 up", "link set lo up"})
      if (!run(server, fmt::format("ip {}", command))) return trouble;
    return "";
  }

  // The step `tcp` of a probe from the client's side.
  std::string tcp(const std::string& address, int port, const std::string& timeout = "5") {
    const Inside inside(client, home);
    const Ran ran = aclmend::test::aclmend(
        {"probe", address, "--port", std::to_string(port), "--timeout", timeout, "--format", "json"});
    INFO(ran.err);
    REQUIRE(ran.out.starts_with("{"));
    status = ran.status;
    const Json step = Json::parse(ran.out)["hosts"][0]["addresses"][0]["steps"][0];
    return step["status"].get<std::string>() + ": " + step["text"].get<std::string>();
  }
  int status = 0;
};

}  // namespace

TEST_CASE("a firewall's answers: dropped, reset, ICMP of every kind, and who sent it", "[probe][kernel]") {
  if (!is_installed("iptables") || !is_installed("ip")) {
    WARN("iptables or iproute2 is not installed: what a firewall answers is not tried");
    return;
  }
  Wire wire;
  if (!wire.trouble.empty()) {
    WARN("no network namespaces here (" << wire.trouble << "): what a firewall answers is not tried");
    return;
  }
  const auto rule = [&](const std::string& program, int port, const std::string& target) {
    const bool is_set =
        wire.run(wire.server, fmt::format("{} -A INPUT -p tcp --dport {} -j {}", program, port, target));
    INFO(wire.trouble);
    REQUIRE(is_set);
  };
  rule("iptables", 2701, "DROP");
  rule("iptables", 2702, "REJECT --reject-with tcp-reset");
  rule("iptables", 2703, "REJECT --reject-with icmp-port-unreachable");
  rule("iptables", 2705, "REJECT --reject-with icmp-admin-prohibited");
  rule("iptables", 2706, "REJECT --reject-with icmp-host-prohibited");
  rule("ip6tables", 2703, "REJECT --reject-with icmp6-port-unreachable");
  rule("ip6tables", 2705, "REJECT --reject-with icmp6-adm-prohibited");

  CHECK(wire.tcp("10.9.0.1", 2701, "0.3") ==
        "fail: no answer within 0.3 s: dropped on the way, or nobody there (socket error 10060 in "
        "Microsoft's texts)");
  CHECK(wire.status == 1);
  CHECK(wire.tcp("10.9.0.1", 2702) ==
        "fail: refused (RST): no listener there, or a firewall or balancer that rejects (socket error 10061 "
        "in Microsoft's "
        "texts)");
  CHECK(wire.tcp("10.9.0.1", 2703) ==
        "fail: refused by an ICMP message, as a firewall sends it; ICMP port-unreachable (3/3) from 10.9.0.1 "
        "(socket error "
        "10061 in Microsoft's texts)");
  CHECK(wire.tcp("10.9.0.1", 2705) ==
        "fail: unreachable: a box on the way says so; ICMP admin-prohibited (3/13) from 10.9.0.1 (socket "
        "error 10065 in "
        "Microsoft's texts)");
  CHECK(wire.tcp("10.9.0.1", 2706).find("ICMP host-prohibited (3/10) from 10.9.0.1") != std::string::npos);
  CHECK(wire.tcp("fd00:9::1", 2703).find("ICMPv6 port-unreachable (1/4) from fd00:9::1") !=
        std::string::npos);
  CHECK(wire.tcp("fd00:9::1", 2705).find("ICMPv6 admin-prohibited (1/1) from fd00:9::1") !=
        std::string::npos);
  CHECK(wire.tcp("203.0.113.25", 25) ==
        "unknown: not sent: Network is unreachable on this machine itself (route or own filter)");
  CHECK(wire.status == 2);  // this machine's fault judges no server
}
