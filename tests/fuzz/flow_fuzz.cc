// A hostile flow file: it is read or refused with places inside the file, and what is read makes sense.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "inventory/flows.h"

using namespace aclmend;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Source source("flow.yaml", std::string_view(reinterpret_cast<const char*>(bytes), size));
  const auto flow = inventory::read_flow(source);
  if (!flow) {
    if (flow.error().empty()) __builtin_trap();
    for (const Error& error : flow.error())
      if (error.message.empty() || error.line > source.line_count() + 1) __builtin_trap();
    return 0;
  }
  using Kind = inventory::End::Kind;
  const bool is_inbound = flow->direction == inventory::Direction::inbound;
  const inventory::End& near = is_inbound ? flow->destination : flow->source;
  const inventory::End& far = is_inbound ? flow->source : flow->destination;
  if (near.kind != Kind::mail_hosts || far.kind == Kind::mail_hosts) __builtin_trap();
  if ((far.kind == Kind::selected) != flow->select.has_value()) __builtin_trap();
  if ((far.kind == Kind::literal) == far.addresses.empty()) __builtin_trap();
  if (flow->id.empty() || flow->port == 0 || flow->why.empty()) __builtin_trap();
  return 0;
}
