// What `fix` prints, typed into a real firewall: the required packets get through, nothing else changes, and
// the rollback gives back the rules as they were.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "tests/oracle/iptables/frame.h"
#include "tests/oracle/iptables/invent.h"
#include "tests/oracle/iptables/lacks.h"
#include "tests/oracle/iptables/scene.h"
#include "tests/oracle/iptables/words.h"
#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend::oracle {
namespace {

using Json = nlohmann::json;

const std::vector<std::string>& published(Family family) {
  static const Json document =
      Json::parse(test::aclmend({"endpoints", "show", "--flow", "eop-inbound-smtp", "--format", "json"}).out);
  static const auto of = [](Family its) {
    std::vector<std::string> prefixes;
    for (const std::string prefix : document.at("prefixes"))
      if ((prefix.find(':') != prefix.npos) == (its == Family::ipv6)) prefixes.push_back(prefix);
    return prefixes;
  };
  static const std::vector<std::string> v4 = of(Family::ipv4), v6 = of(Family::ipv6);
  return family == Family::ipv4 ? v4 : v6;
}

// ---- a mail firewall with something wrong -------------------------------------------------------------

struct Outage {
  RuleSet rules;
  std::string host;  // as the internet sees it
  std::string ingress = "eth0";
  std::vector<Address> addresses;  // where something changes
};

class Breaker {
 public:
  Breaker(std::uint64_t seed, Family family, Backend backend, const Plan& plan)
      : dice_(seed), made_{{family, backend, {}, {}}, Taste::decidable, {}, {}}, words_(dice_, made_, plan) {}
  Outage outage();

 private:
  std::string permit(const std::string& chain, const std::vector<std::string>& sources);
  std::string noise(const std::string& chain);

