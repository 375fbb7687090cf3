// A mend of random firewalls, looked at packet by packet with `decide`, which knows nothing of differences:
// what was missing gets through, nothing else changes but what the envelope holds, and the rollback gives
// back every answer of before.
#include <fmt/format.h>

#include <map>
#include <random>

#include "fix/question.h"
#include "intake/result.h"
#include "inventory/flows.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

using model::Verdict;

constexpr const char* head =
    "ASA Version 9.16(4)\n"
    "interface GigabitEthernet0/0\n nameif outside\n security-level 0\n ip address 198.51.100.2 "
    "255.255.255.0\n"
    "interface GigabitEthernet0/1\n nameif inside\n security-level 100\n ip address 10.1.1.1 255.255.255.0\n"
    "interface GigabitEthernet0/2\n nameif partner\n security-level 20\n ip address 192.0.2.1 255.255.255.0\n"
    "route outside 0.0.0.0 0.0.0.0 198.51.100.1\n"
    "object network MX\n host 10.1.1.25\n nat (inside,outside) static 203.0.113.25\n"
    "time-range OFFICE\n periodic weekdays 8:00 to 18:00\n";

constexpr const char* networks[] = {"40.92.0.0 255.254.0.0",      "40.92.0.0 255.255.0.0",
                                    "40.107.0.0 255.255.0.0",     "52.100.0.0 255.252.0.0",
                                    "52.102.0.0 255.255.0.0",     "104.47.0.0 255.255.128.0",
                                    "198.51.100.0 255.255.255.0", "host 192.0.2.9"};
constexpr const char* objects[] = {"subnet 40.92.0.0 255.254.0.0", "subnet 40.107.0.0 255.255.0.0",
                                   "subnet 52.100.0.0 255.252.0.0", "subnet 104.47.0.0 255.255.128.0"};
constexpr const char* destinations[] = {"host 10.1.1.25",   "host 10.1.1.25",         "host 10.1.1.25",
                                        "host 10.1.1.30",   "10.1.1.0 255.255.255.0", "any",
                                        "host 203.0.113.25"};
constexpr const char* ports[] = {" eq smtp", " eq smtp",     " eq smtp", " eq https",
                                 "",         " range 20 30", " eq 26"};

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  unsigned below(unsigned count) { return static_cast<unsigned>(random_() % count); }
  bool one_in(unsigned count) { return below(count) == 0; }
  template <std::size_t N>
  std::string of(const char* const (&choices)[N]) {
    return choices[below(N)];
  }

 private:
  std::mt19937 random_;
};

std::string random_list(Dice& dice, std::string_view name) {
  std::string text;
  const unsigned rules = 1 + dice.below(7);
  for (unsigned i = 0; i < rules; ++i) {
    if (dice.one_in(6)) text += fmt::format("access-list {} remark number {}\n", name, i);
    const std::string source = dice.one_in(2)   ? fmt::format("object-group G{}", dice.below(3))
                               : dice.one_in(4) ? "any"
                                                : dice.of(networks);
    text += fmt::format("access-list {} extended {} {} {} {}", name, dice.one_in(3) ? "deny" : "permit",
                        "tcp", source, dice.of(destinations));
    text += dice.of(ports);
    if (dice.one_in(12)) text += " time-range OFFICE";
    if (dice.one_in(8)) text += " inactive";
    text += "\n";
  }
  if (dice.one_in(2)) text += fmt::format("access-list {} extended deny ip any any\n", name);
  return text;
}

std::string random_firewall(Dice& dice) {
  std::string text = head;
  for (std::size_t i = 0; i < std::size(objects); ++i)
    text += fmt::format("object network O{}\n {}\n", i, objects[i]);
  for (int group = 0; group < 3; ++group) {
    text += fmt::format("object-group network G{}\n", group);
    for (unsigned i = 0; i < 4; ++i)
      if (!dice.one_in(3)) text += fmt::format(" network-object object O{}\n", i);
    if (dice.one_in(4)) text += " network-object " + dice.of(networks) + "\n";
    if (group > 0 && dice.one_in(4)) text += fmt::format(" group-object G{}\n", group - 1);
  }
  if (dice.one_in(5)) text += "nat (inside,outside) source static MX MX destination static G0 G0\n";
  text += random_list(dice, "OUT");
  const bool has_out = dice.one_in(4), has_global = dice.one_in(4);
  if (has_out) text += random_list(dice, "IN-OUT");
  if (has_global) text += random_list(dice, "ALL");
  if (!dice.one_in(12)) text += "access-group OUT in interface outside\n";
  if (dice.one_in(3)) text += "access-group OUT in interface partner\n";
  if (has_out) text += "access-group IN-OUT out interface inside\n";
  if (has_global) text += "access-group ALL global\n";
  return text;
}

