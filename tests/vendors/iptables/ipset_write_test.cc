// What is written into a set is carried out by the reader's own commands: afterwards the set holds the prefix
// and nothing more, and the rollback gives back what was there.
#include "vendors/iptables/ipset_write.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/support/test.h"
#include "vendors/iptables/ipset_command.h"
#include "vendors/iptables/ipset_read.h"
#include "vendors/iptables/set_match.h"

namespace aclmend::iptables {
namespace {

IpSets sets_of(std::string_view text) {
  const Source source("s.ipset", text);
  auto reading = read_ipsets(source, 0);
  REQUIRE(reading.has_value());
  return std::move(reading->sets);
}

std::string type_in(IpSets& sets, std::string_view line) {
  std::deque<std::string> arena;
  Splitter splitter(Grammar::ipset, arena);
  const auto done = execute(sets, *splitter.split(line), {});
  return done ? "" : done.error().message;
}

std::string answer(std::string_view text, std::string_view prefix,
                   std::optional<WantedService> service = {}) {
  const IpSets sets = sets_of(text);
  const auto written = addition(*sets.named("s"), *parse_prefix(prefix), service);
  return written ? written->command + " / " + written->rollback : "no: " + written.error();
}

constexpr WantedService smtp{protocol::tcp, 25};

}  // namespace

TEST_CASE("a prefix becomes the command of its set, or the reason why not", "[iptables][ipset]") {
  CHECK(answer("create s hash:net\n", "52.100.0.0/14") ==
        "ipset add s 52.100.0.0/14 -exist / ipset del s 52.100.0.0/14 -exist");
  CHECK(answer("create s hash:net family inet6\n", "2a01:111:f400::/48") ==
        "ipset add s 2a01:111:f400::/48 -exist / ipset del s 2a01:111:f400::/48 -exist");
  CHECK(answer("create s hash:net,port\n", "52.100.0.0/14", smtp) ==
        "ipset add s 52.100.0.0/14,tcp:25 -exist / ipset del s 52.100.0.0/14,tcp:25 -exist");
  CHECK(answer("create s hash:net timeout 600\n", "52.100.0.0/14") ==
        "ipset add s 52.100.0.0/14 timeout 0 -exist / ipset del s 52.100.0.0/14 -exist");
  CHECK(answer("create s hash:net timeout 600\nadd s 52.100.0.0/14 timeout 44\n", "52.100.0.0/14") ==
        "ipset add s 52.100.0.0/14 timeout 0 -exist / ipset add s 52.100.0.0/14 timeout 44 -exist");
  CHECK(answer("create s hash:net\nadd s 52.0.0.0/8 nomatch\n", "52.100.0.0/14").starts_with("ipset add"));
  CHECK(answer("create s hash:net\nadd s 52.100.1.0/24 nomatch\n", "52.100.0.0/14") ==
        "no: set 's' says that 52.100.1.0/24 is not in it (nomatch)");
  CHECK(answer("create s hash:net,port\nadd s 52.100.1.0/24,tcp:26 nomatch\n", "52.100.0.0/14", smtp)
            .starts_with("ipset add"));
  CHECK(answer("create s hash:net\nadd s 52.100.0.0/14 nomatch\n", "52.100.0.0/14").starts_with("no: "));
  CHECK(answer("create s hash:net\nadd s 52.100.0.0/14\n", "52.100.0.0/14") ==
        "no: 52.100.0.0/14 is in set 's' already");
  CHECK(answer("create s hash:net maxelem 1\nadd s 1.0.0.0/8\n", "52.100.0.0/14") ==
        "no: set 's' is full: its maxelem is 1");
  CHECK(answer("create s hash:net\n", "0.0.0.0/0") == "no: set 's' takes no /0");
  CHECK(answer("create s hash:net\n", "2a01:111:f400::/48") == "no: set 's' holds IPv4 addresses");
  CHECK(answer("create s hash:net,port\n", "52.100.0.0/14") == "no: set 's' holds pairs of address and port");
  CHECK(answer("create s hash:ip\n", "52.100.0.0/14") ==
        "no: set 's' has room for 65,536 more elements (maxelem 65,536), and 52.100.0.0/14 would be 262,144");
  CHECK(answer("create s hash:ip\n", "52.100.0.0/30") ==
        "ipset add s 52.100.0.0/30 -exist / ipset del s 52.100.0.0/30 -exist");
  CHECK(answer("create s hash:ip\nadd s 52.100.0.1\n", "52.100.0.0/30") ==
        "no: 1 of the 4 addresses of 52.100.0.0/30 are in set 's': a rollback would take them out");
  CHECK(answer("create s hash:ip netmask 24\n", "52.100.0.0/30")
            .starts_with("no: set 's' cuts addresses to /24"));
  CHECK(answer("create s hash:ip netmask 24\n", "52.100.0.0/22").starts_with("ipset add"));
  CHECK(answer("create s hash:ip family inet6\n", "2001:db8::/64")
            .starts_with("no: set 's' takes single IPv6"));
  CHECK(answer("create s bitmap:ip range 10.0.0.0/24\n", "10.0.1.0/30")
            .starts_with("no: 10.0.1.0/30 is outside"));
  CHECK(answer("create s list:set\n", "52.100.0.0/14").starts_with("no: set 's' is a list of sets"));
  CHECK(answer("create s hash:net,iface\n", "52.100.0.0/14")
            .starts_with("no: an element of set 's' (hash:net,iface)"));
  CHECK(answer("create s hash:net\nadd s mail.example.com\n", "52.100.0.0/14")
            .starts_with("no: set 's' is not known"));
}

TEST_CASE("a name that no name should be is not written into a command", "[iptables][ipset]") {
  CHECK(quoted_for_shell("EOP-v4") == "EOP-v4");
  CHECK(quoted_for_shell("a!b%") == "'a!b%'");
  for (const std::string_view bad : {"", "-x", "a b", "a;reboot", "a'b", "$(x)", "a\nb", "a`b"})
    CHECK_FALSE(quoted_for_shell(bad).has_value());
}

TEST_CASE("after the command the set holds the prefix and no more, and the rollback gives back what was",
          "[iptables][ipset]") {
  rc::prop("addition", [] {
    const auto type = *rc::gen::element<std::string>("hash:net", "hash:ip", "hash:net,port", "hash:ip,port",
                                                     "hash:net timeout 60", "hash:ip netmask 30");
    const bool has_port = type.find("port") != std::string::npos, has_net = type.find("net") < 6;
    std::string text = "create s " + type + "\n";
    for (const int number : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 64))) {
      text += fmt::format("add s 10.0.0.{}", 1 + number / 2);
      if (has_net && number % 3 == 0) text += fmt::format("/{}", 28 + number % 5);
      if (has_port) text += number % 5 == 0 ? ",tcp:26" : ",tcp:25";
      if (has_net && number % 7 == 0) text += " nomatch";
      text += " -exist\n";
    }
    const IpSets before = sets_of(text);
    RC_PRE(before.named("s")->is_known());
    const Prefix wanted = prefix_of(Address::v4(0x0A000000 + static_cast<V4>(*rc::gen::inRange(1, 40))),
                                    *rc::gen::inRange(27, 33));
    const auto written = addition(*before.named("s"), wanted, smtp);
    RC_PRE(written.has_value());
    RC_TAG(type);
    IpSets sets = before;
    const std::vector<Flag> flags{Flag::src, Flag::dst};
    const auto packets = [&](const IpSets& of, bool open) {
      const MatchBoxes boxes = boxes_of(of, {"s", flags});
      PacketSet set;
      for (const MatchBox& box : open ? boxes.possible : boxes.certain)
        set |= PacketSet(Box{box.source, box.destination, box.service.protocol, box.service.source,
                             box.service.destination});
      return set;
    };
    RC_ASSERT(type_in(sets, written->command).empty());
    Box asked = Box::all();
    asked.source = AddressSet(wanted);
    asked.destination = AddressSet::all(Family::ipv4);
    if (has_port) {
      asked.protocol = ProtocolSet(6, 6);
      asked.destination_port = PortSet(25, 25);
    }
    RC_ASSERT((PacketSet(asked) - packets(sets, false)).empty());
    RC_ASSERT(packets(sets, true).equals(packets(before, true) | PacketSet(asked)));
    RC_ASSERT(type_in(sets, written->rollback).empty());
    RC_ASSERT(packets(sets, false).equals(packets(before, false)));
    RC_ASSERT(packets(sets, true).equals(packets(before, true)));
  });
}

}  // namespace aclmend::iptables
