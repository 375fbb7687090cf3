// What ties the changes of an ASA together.
#include "vendors/cisco_asa/edit.h"

#include <fmt/format.h>

namespace aclmend::cisco_asa {
namespace {

// The checksum of the running configuration stands at the end of an export; `show checksum` prints the one of
// the moment.
std::vector<std::string> made_for(const Device& device) {
  const auto* document = dynamic_cast<const AsaDocument*>(device.document.get());
  if (document == nullptr || document->configuration.header.checksum.empty()) return {};
  const std::string& checksum = document->configuration.header.checksum;
  if (checksum.size() > 64 || checksum.find_first_not_of("0123456789abcdefABCDEF") != std::string::npos)
    return {};
  return {"Cryptochecksum " + checksum, "show checksum"};
}

}  // namespace

extern const Editing editing;
const Editing editing{
    .write = write,
    .apply = apply,
    .made_for = made_for,
    .comment = "!",
    .begin = "configure terminal",
    .end = "end",
    .save = "write memory",
    .confirmed = R"(each must end in "Action: allow")",
    .effect =
        "new connections at once; waiting mail follows when Microsoft tries again (minutes to hours); "
        "connections that a removed line had let in stay until they end",
};

}  // namespace aclmend::cisco_asa