std::vector<Packet> probes() {
  std::vector<Packet> packets;
  for (const char* source :
       {"40.92.0.0",    "40.92.255.255",  "40.93.0.1",      "40.93.255.255", "40.94.0.0",
        "40.107.0.0",   "40.107.255.255", "40.106.255.255", "52.99.255.255", "52.100.0.0",
        "52.102.7.7",   "52.103.255.255", "52.104.0.0",     "104.47.0.0",    "104.47.127.255",
        "104.47.128.0", "198.51.100.7",   "192.0.2.9",      "8.8.8.8",       "40.95.0.1"})
    for (const char* destination : {"203.0.113.25", "10.1.1.25", "10.1.1.30", "10.1.1.26", "203.0.113.26"})
      for (const int port : {25, 26, 24, 443, 22})
        for (const int from : {1, 1024, 65535})
          packets.push_back({*parse_address(source), *parse_address(destination), protocol::tcp,
                             static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(port)});
  return packets;
}

std::vector<Verdict> verdicts(const model::Policy& policy, const char* ingress,
                              const std::vector<Packet>& packets) {
  model::Context context;
  context.known[model::Dimension::ingress] = ingress;
  std::vector<Verdict> result;
  for (const model::Decision& one : decide(policy, context, packets)) result.push_back(one.verdict);
  return result;
}

Reading typed(const Vendor& vendor, const Device& device, const std::vector<std::string>& lines) {
  const SourcePtr script = std::make_shared<Source>("script", fmt::format("{}\n", fmt::join(lines, "\n")));
  auto reading = vendor.editing->apply(device, std::span(&script, 1));
  REQUIRE(reading);
  for (const Diagnostic& one : reading->diagnostics.all()) {
    INFO(one.message);
    CHECK(one.severity != Severity::error);
  }
  return std::move(*reading);
}

TEST_CASE("a mend of a random firewall lets the missing through and changes nothing else", "[fix]") {
  const auto flows = inventory::load_flows({});
  REQUIRE(flows);
  const auto asked = inventory::flows_asked(*flows, {});
  REQUIRE(asked);
  const endpoints::Release release = endpoints::newest(endpoints::Instance::worldwide);
  const std::vector<Packet> packets = probes();
  const auto required = audit::required_addresses(*asked->front(), release);
  REQUIRE(required);
  std::map<fix::Status, int> ends;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    Dice dice(seed);
    const std::string text = random_firewall(dice);
    INFO("seed " << seed << "\n" << text);
    const auto intake = intake::read_sources({std::make_shared<Source>("edge.cfg", text)}, "", {});
    REQUIRE(intake);
    const Device& device = intake->reading.devices.front();
    fix::Question question;
    question.audit.device = "edge";
    question.audit.policy = &device.policy;
    question.audit.to = {*parse_address("203.0.113.25")};
    question.audit.context.known[model::Dimension::ingress] = "outside";
    question.audit.flows = *asked;
    question.audit.release = &release;
    question.device = &device;
    question.vendor = intake->vendor;
    const auto mend = fix::mend(question);
    REQUIRE(mend);
    REQUIRE(mend->error.empty());
    ++ends[mend->status];
    if (mend->status != fix::Status::proved) {
      CHECK(mend->snippet.empty());
      CHECK(mend->rollback.empty());
      continue;
    }
    AddressSet missing;
    for (const fix::Mended& one : mend->missing) missing |= one.addresses;
    INFO(fmt::format("{}", fmt::join(mend->snippet, "\n")));
    INFO(fmt::format("{}", fmt::join(mend->rollback, "\n")));
    const Reading after = typed(*intake->vendor, device, mend->snippet);
    const Reading back = typed(*intake->vendor, after.devices.front(), mend->rollback);
    for (const char* ingress : {"outside", "inside", "partner"}) {
      const auto was = verdicts(device.policy, ingress, packets);
      const auto is = verdicts(after.devices.front().policy, ingress, packets);
      const auto again = verdicts(back.devices.front().policy, ingress, packets);
      std::string wrong;
      for (std::size_t i = 0; i < packets.size(); ++i) {
        const Packet& packet = packets[i];
        const bool is_to_host = packet.destination == *parse_address("203.0.113.25");
        const bool is_the_flow = required->contains(packet.source) && packet.destination_port == 25 &&
                                 (is_to_host || packet.destination == *parse_address("10.1.1.25"));
        const bool is_missing = std::string_view(ingress) == "outside" && missing.contains(packet.source) &&
                                is_to_host && packet.destination_port == 25 && packet.source_port >= 1024;
        const bool is_right = is_missing        ? is[i] == Verdict::permit
                              : is[i] == was[i] ? true
                                                : is_the_flow && is[i] == Verdict::permit;
        if (is_right && again[i] == was[i]) continue;
        wrong += fmt::format("{} {}:{} > {}:{}\n", ingress, to_string(packet.source), packet.source_port,
                             to_string(packet.destination), packet.destination_port);
      }
      CHECK(wrong == "");
    }
  }
  CHECK(ends[fix::Status::proved] > 12);
  CHECK(ends[fix::Status::refused] > 0);
}

}  // namespace
}  // namespace aclmend
