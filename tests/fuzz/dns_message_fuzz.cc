// A hostile resolver: no message is read beyond its end, and what comes out has bounds.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "net/dns.h"

using namespace aclmend::net;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  for (const RecordType type :
       {RecordType::a, RecordType::aaaa, RecordType::mx, RecordType::txt, RecordType::tlsa}) {
    const DnsAnswer answer = read_dns_message(message, "lab.test", type);
    if (answer.records.size() > 200 || answer.aliases.size() > 8) std::abort();
    for (const Record& record : answer.records)
      if (record.type != type || record.text.size() > size || record.data.size() > size) std::abort();
  }
  return 0;
}
