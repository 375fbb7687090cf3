#include "tests/oracle/iptables/scene.h"

#include <fmt/format.h>

#include "base/text.h"
#include "tests/oracle/iptables/frame.h"

namespace aclmend::oracle {
namespace {

constexpr std::pair<std::string_view, std::uint8_t> protocol_names[] = {
    {"tcp", carried::tcp},   {"udp", carried::udp}, {"icmp", carried::icmp}, {"icmp6", carried::icmp6},
    {"sctp", carried::sctp}, {"gre", carried::gre}, {"esp", carried::esp},   {"ah", carried::ah},
};

std::string protocol_text(std::uint8_t number) {
  for (const auto& [name, its] : protocol_names)
    if (its == number) return std::string(name);
  return std::to_string(number);
}

std::string end_text(Address address, std::uint16_t port, bool with_port) {
  const std::string host = to_string(address);
  if (!with_port) return host;
  return address.is_v4() ? fmt::format("{}:{}", host, port) : fmt::format("[{}]:{}", host, port);
}

struct End {
  Address address;
  std::uint16_t port = 0;
};
std::optional<End> end_of(std::string_view word) {
  if (const auto bare = parse_address(word)) return End{*bare, 0};
  const std::size_t colon = word.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = word.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = parse_address(host);
  const auto port = parse_decimal<std::uint16_t>(word.substr(colon + 1));
  if (!address || !port) return std::nullopt;
  return End{*address, *port};
}

Result<Probe> probe_of(std::string_view words_text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(words_text, ' '))
    if (!word.empty()) words.push_back(word);
  const auto bad = [&] {
    return fail(fmt::format("expected PROTO SRC > DST [ingress NAME] [icmp-type N] [code N], found '{}'",
                            words_text));
  };
  if (words.size() < 4 || words[2] != ">" || words.size() % 2 != 0) return bad();
  Probe probe{{}, usual_plan().ports.front().name};
  auto number = parse_decimal<std::uint8_t>(words[0]);
  for (const auto& [name, its] : protocol_names)
    if (name == words[0]) number = its;
  const auto from = end_of(words[1]), to = end_of(words[3]);
  if (!number || !from || !to) return bad();
  probe.packet = {from->address, to->address, *number, from->port, to->port};
  for (std::size_t i = 4; i < words.size(); i += 2) {
    if (words[i] == "ingress") probe.ingress = words[i + 1];
    else if (words[i] == "egress" || words[i] == "direction") continue;
    else if (const auto value = parse_decimal<std::uint8_t>(words[i + 1]))
      (words[i] == "code" ? probe.packet.destination_port : probe.packet.source_port) = *value;
    else return bad();
  }
  return probe;
}

bool is_of_sets(std::string_view text) {
  return text.starts_with("create ") || text.find("\ncreate ") != text.npos;
}

}  // namespace

Result<Scene> scene_of(std::string_view text) {
  Scene scene;
  std::string* into = &scene.head;
  std::string config, answer;
  const auto finish = [&] {
    (is_of_sets(config) ? scene.rules.sets : scene.rules.rules) += config, config.clear();
  };
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with("--- ")) {
      *into += line;
      *into += '\n';
      continue;
    }
    finish();
    into = &answer;
    if (line == "--- config") into = &config;
    if (!line.starts_with("--- trace ")) continue;
    TRY(probe, probe_of(line.substr(10)));
    scene.probes.push_back(std::move(probe));
  }
  finish();
  if (!scene.probes.empty()) scene.rules.family = scene.probes.front().packet.source.family;
  if (scene.head.find("(legacy)") != std::string::npos) scene.rules.backend = Backend::legacy;
  return scene;
}

std::string to_text(const Probe& probe) {
  const Packet& packet = probe.packet;
  const bool with_ports = has_ports(packet.protocol);
  std::string text =
      fmt::format("{} {} > {} ingress {}", protocol_text(packet.protocol),
                  end_text(packet.source, packet.source_port, with_ports),
                  end_text(packet.destination, packet.destination_port, with_ports), probe.ingress);
  if (is_icmp(packet.protocol))
    text += fmt::format(" icmp-type {} code {}", packet.source_port, packet.destination_port);
  return text;
}

std::string to_text(const Sight& sight) {
  if (sight.where == Sight::Where::nowhere) return "deny";
  const std::string to =
      end_text(sight.packet.destination, sight.packet.destination_port, has_ports(sight.packet.protocol));
  return sight.where == Sight::Where::here ? fmt::format("permit, here at {}", to)
                                           : fmt::format("permit, to {} by {}", to, sight.egress);
}

std::string to_text(const Scene& scene, const std::vector<std::string>& answers) {
  std::string text = scene.head + "--- config\n" + scene.rules.rules;
  if (!scene.rules.sets.empty()) text += "--- config\n" + scene.rules.sets;
  for (std::size_t i = 0; i < scene.probes.size(); ++i)
    text += fmt::format("--- trace {}\n{}\n", to_text(scene.probes[i]), i < answers.size() ? answers[i] : "");
  return text;
}

}  // namespace aclmend::oracle
