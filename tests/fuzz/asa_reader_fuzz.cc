// The Cisco ASA reader takes any bytes: it neither crashes nor hangs, every line has a state, and what it
// says points into the file. What it read can be asked.
#include <cstdint>
#include <cstdlib>

#include "model/question.h"
#include "vendors/vendor.h"

namespace {

using namespace aclmend;

void require(bool holds) {
  if (!holds) std::abort();
}

const Vendor& asa() {
  for (const Vendor* vendor : all_vendors())
    if (vendor->id == "cisco-asa") return *vendor;
  std::abort();
}

void ask(const model::Policy& policy) {
  const Packet packet{Address::v4(0x285C0001), Address::v4(0xCB007119), protocol::tcp, 40000, 25};
  model::Context context;
  model::decide(policy, context, packet);
  for (const model::Interface& port : policy.interfaces) {
    context.known[model::Dimension::ingress] = port.name;
    model::decide(policy, context, packet);
    break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto source =
      std::make_shared<const Source>("fuzz.cfg", std::string_view(reinterpret_cast<const char*>(data), size));
  const SourcePtr sources[] = {source};
  asa().recognise(*source);
  const auto reading = asa().read(sources, {});
  if (!reading) return 0;
  require(reading->ledgers.size() == 1 && reading->ledgers[0].lines.size() == source->line_count());
  for (const Diagnostic& one : reading->diagnostics.all())
    require(one.span.source == 0 && one.span.begin <= one.span.end && one.span.end <= size);
  for (const Device& device : reading->devices) {
    for (const model::RuleList& list : device.policy.lists)
      for (const model::Rule& rule : list.rules)
        require(rule.span.begin <= rule.span.end && rule.span.end <= size);
    ask(device.policy);
  }
  return 0;
}