  Dice dice_;
  Invention made_;
  Words words_;
  std::string sets_;
  std::uint16_t port_ = 25;
};

std::string Breaker::noise(const std::string& chain) {
  std::string text;
  for (std::size_t left = dice_.below(3); left > 0; --left) {
    Where where;
    where.takes_in = where.takes_out = false;
    text += fmt::format("-A {} {} -j {}\n", chain, fmt::join(words_.rule(where).groups, " "),
                        dice_.of({"ACCEPT", "DROP", "RETURN", "LOG"}));
  }
  return text;
}

// The sources that the firewall lets in, in one of the ways people write it.
std::string Breaker::permit(const std::string& chain, const std::vector<std::string>& sources) {
  const std::string port = std::to_string(port_);
  const std::string service = dice_.one_in(3) ? fmt::format("-p tcp -m multiport --dports {},587", port)
                                              : fmt::format("-p tcp -m tcp --dport {}", port);
  const std::string state = dice_.one_in(3) ? " -m conntrack --ctstate NEW" : "";
  if (dice_.one_in(3)) {
    const bool is_v6 = made_.rules.family == Family::ipv6;
    const bool with_port = dice_.one_in(3);
    sets_ += fmt::format("create EOP {}{}\n", with_port ? "hash:net,port" : "hash:net",
                         is_v6 ? " family inet6" : "");
    for (const std::string& source : sources)
      sets_ += fmt::format("add EOP {}{}\n", source, with_port ? ",tcp:" + port : "");
    return fmt::format("-A {} {}{} -m set --match-set EOP {} -j ACCEPT\n", chain, service, state,
                       with_port ? "src,dst" : "src");
  }
  std::string text;
  for (const std::string& source : sources)
    text += fmt::format("-A {} -s {} {}{} -j ACCEPT\n", chain, source, service, state);
  return text;
}

Outage Breaker::outage() {
  const Family family = made_.rules.family;
  const std::vector<std::string> all = published(family);
  std::vector<std::string> allowed;
  for (const std::string& prefix : all)
    if (dice_.percent(60)) allowed.push_back(prefix);
  if (allowed.size() == all.size()) allowed.pop_back();

  const std::size_t way = dice_.below(3);  // for itself, translated, routed
  const std::string inside = family == Family::ipv4 ? "10.4.4.25" : "2001:db8:1::25";
  const std::string own = family == Family::ipv4 ? "203.0.113.1" : "2001:db8:0:1::1";
  const std::string hook = way == 0 ? "INPUT" : "FORWARD";
  std::string nat;
  if (way == 1) {
    if (dice_.one_in(2)) port_ = 2525;
    nat = fmt::format(
        "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d {} -p tcp -m tcp --dport 25 -j DNAT "
        "--to-destination {}:{}\nCOMMIT\n",
        own, family == Family::ipv4 ? inside : "[" + inside + "]", port_);
  }
  const bool in_chain = dice_.one_in(2);
  std::string filter = fmt::format("*filter\n:INPUT {0} [0:0]\n:FORWARD {0} [0:0]\n:OUTPUT ACCEPT [0:0]\n",
                                   dice_.one_in(2) ? "DROP" : "ACCEPT");
  if (in_chain) filter += ":MAIL - [0:0]\n";
  filter += fmt::format("-A {} -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n", hook) + noise(hook);
  if (dice_.one_in(4)) filter += fmt::format("-A {} -s {} -j DROP\n", hook, dice_.of(all));
  if (in_chain)
    filter +=
        fmt::format("-A {} -p tcp -m tcp --dport {} -{} MAIL\n", hook, port_, dice_.one_in(3) ? 'g' : 'j');
  filter += permit(in_chain ? "MAIL" : hook, allowed);
  if (in_chain && dice_.one_in(2)) filter += "-A MAIL -j REJECT\n";
  filter += noise(hook) + fmt::format("-A {} -p tcp -m tcp --dport {} -j {}\n", hook, port_,
                                      dice_.of({"DROP", "REJECT --reject-with tcp-reset"}));
  std::string raw;
  if (dice_.one_in(6))
    raw = fmt::format("*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s {} -j DROP\nCOMMIT\n", dice_.of(all));
  made_.rules.sets = sets_;
  made_.rules.rules = raw + nat + filter + "COMMIT\n";

  Outage outage{.rules = made_.rules, .host = way == 2 ? inside : own, .addresses = made_.addresses};
  for (const std::string& text : all) {
    const Prefix prefix = *parse_prefix(text);
    for (Address end : {prefix.first(), prefix.last()})
      for (const V6 step : {V6{0}, V6{1}, ~V6{0}}) {
        Address near = end;
        near.number += step;
        if (near.is_v4()) near.number &= 0xFFFFFFFF;
        outage.addresses.push_back(near);
      }
  }
  return outage;
}

// ---- typing -------------------------------------------------------------------------------------------

// A folder with the programs under the names that people type, for the back end that the rules are in.
class Programs {
 public:
  explicit Programs(Backend backend) {
    for (const std::string_view name : {"iptables", "ip6tables"})
      for (const std::string_view verb : {"", "-restore"})
        std::filesystem::create_symlink(place_of(fmt::format("{}-{}{}", name, to_string(backend), verb)),
                                        fmt::format("{}/{}{}", folder_.path(), name, verb));
  }
  // The text goes through a shell as it stands; the first command that fails ends it.
  void type(Stage& stage, const std::string& text) const {
    const auto done =
        stage.run({"sh", "-e"}, fmt::format("PATH={}:/usr/sbin:/sbin:$PATH\n{}", folder_.path(), text));
    REQUIRE(done);
    INFO(text << done->err);
    CHECK(done->status == 0);
  }

 private:
  static std::string place_of(const std::string& program) {
    for (const std::string_view folder : {"/usr/sbin", "/sbin", "/usr/bin"})
      if (const auto place = std::filesystem::path(folder) / program; std::filesystem::exists(place))
        return place;
    return program;
  }

