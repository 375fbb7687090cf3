#include "tests/fuzz/reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const aclmend::Vendor& vendor = aclmend::fuzz::vendor_called("iptables");
  aclmend::fuzz::read_and_ask(vendor, {reinterpret_cast<const char*>(data), size});
  return 0;
}
