// Set files against what ipset 7.17 was measured to make of the same lines.
#include "vendors/iptables/ipset_read.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/support/test.h"
#include "vendors/iptables/ipset_command.h"

namespace aclmend::iptables {
namespace {

struct Read {
  SourcePtr source;
  IpsetReading reading;

  const IpSet& set(std::string_view name = "s") const {
    const IpSet* found = reading.sets.named(name);
    REQUIRE(found != nullptr);
    return *found;
  }
  std::vector<std::string> said() const {
    std::vector<std::string> texts;
    const SourcePtr sources[] = {source};
    for (const Diagnostic& one : reading.diagnostics.all()) {
      const std::string text = render(one, sources);
      texts.push_back(text.substr(0, text.find('\n')));
    }
    return texts;
  }
};

Read read(std::string_view text) {
  auto source = std::make_shared<const Source>("s.ipset", text);
  auto reading = read_ipsets(*source, 0);
  REQUIRE(reading.has_value());
  return {source, std::move(*reading)};
}

// The elements as text, sorted, with what is behind them.
std::string held(const IpSet& set) {
  if (set.doubt) return "? " + set.doubt->why;
  std::vector<std::string> all;
  for (std::size_t i = 0; i < set.elements.size(); ++i) {
    const Element& element = set.elements[i];
    std::string text = element_text(set, i);
    if (element.timeout != 0) text += fmt::format(" timeout {}", std::uint32_t{element.timeout});
    if (element.nomatch) text += " nomatch";
    if (element.wildcard) text += " wildcard";
    if (element.doubtful) text += " doubtful";
    all.push_back(text);
  }
  std::ranges::sort(all);
  return fmt::format("{}", fmt::join(all, ";"));
}

std::string held_after(std::string_view type, std::string_view element) {
  const Read file = read(fmt::format("create s {}\nadd s {}\n", type, element));
  return held(file.set());
}

// Lines as a script has them, one after another; what the last one answered.
std::string script(IpSets& sets, std::string_view text) {
  std::string answer;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::deque<std::string> arena;
    Splitter splitter(Grammar::ipset, arena);
    const auto words = splitter.split(rest.substr(0, end));
    REQUIRE(words.has_value());
    const auto done = execute(sets, *words, {});
    answer = done ? "ok" : done.error().message;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return answer;
}

}  // namespace

TEST_CASE("elements become what ipset save would print of them", "[iptables][ipset]") {
  struct Case {
    std::string_view type, element, held;
  };
  constexpr Case cases[] = {
      {"hash:net", "10.0.0.0/8", "10.0.0.0/8"},
      {"hash:net", "1.2.3.4", "1.2.3.4"},
      {"hash:net", "1.2.3.4/32", "1.2.3.4"},
      {"hash:net", "10.1.2.3/8", "10.0.0.0/8"},
      {"hash:net", "0.0.0.0/1", "0.0.0.0/1"},
      {"hash:net", "0.0.0.0", "0.0.0.0"},
      {"hash:net", "1.2.3.4 nomatch", "1.2.3.4 nomatch"},
      {"hash:net timeout 0", "1.2.3.4 timeout 5 nomatch", "1.2.3.4 timeout 5 nomatch"},
      {"hash:net timeout 300", "1.2.3.4", "1.2.3.4 timeout 300"},
      {"hash:net timeout 300", "1.2.3.4 timeout 0", "1.2.3.4"},
      {"hash:net", "1.2.3.0-1.2.4.7", "1.2.3.0/24;1.2.4.0/29"},
      {"hash:net", "1.2.3.4-1.2.3.1", "1.2.3.1;1.2.3.2/31;1.2.3.4"},
      {"hash:net counters comment skbinfo",
       R"(1.2.3.4 packets 5 bytes 7 comment "a b" skbmark 0x5/0xff skbprio 1:10 skbqueue 5)", "1.2.3.4"},
      {"hash:net family inet6", "2001:DB8::1/32", "2001:db8::/32"},
      {"hash:net family inet6", "::", "::"},
      {"hash:ip", "1.2.3.5/30", "1.2.3.4;1.2.3.5;1.2.3.6;1.2.3.7"},
      {"hash:ip", "1.2.3.4-1.2.3.1", "1.2.3.1;1.2.3.2;1.2.3.3;1.2.3.4"},
      {"hash:ip", "[1.2.3.4]", "1.2.3.4"},
      {"hash:ip netmask 24", "10.0.0.7-10.0.2.3", "10.0.0.0;10.0.1.0;10.0.2.0"},
      {"hash:ip netmask 24", "10.0.0.0/22", "10.0.0.0;10.0.1.0;10.0.2.0;10.0.3.0"},
      {"hash:ip bitmask 255.255.255.0", "10.0.0.5", "10.0.0.0"},
      {"hash:ip family inet6", "2001:db8::1/128", "2001:db8::1"},
      {"hash:ip family inet6 netmask 64", "2001:db8::5", "2001:db8::"},
      {"hash:ip,port", "1.2.3.4,25", "1.2.3.4,tcp:25"},
      {"hash:ip,port", "1.2.3.4,tcp:smtp", "1.2.3.4,tcp:25"},
      {"hash:ip,port", "1.2.3.4,tcp:26-24", "1.2.3.4,tcp:24;1.2.3.4,tcp:25;1.2.3.4,tcp:26"},
      {"hash:ip,port", "1.2.3.4,TCP:0x19", "1.2.3.4,tcp:25"},
      {"hash:ip,port", "1.2.3.4,icmp:echo-request", "1.2.3.4,icmp:8/0"},
      {"hash:ip,port", "1.2.3.4,icmp:3/1", "1.2.3.4,icmp:3/1"},
      {"hash:ip,port", "1.2.3.4,47:0", "1.2.3.4,gre:0"},
      {"hash:ip,port", "1.2.3.4,200:0", "1.2.3.4,200:0"},
      {"hash:ip,port", "1.2.3.4,udplite:25", "1.2.3.4,udplite:25"},
      {"hash:ip,port", "1.2.3.4,tcp:[ftp-data]", "1.2.3.4,tcp:20"},
      {"hash:ip,port", "1.2.3.4-1.2.3.5,tcp:25-26",
       "1.2.3.4,tcp:25;1.2.3.4,tcp:26;1.2.3.5,tcp:25;1.2.3.5,tcp:26"},
      {"hash:ip,port family inet6", "[2001:db8::1],tcp:25", "2001:db8::1,tcp:25"},
      {"hash:ip,port family inet6", "2001:db8::1,icmpv6:128/0", "2001:db8::1,ipv6-icmp:128/0"},
      {"hash:net,port", "1.2.3.0-1.2.3.2,tcp:25", "1.2.3.0/31,tcp:25;1.2.3.2,tcp:25"},
      {"hash:net,port", "10.0.0.0/8,tcp:24-25 nomatch",
       "10.0.0.0/8,tcp:24 nomatch;10.0.0.0/8,tcp:25 nomatch"},
      {"hash:ip,port,ip", "1.2.3.4,tcp:25,5.6.7.8", "1.2.3.4,tcp:25,5.6.7.8"},
      {"hash:ip,port,ip family inet6", "2001:db8::1,tcp:25,2001:db8::2", "2001:db8::1,tcp:25,2001:db8::2"},
      {"hash:ip,port,net", "1.2.3.4/31,tcp:25,5.0.0.0-5.0.0.2",
       "1.2.3.4,tcp:25,5.0.0.0/31;1.2.3.4,tcp:25,5.0.0.2;1.2.3.5,tcp:25,5.0.0.0/31;1.2.3.5,tcp:25,5.0.0.2"},
      {"hash:net,net", "10.0.0.0/8,1.2.3.4", "10.0.0.0/8,1.2.3.4"},
      {"hash:net,port,net family inet6", "2001:db8::/32,udp:53,2001:db8:1::/48",
       "2001:db8::/32,udp:53,2001:db8:1::/48"},
      {"hash:net,iface", "0.0.0.0/0,eth0", "0.0.0.0/0,eth0"},
      {"hash:net,iface", "10.0.0.0/8,physdev:eth1", "10.0.0.0/8,physdev:eth1"},
      {"hash:net,iface", "10.0.0.0/8,eth wildcard nomatch", "10.0.0.0/8,eth nomatch wildcard"},
      {"hash:ip,mark markmask 0xff", "1.2.3.4,0x1234", "1.2.3.4,0x00000034"},
      {"hash:mac", "1:2:3:4:5:f6", "01:02:03:04:05:F6"},
      {"hash:ip,mac", "1.2.3.4,01:02:03:04:05:06", "1.2.3.4,01:02:03:04:05:06"},
      {"bitmap:ip range 10.0.0.0/24", "10.0.0.5-10.0.0.6", "10.0.0.5;10.0.0.6"},
      {"bitmap:ip range 10.0.0.0/16 netmask 24", "10.0.0.0/23", "10.0.0.0;10.0.1.0"},
      {"bitmap:ip,mac range 10.0.0.0/24", "10.0.0.5", "10.0.0.5"},
      {"bitmap:ip,mac range 10.0.0.0/24", "10.0.0.5,01:02:03:04:05:06", "10.0.0.5"},
      {"bitmap:port range 100-20", "udp:26-24", "24;25;26"},
      {"iphash", "1.2.3.4", "1.2.3.4"},
      {"hash:ip -6", "::1", "::1"},
  };
  for (const Case& one : cases) {
    INFO(one.type << " " << one.element);
    CHECK(held_after(one.type, one.element) == one.held);
  }
}

TEST_CASE("what ipset refuses, or what would have to be guessed, makes the set doubtful",
          "[iptables][ipset]") {
  struct Case {
    std::string_view type, element, why;
  };
  constexpr Case cases[] = {
      {"hash:net", "0.0.0.0/0", "hash:net takes no /0: two networks of /1 in its place"},
      {"hash:net", "10/8", "four decimal numbers"},
      {"hash:net", "010.0.0.1", "four decimal numbers"},
      {"hash:net", "mail.example.com", "resolver"},
      {"hash:net", "1.2.3.4/33", "a length from 0 to 32"},
      {"hash:net", "1.2.3.4/016", "a length from 0 to 32"},
      {"hash:net", "1.2.3.4/255.255.0.0", "a length from 0 to 32"},
      {"hash:net", "0.0.0.0-255.255.255.255", "all addresses"},
      {"hash:net", "2001:db8::/32", "expected an IPv4 address"},
      {"hash:net family inet6", "1.2.3.4", "expected an IPv6 address"},
      {"hash:net family inet6", "2001:db8::1-2001:db8::5", "single address"},
      {"hash:net", "1.2.3.4 timeout 5", "'timeout' cannot be used"},
      {"hash:net timeout 0", "1.2.3.4 timeout 2147484", "seconds from 0 to 2147483"},
      {"hash:net", "1.2.3.4 comment x", "'comment' cannot be used"},
      {"hash:net", "1.2.3.4 frobnicate 3", "'frobnicate' is no option"},
      {"hash:net", "1.2.3.4 # why", "'#' is no option"},
      {"hash:net comment", R"(1.2.3.4 comment "")", "a value after 'comment'"},
      {"hash:ip", "1.2.3.4 nomatch", "'nomatch' is no option"},
      {"hash:ip", "0.0.0.0", "zeros alone"},
      {"hash:ip", "0.0.0.0/30", "zeros alone"},
      {"hash:ip netmask 24", "0.0.0.5", "zeros alone"},
      {"hash:ip", "1.2.3.0,1.2.3.5", "expected 1 part for hash:ip"},
      {"hash:ip family inet6", "2001:db8::/126", "single address"},
      {"hash:ip,port", "1.2.3.4", "2 parts"},
      {"hash:ip,port", "1.2.3.4,tcp:25,1", "2 parts"},
      {"hash:ip,port", "1.2.3.4,tcp:70000", "a port from 0 to 65535"},
      {"hash:ip,port", "1.2.3.4,tcp:ftp-data", "a port from 0 to 65535"},
      {"hash:ip,port", "1.2.3.4,udp:smtp", "a port from 0 to 65535"},
      {"hash:ip,port", "1.2.3.4,gre:5", "expected '0'"},
      {"hash:ip,port", "1.2.3.4,dccp:25", "expected '0'"},
      {"hash:ip,port", "1.2.3.4,icmp:8", "type and code"},
      {"hash:ip,port", "1.2.3.4,icmp:echo", "type and code"},
      {"hash:ip,port", "1.2.3.4,ipv6-icmp:echo-request", "ICMPv6 in a set of IPv4"},
      {"hash:ip,port", "1.2.3.4,any:0", "expected a protocol"},
      {"hash:ip,port", "0.0.0.0,tcp:25", "zeros alone"},
      {"hash:ip,port netmask 24", "1.2.3.0/24,tcp:25", "not known"},
      {"hash:ip,port,ip", "1.2.3.4,tcp:25,5.6.7.0/30", "single address"},
      {"hash:ip,port,net", "1.2.3.4,tcp:25,0.0.0.0/0", "no /0"},
      {"hash:net,iface", "10.0.0.0/8,interfacename15x", "1 to 15"},
      {"hash:net,iface", "10.0.0.0/8", "2 parts"},
      {"hash:mac", "01:02:03:04:05", "MAC address"},
      {"hash:ip,mark", "1.2.3.4,0x100000000", "mark of 32 bits"},
      {"bitmap:ip range 10.0.0.0/24", "10.0.1.5", "outside the range"},
      {"bitmap:ip range 10.0.0.0/24", "10.0.0.0/23", "outside the range"},
      {"bitmap:port range 20-30", "19", "outside the range"},
      {"bitmap:port range 20-30", "sctp:25", "only tcp and udp"},
      {"hash:ip foo 3", "1.2.3.4", "'foo' is no option"},
      {"hash:net netmask 24", "1.2.3.4", "'netmask' is no option"},
      {"hash:ip bitmask 255.255.0.255", "1.2.3.4", "mask"},
      {"hash:new,type", "1.2.3.4", "'hash:new,type' is no type"},
      {"hash:ip maxelem 2", "1.2.3.0/30", "full: its maxelem is 2"},
  };
  for (const Case& one : cases) {
    INFO(one.type << " " << one.element);
    const std::string held = held_after(one.type, one.element);
    INFO(held);
    CHECK(held.starts_with("? "));
    CHECK(held.find(one.why) != std::string::npos);
  }
}

TEST_CASE("a saved file: places, options, states of lines", "[iptables][ipset]") {
  const Read file = read(
      "# from the gateway\n"
      "create EOP hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x51db5378\r\n"
      "add EOP 40.92.0.0/15\r\n"
      "add EOP 52.100.0.0/14 nomatch\r\n"
      "create ports bitmap:port range 0-1024\n"
      "add ports 25\n"
      "create all list:set size 8\n"
      "add all EOP\n"
      "add all ports\n"
      "\n"
      "COMMIT\n");
  CHECK(file.said().empty());
  CHECK(held(file.set("EOP")) == "40.92.0.0/15;52.100.0.0/14 nomatch");
  CHECK(file.set("EOP").options.maxelem == 65536);
  CHECK(held(file.set("all")) == "EOP;ports");
  CHECK(file.set("EOP").lists == 1);
  CHECK_FALSE(file.set("ports").family.has_value());
  CHECK(file.source->text(file.set("ports").span) == "create ports bitmap:port range 0-1024");
  const LineCounts counts = file.reading.ledger.counts();
  CHECK(counts.total == 11);
  CHECK(counts.decides == 8);
  CHECK(counts.no_effect == 3);
}

TEST_CASE("a listing is read too, and one that is cut off or without members is not known",
          "[iptables][ipset]") {
  const std::string heading =
      "Name: s\nType: hash:net,port\nRevision: 8\n"
      "Header: family inet hashsize 1024 maxelem 65536 timeout 0 bucketsize 12 initval 0x1\n"
      "Size in memory: 600\nReferences: 1\nNumber of entries: 2\n";
  const Read whole = read(heading +
                          "Members:\n10.0.0.0/8,tcp:25 timeout 0\n10.1.0.0/16,tcp:25 timeout 9 nomatch\n\n"
                          "Name: t\nType: hash:ip\nHeader: family inet\nMembers:\n1.2.3.4\n");
  CHECK(whole.said().empty());
  CHECK(held(whole.set()) == "10.0.0.0/8,tcp:25;10.1.0.0/16,tcp:25 timeout 9 nomatch");
  CHECK(held(whole.set("t")) == "1.2.3.4");

  const Read cut = read(heading + "Members:\n10.0.0.0/8,tcp:25\n");
  CHECK(held(cut.set()) == "? set 's' has 2 entries by its heading, and 1 follows: the listing is cut off");
  CHECK(cut.said().size() == 1);

  const Read bare = read(heading + "\nName: t\nType: hash:ip\nHeader: family inet\nNumber of entries: 0\n");
  CHECK_FALSE(bare.set().is_known());
  CHECK_FALSE(bare.set().has_members);
  CHECK(bare.set("t").is_known());  // nothing is all there is

  const Read odd = read("Name: s\nType: hash:ip\nHeader: family inet frob 3\nMembers:\n1.2.3.4\n");
  CHECK(held(odd.set()).starts_with("? 'frob' is no option"));
  CHECK(odd.said() ==
        std::vector<std::string>{
            "s.ipset:3:21: error: 'frob' is no option that this reader knows for a set of type hash:ip"});
}

TEST_CASE("an element that stands twice is taken once, and is only possible where the two differ",
          "[iptables][ipset]") {
  const Read same = read("create s hash:net\nadd s 10.0.0.0/8\nadd s 10.0.0.0/8\n");
  CHECK(held(same.set()) == "10.0.0.0/8");
  CHECK(same.said() ==
        std::vector<std::string>{
            "s.ipset:3:1: warning: this element of 's' stands there already; ipset restore stops here"});
  const Read both = read("create s hash:net\nadd s 10.0.0.0/8\nadd s 10.0.0.0/8 nomatch\nadd s 11.0.0.0/8\n");
  CHECK(held(both.set()) == "10.0.0.0/8 doubtful;11.0.0.0/8");
  REQUIRE(both.reading.diagnostics.all().size() == 1);
  CHECK(both.reading.diagnostics.all()[0].effect == Effect::unknown);
  const Read again = read("create s hash:net\nadd s 10.0.0.0/8\nadd s 10.0.0.0/8 nomatch -exist\n");
  CHECK(held(again.set()) == "10.0.0.0/8 nomatch");
  CHECK(again.said().empty());
  const Read timed = read("create s hash:net timeout 0\nadd s 10.0.0.0/8\nadd s 10.0.0.0/8 timeout 7\n");
  CHECK(held(timed.set()) == "10.0.0.0/8 timeout 7");
}

TEST_CASE("lines that say nothing of a set that is there are told and touch none", "[iptables][ipset]") {
  const Read file = read(
      "create s hash:ip\n"
      "add s 1.2.3.4\n"
      "add other 1.2.3.4\n"
      "frobnicate s\n"
      "add s \"1.2.3.5\n");
  CHECK(file.said() ==
        std::vector<std::string>{
            "s.ipset:3:5: error: set 'other' does not exist",
            "s.ipset:4:1: error: 'frobnicate' is no command of ipset that this reader knows: expected "
            "create, add, del, flush, destroy, rename or swap",
            "s.ipset:5:7: error: expected a closing '\"' before the end of the line"});
  CHECK(held(file.set()).starts_with("? "));
}

TEST_CASE("XML and JSON are refused with what to export instead", "[iptables][ipset]") {
  const auto refused = [](std::string_view text) {
    const Source source("s.xml", text);
    const auto reading = read_ipsets(source, 0);
    REQUIRE_FALSE(reading.has_value());
    return to_string(reading.error());
  };
  CHECK(refused("<ipsets>\n<ipset name=\"s\">\n") == "s.xml:1:1: the XML output of ipset is not read");
  CHECK(refused("[ { \"name\" : \"s\" } ]") == "s.xml:1:1: the JSON output of ipset is not read");
  CHECK(ipset_form("# x\ncreate s hash:net family inet\n") == "ipset save");
  CHECK(ipset_form("Name: s\nType: hash:net\n") == "ipset list");
  CHECK(ipset_form("-A INPUT -j ACCEPT\n") == "");
}

TEST_CASE("commands of a script answer as ipset does", "[iptables][ipset]") {
  IpSets sets;
  const auto last = [&](std::string_view text) { return script(sets, text); };
  const auto held_in = [&](std::string_view name) { return held(*sets.named(name)); };
  CHECK(last("ipset create s hash:net maxelem 3\nipset add s 10.0.0.0/8") == "ok");
  CHECK(last("ipset add s 10.0.0.0/8") == "'10.0.0.0/8' is already in the set");
  CHECK(last("ipset -exist add s 10.0.0.0/8") == "ok");
  CHECK(last("ipset add s 10.0.0.0/8 nomatch -exist") == "ok");
  CHECK(held_in("s") == "10.0.0.0/8 nomatch");
  CHECK(last("/sbin/ipset -A s 11.0.0.0/8 -!\nadd s 12.0.0.0/8") == "ok");
  CHECK(last("add s 13.0.0.0/8") == "set 's' is full: its maxelem is 3");
  CHECK(last("add s 12.0.0.0/8 -exist") == "ok");
  CHECK(last("add nosuch 10.0.0.0/8") == "set 'nosuch' does not exist");
  CHECK(last("add s 2001:db8::/32") == "expected an IPv4 address for set 's', found '2001:db8::'");
  CHECK(last("del s 13.0.0.0/8") == "'13.0.0.0/8' is not in the set");
  CHECK(last("del s 13.0.0.0/8 -exist") == "ok");
  CHECK(last("ipset -D s 11.0.0.0/8") == "ok");
  CHECK(held_in("s") == "10.0.0.0/8 nomatch;12.0.0.0/8");
  CHECK(last("create s hash:net") == "a set named 's' exists already");
  CHECK(last("create s hash:net -exist") == "ok");
  CHECK(last("create s hash:ip -exist") == "a set named 's' exists already");
  CHECK(last("create t hash:net\nadd t 1.0.0.0/8\nswap s t") == "ok");
  CHECK(held_in("s") == "1.0.0.0/8");
  CHECK(last("create p hash:ip\nswap s p") == "the sets cannot be swapped: their types differ");
  CHECK(last("create l list:set\nadd l s") == "ok");
  CHECK(last("add l nosuch") == "set 'nosuch', to be put into a list, does not exist");
  CHECK(last("add l l") == "a list of sets cannot hold another list");
  CHECK(last("destroy s") == "set 's' is in use by a rule or a list of sets");
  CHECK(last("rename s other") == "set 's' is in use by a rule or a list of sets");
  CHECK(last("del l s\nrename s other\ndestroy other") == "ok");
  CHECK(sets.named("s") == nullptr);
  CHECK(held_in("t") == "10.0.0.0/8 nomatch;12.0.0.0/8");
  CHECK(last("flush t") == "ok");
  CHECK(held_in("t") == "");
  sets.named("t")->is_used = true;
  CHECK(last("destroy") == "set 't' is in use by a rule or a list of sets");
  CHECK(last("swap t nosuch") == "set 'nosuch' does not exist");
  CHECK(last("ipset add t mail.example.com").find("resolver") != std::string::npos);
  CHECK(held_in("t").starts_with("? "));
  CHECK(last("add t 10.0.0.0/8") == "ok");  // who knows
  CHECK(last("flush t\nadd t 10.0.0.0/8") == "ok");
  CHECK(held_in("t") == "10.0.0.0/8");
}

TEST_CASE("a name that another entry's wildcard covers is there already", "[iptables][ipset]") {
  IpSets sets;
  CHECK(script(sets, "create u hash:net,iface\nadd u 10.0.0.0/8,v wildcard\nadd u 10.0.0.0/8,v1") ==
        "'10.0.0.0/8,v1' is already in the set");
  CHECK(script(sets, "add u 10.1.0.0/16,v1") == "ok");
  CHECK(script(sets, "create w hash:net,iface\nadd w 10.0.0.0/8,v1\nadd w 10.0.0.0/8,v wildcard") == "ok");
}

TEST_CASE("thousands of additions and deletions leave what a plain set would hold", "[iptables][ipset]") {
  rc::prop("elements", [] {
    const bool is_v6 = *rc::gen::arbitrary<bool>();
    IpSets sets;
    script(sets, is_v6 ? "create s hash:ip,port,ip family inet6" : "create s hash:net");
    std::set<std::string> twin;
    const auto steps = *rc::gen::container<std::vector<std::pair<bool, int>>>(
        rc::gen::pair(rc::gen::arbitrary<bool>(), rc::gen::inRange(0, 60)));
    for (const auto& [adds, number] : steps) {
      const std::string element =
          is_v6 ? fmt::format("2001:db8::1,tcp:{},2001:db8::{:x}", number / 2, 1 + number)
                : fmt::format("10.{}.0.0/{}", number, 16 + number % 3);
      const std::string answer = script(sets, fmt::format("{} s {}", adds ? "add" : "del", element));
      const bool was_there = twin.contains(element);
      RC_ASSERT((answer == "ok") == (adds != was_there));
      if (adds) twin.insert(element);
      else twin.erase(element);
    }
    RC_ASSERT(sets.named("s")->elements.size() == twin.size());
    RC_ASSERT(held(*sets.named("s")) == fmt::format("{}", fmt::join(twin, ";")));
  });
}

TEST_CASE("a deletion of everything there could be is not walked through", "[iptables][ipset]") {
  IpSets sets;
  CHECK(script(sets,
               "create s hash:net\nadd s 10.0.0.0/8\ncreate h hash:ip\nadd h 10.0.0.1\n"
               "del h 0.0.0.1-255.255.255.255 -exist") ==
        "'0.0.0.1-255.255.255.255' stands for more than 2000000 elements");
  CHECK(held(*sets.named("h")).starts_with("? "));
  // Five deletions of a million and a half each are more than all sets may hold together.
  std::string text = "create p hash:ip,port\n";
  for (int i = 0; i < 5; ++i) text += "del p 10.0.0.0/27,tcp:1-50000 -exist\n";
  CHECK(script(sets, text) == "more than 8000000 elements altogether");
}

TEST_CASE("two hundred thousand elements that differ in few bits are told apart", "[iptables][ipset]") {
  Elements elements;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    Element element;
    element.high = i * 0x9E3779B97F4A7C15;
    element.low = i << 40;
    element.length = 128;
    elements.append(element);
  }
  CHECK(elements.equal_pairs().empty());
  Element other;
  other.length = 128;
  CHECK(elements.find(other).has_value());
  other.low = 1;
  CHECK_FALSE(elements.find(other).has_value());
}

TEST_CASE("an element takes 32 bytes, and a hostile range no more than its set may hold",
          "[iptables][ipset]") {
  std::string text = "create s hash:net maxelem 1000000\n";
  for (int i = 0; i < 100000; ++i)
    text += fmt::format("add s {}.{}.{}.0/24\n", 1 + i / 65536, i / 256 % 256, i % 256);
  const Read file = read(text);
  CHECK(file.set().elements.size() == 100000);
  CHECK(file.set().elements.bytes() <= 2 * 100000 * sizeof(Element));
  CHECK(held_after("hash:ip maxelem 4294967295", "0.0.0.1-255.255.255.255").find("2000000 elements") !=
        std::string::npos);
  CHECK(held_after("hash:ip,port maxelem 4294967295", "1.0.0.0/8,tcp:0-65535").find("2000000") !=
        std::string::npos);
}

}  // namespace aclmend::iptables
