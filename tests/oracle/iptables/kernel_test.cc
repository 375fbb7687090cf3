// A second opinion on iptables: the running kernel. See README.md here; `./run --minutes N` is the long form.
#include <algorithm>

#include "tests/oracle/iptables/compare.h"
#include "tests/oracle/iptables/scene.h"
#include "tests/support/test.h"

namespace aclmend::oracle {
namespace {

// The stage, or none and a word of what is left untested.
std::unique_ptr<Stage> stage_or_warning() {
  auto stage = Stage::make();
  if (stage) return std::move(*stage);
  WARN("the kernel was not asked, so nothing says that iptables' rules are read as the kernel obeys them: "
       << stage.error().message
       << " (needed: root, or `unshare --user --map-root-user --net`, and iptables, ipset, iproute2)");
  return nullptr;
}

std::vector<std::string> answers(Stage& stage, std::string_view text) {
  const auto scene = scene_of(text);
  REQUIRE(scene);
  const auto loaded = stage.load(scene->rules);
  INFO((loaded ? "" : loaded.error().message));
  REQUIRE(loaded);
  const auto sights = stage.send(scene->probes);
  REQUIRE(sights);
  std::vector<std::string> texts;
  for (const Sight& sight : *sights) texts.push_back(to_text(sight));
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("the stage sees what is delivered, sent on, translated and dropped", "[oracle][kernel]") {
  const auto stage = stage_or_warning();
  if (stage == nullptr) return;
  const std::string_view v4 =
      "# Every kind of end.\n--- config\n*nat\n-A PREROUTING -p tcp --dport 2526 -j DNAT --to-destination "
      "10.4.4.4:25\n"
      "COMMIT\n*filter\n-A INPUT -p tcp --dport 26 -j DROP\n-A FORWARD -p udp -j REJECT\nCOMMIT\n"
      "--- trace tcp 198.18.0.9:40000 > 203.0.113.1:25 ingress eth0\n"
      "--- trace tcp 198.18.0.9:40000 > 203.0.113.1:26 ingress eth0\n"
      "--- trace tcp 198.18.0.9:40000 > 203.0.113.1:2526 ingress ppp0\n"
      "--- trace udp 198.18.0.9:40000 > 8.8.8.8:53 ingress eth1\n"
      "--- trace gre 198.18.0.9 > 172.16.9.9 ingress eth\n"
      "--- trace esp 198.18.0.9 > 10.1.0.1 ingress br-lan\n"
      "--- trace icmp 198.18.0.9 > 192.168.1.1 icmp-type 8 code 0\n"
      "--- trace sctp 198.18.0.9:9 > 192.168.1.1:25\n";
  const Texts expected{"permit, here at 203.0.113.1:25", "deny",
                       "permit, to 10.4.4.4:25 by eth1", "deny",
                       "permit, to 172.16.9.9 by ppp0",  "permit, here at 10.1.0.1",
                       "permit, here at 192.168.1.1",    "permit, here at 192.168.1.1:25"};
  CHECK(answers(*stage, v4) == expected);
  if (!lacks_of(*stage).has(Backend::legacy))
    CHECK(answers(*stage, "# (legacy)\n" + std::string(v4)) == expected);
  const std::string_view v6 =
      "# IPv6.\n--- config\n*filter\n-A INPUT -p tcp --dport 26 -j DROP\nCOMMIT\n"
      "--- trace tcp [2600::9]:40000 > [2001:db8:0:1::1]:25 ingress eth0\n"
      "--- trace tcp [2600::9]:40000 > [2001:db8:0:1::1]:26 ingress eth0\n"
      "--- trace gre 2600::9 > fd00::7 ingress eth0\n"
      "--- trace icmp6 2600::9 > fd00::1 ingress eth0 icmp-type 128 code 0\n";
  CHECK(answers(*stage, v6) == Texts{"permit, here at [2001:db8:0:1::1]:25", "deny",
                                     "permit, to fd00::7 by br-lan", "permit, here at fd00::1"});
}

TEST_CASE("the kernel has the modules that matter most and says what it lacks", "[oracle][kernel]") {
  const auto stage = stage_or_warning();
  if (stage == nullptr) return;
  const Lacks lacks = lacks_of(*stage);
  if (const std::string text = to_text(lacks); !text.empty())
    WARN("not compared, since this kernel or its tools lack it: " << text);
  CHECK_FALSE(lacks.has(Backend::nft));
  for (const std::string_view module : {"-m conntrack", "-m multiport", "-m set", "-j DNAT"})
    CHECK(std::ranges::find(lacks.modules, module) == lacks.modules.end());
  CHECK(std::ranges::find(lacks.set_types, "hash:net") == lacks.set_types.end());
}

TEST_CASE("the kernel and the model judge random packets alike", "[oracle][kernel]") {
  const auto stage = stage_or_warning();
  if (stage == nullptr) return;
  const Lacks lacks = lacks_of(*stage);
  Tally all;
  std::uint64_t seed = 0;
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const Backend backend : {Backend::nft, Backend::legacy}) {
      if (lacks.has(backend)) continue;
      const std::size_t rule_sets = (family == Family::ipv4 ? 36U : 18U) / (backend == Backend::nft ? 1 : 3);
      for (std::size_t i = 0; i < rule_sets; ++i) {
        const auto tally = hunt(*stage, lacks,
                                {.seed = ++seed,
                                 .taste = i % 6 == 4 ? Taste::anything : Taste::decidable,
                                 .family = family,
                                 .backend = backend,
                                 .as_saved = i % 2 == 1,
                                 .told = i % 6 == 2 ? Told::no_ingress : Told::all,
                                 .packets = 80});
        if (!tally) FAIL_CHECK(tally.error().message);
        else all += *tally;
      }
    }
  for (const std::string& complaint : all.complaints) FAIL_CHECK(complaint);
  // Were nearly all of them denied, or unknown, little would be compared.
  CHECK(all.packets >= 2000);
  CHECK(all.permitted > all.packets / 8);
  CHECK(all.unknown < all.packets / 20);
  CHECK(all.translated > 50);
  WARN(all.packets << " packets compared in " << all.rule_sets << " rule sets: " << all.permitted
                   << " permitted, " << all.denied << " denied, " << all.unknown << " unknown, "
                   << all.translated << " translated");
}

TEST_CASE("rules that need a missing module are left out alone", "[oracle]") {
  const Lacks lacks{{}, {"-m addrtype", "-j NETMAP"}, {"hash:net"}};
  const RuleSet left = without(
      lacks,
      {Family::ipv4, Backend::nft,
       "create n hash:net\nadd n 192.0.2.0/24\ncreate i hash:ip\ncreate l list:set\nadd l n\nadd l i\n",
       "*nat\n-A PREROUTING -j NETMAP --to 192.0.2.0/24\nCOMMIT\n*filter\n-A INPUT -m set --match-set n src\n"
       "-A INPUT -m set --match-set i src\n-A INPUT -m addrtype --dst-type LOCAL\nCOMMIT\n"});
  CHECK(left.sets == "create i hash:ip\ncreate l list:set\nadd l i\n");
  CHECK(left.rules == "*nat\nCOMMIT\n*filter\n-A INPUT -m set --match-set i src\nCOMMIT\n");
}

}  // namespace aclmend::oracle
