#include "tests/oracle/iptables/opinion.h"

#include <map>
#include <memory>

namespace aclmend::oracle {
namespace {

Answer answer_of(const model::Decision& decision) { return {decision.verdict, decision.translated}; }

model::Context context_of(const Probe& probe) {
  return {.known = {{model::Dimension::ingress, probe.ingress}}, .assumed = {}, .chain = {}};
}

}  // namespace

Result<Opinion> Opinion::read(const RuleSet& rules, const Plan& plan) {
  ReadOptions options;
  for (const Family family : {Family::ipv4, Family::ipv6})
    for (const Address address : plan.own(family)) options.local |= AddressSet(host_prefix(address));
  std::vector<SourcePtr> sources{
      std::make_shared<const Source>(rules.family == Family::ipv4 ? "rules.v4" : "rules.v6", rules.rules)};
  if (!rules.sets.empty()) options.sets.push_back({"", std::make_shared<const Source>("sets", rules.sets)});
  TRY(intake, intake::read_sources(std::move(sources), "iptables", options));
  if (intake.reading.devices.size() != 1) return fail("not one device");
  Opinion opinion;
  opinion.intake_ = std::move(intake);
  opinion.asks_egress_ = rules.rules.find("-o ") != std::string::npos ||
                         rules.rules.find("--out-interface ") != std::string::npos ||
                         rules.sets.find(",iface") != std::string::npos;
  return opinion;
}

std::vector<Answer> Opinion::of(std::span<const Probe> probes, Told told) const {
  std::map<std::string, std::vector<std::size_t>> by_ingress;
  for (std::size_t i = 0; i < probes.size(); ++i)
    by_ingress[told == Told::no_ingress ? "" : probes[i].ingress].push_back(i);
  std::vector<Answer> answers(probes.size());
  for (const auto& [ingress, indices] : by_ingress) {
    std::vector<Packet> packets;
    for (const std::size_t i : indices) packets.push_back(probes[i].packet);
    const model::Context context =
        told == Told::no_ingress ? model::Context{} : context_of(probes[indices.front()]);
    const std::vector<model::Decision> decisions = model::decide(policy(), context, packets);
    for (std::size_t k = 0; k < indices.size(); ++k) answers[indices[k]] = answer_of(decisions[k]);
  }
  return answers;
}

Answer Opinion::with_egress(const Probe& probe, const std::string& egress) const {
  model::Context context = context_of(probe);
  context.known[model::Dimension::egress] = egress;
  return answer_of(model::decide(policy(), context, probe.packet));
}

}  // namespace aclmend::oracle