  test::Folder folder_;
};

// All rules and sets as they are printed, without counters, dates and what a set's hash was begun with (it is
// new each time); the elements of sets in order.
std::string state_of(Stage& stage) {
  const auto saved = stage.saved();
  REQUIRE(saved);
  std::string text;
  for (const std::string_view line : split(saved->rules, '\n'))
    if (!line.starts_with('#'))
      text += fmt::format("{}\n", line.starts_with(':') ? line.substr(0, line.find('[')) : line);
  std::set<std::string_view> sets;
  for (const std::string_view line : split(saved->sets, '\n'))
    sets.insert(line.substr(0, line.find(" initval ")));
  return fmt::format("{}{}\n", text, fmt::join(sets, "\n"));
}

std::vector<bool> arrivals(Stage& stage, std::span<const Probe> probes) {
  const auto sights = stage.send(probes);
  REQUIRE(sights);
  std::vector<bool> arrived;
  for (const Sight& sight : *sights) arrived.push_back(sight.where != Sight::Where::nowhere);
  return arrived;
}

// ---- what fix says ------------------------------------------------------------------------------------

struct Fixed {
  int status = 0;
  std::string text;     // as it is pasted whole
  std::string at_once;  // the same in one step, which the text holds as a comment
  std::string rollback;
  Json newly_permitted;
};

std::string at_once_of(const std::string& text) {
  std::string commands;
  bool is_inside = false;
  for (const std::string_view line : split(text, '\n')) {
    if (line.starts_with("# the same in one step")) is_inside = true;
    else if (is_inside && line.starts_with("#   ")) commands += fmt::format("{}\n", line.substr(4));
    else is_inside = false;
  }
  return commands;
}

// Nothing where it refuses.
std::optional<Fixed> fixed(const RuleSet& exported, const Outage& outage, const Plan& plan) {
  const test::Folder folder;
  std::vector<std::string> words{
      "fix", folder.write(exported.family == Family::ipv4 ? "rules.v4" : "rules.v6", exported.rules)};
  if (!exported.sets.empty())
    words.insert(words.end(), {"--set-file", folder.write("ipset.conf", exported.sets)});
  for (const Address own : plan.own(exported.family)) words.insert(words.end(), {"--local", to_string(own)});
  words.insert(words.end(), {"--to", outage.host, "--ingress", outage.ingress});
  const test::Ran text = test::aclmend(words);
  words.insert(words.end(), {"--format", "json"});
  const test::Ran json = test::aclmend(words);
  INFO(text.err << json.err);
  REQUIRE(text.status == json.status);
  if (json.status == 2) return std::nullopt;
  const Json document = Json::parse(json.out);
  return Fixed{json.status, text.out, at_once_of(text.out), document["rollback"],
               document["proof"]["newly_permitted"]};
}

bool is_in(const Json& box, const char* key, Address address) {
  return !box.contains(key) || std::ranges::any_of(box[key], [&](const Json& one) {
    return parse_prefix(one.get<std::string>())->contains(address);
  });
}

// Whether the proof says that the packet is let through now.
bool is_newly_permitted(const Json& boxes, const Probe& probe) {
  const Packet& packet = probe.packet;
  return std::ranges::any_of(boxes, [&](const Json& box) {
    const bool is_service = box.value("proto", "tcp") == "tcp" && packet.protocol == carried::tcp &&
                            box.value("ports", "25") == std::to_string(packet.destination_port);
    return is_service && box.value("ingress", probe.ingress) == probe.ingress &&
           is_in(box, "from", packet.source) && is_in(box, "to", packet.destination);
  });
}

// ---- one outage ---------------------------------------------------------------------------------------

// Both ends of each network that must come through, from both ends of the source ports.
std::vector<Probe> required_of(const Outage& outage) {
  std::vector<Probe> probes;
  for (const std::string& text : published(outage.rules.family))
    for (const Address from : {parse_prefix(text)->first(), parse_prefix(text)->last()})
      for (const std::uint16_t port : {std::uint16_t{1024}, std::uint16_t{65535}})
        probes.push_back({{from, *parse_address(outage.host), carried::tcp, port, 25}, outage.ingress});
  return probes;
}

// Others from near them: other ports, hosts, protocols and interfaces.
std::vector<Probe> others_of(const Outage& outage, std::uint64_t seed, const Plan& plan) {
  Dice dice(seed);
  std::vector<Probe> probes;
  for (std::size_t tries = 0; tries < 400 && probes.size() < 150; ++tries) {
    Packet packet{dice.of(outage.addresses), *parse_address(outage.host), carried::tcp,
                  static_cast<std::uint16_t>(dice.between(1024, 65535)), 25};
    if (dice.one_in(5))
      packet.destination_port = static_cast<std::uint16_t>(dice.of(std::vector<int>{24, 26, 587, 2525}));
    if (dice.one_in(8)) packet.destination.number += 1;
    if (dice.one_in(8)) packet.protocol = carried::udp;
    const std::string ingress = dice.one_in(4) ? dice.of(plan.ports).name : outage.ingress;
    if (is_ordinary(packet) && !plan.is_own(packet.source)) probes.push_back({packet, ingress});
  }
  return probes;
}

enum class Outcome : std::uint8_t { mended, nothing_to_do, refused };

Outcome mend(Stage& stage, const Lacks& lacks, std::uint64_t seed, Family family, Backend backend) {
  Outage outage = Breaker(seed, family, backend, stage.plan()).outage();
  outage.rules = without(lacks, outage.rules);
  INFO("seed " << seed << ", host " << outage.host << "\n" << outage.rules.sets << outage.rules.rules);
  const auto load = [&] {
    const auto loaded = stage.load(outage.rules);
    INFO((loaded ? "" : loaded.error().message));
    REQUIRE(loaded);
  };
  load();
  const auto exported = stage.saved();
  REQUIRE(exported);
  const auto fix = fixed(*exported, outage, stage.plan());
  if (!fix) return Outcome::refused;
  if (fix->rollback.empty()) return Outcome::nothing_to_do;
  INFO(fix->text);

  const std::vector<Probe> required = required_of(outage);
  std::vector<Probe> probes = required;
  for (Probe& probe : others_of(outage, seed, stage.plan())) probes.push_back(std::move(probe));
  const Programs programs(backend);
  const std::string state = state_of(stage);
  const std::vector<bool> before = arrivals(stage, probes);

  programs.type(stage, fix->text);
  const std::string mended = state_of(stage);
  const std::vector<bool> after = arrivals(stage, probes);
  CHECK(mended != state);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    INFO(to_text(probes[i]) << ": " << (before[i] ? "arrived" : "stopped") << " before");
    CHECK(after[i] == (before[i] || is_newly_permitted(fix->newly_permitted, probes[i])));
    if (i < required.size() && fix->status == 0) CHECK(after[i]);
  }
  programs.type(stage, fix->rollback);
  CHECK(arrivals(stage, probes) == before);
  CHECK(state_of(stage) == state);

  load();
  programs.type(stage, fix->at_once);
  CHECK(state_of(stage) == mended);
  programs.type(stage, fix->rollback);
  CHECK(state_of(stage) == state);
  return Outcome::mended;
}

}  // namespace

TEST_CASE("a mend typed into a real firewall does what its proof says and its rollback takes it back",
          "[oracle][kernel]") {
  const auto stage = Stage::make();
  if (!stage) {
    WARN("no mend was typed into a real firewall: " << stage.error().message);
    return;
  }
  const Lacks lacks = lacks_of(**stage);
  std::size_t mended = 0, nothing = 0, refused = 0;
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    const Backend backend = seed % 5 == 4 ? Backend::legacy : Backend::nft;
    if (lacks.has(backend)) continue;
    switch (mend(**stage, lacks, seed, seed % 4 == 3 ? Family::ipv6 : Family::ipv4, backend)) {
      case Outcome::mended: ++mended; break;
      case Outcome::nothing_to_do: ++nothing; break;
      case Outcome::refused: ++refused; break;
    }
  }
  WARN(mended << " outages were mended, " << nothing << " were none, " << refused << " mends refused");
  CHECK(mended > 12);
}

}  // namespace aclmend::oracle
