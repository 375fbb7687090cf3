// What ties the changes of a Linux firewall together.
#include "vendors/iptables/edit.h"

#include "base/text.h"

namespace aclmend::iptables {
namespace {

// The moment of the export; the kernel keeps none of its own.
std::vector<std::string> made_for(const Device& device) {
  const auto* document = dynamic_cast<const IptablesDocument*>(device.document.get());
  if (document == nullptr) return {};
  for (const Half* half : {&document->v4, &document->v6})
    if (!half->written.empty()) return {"rules of " + printable(half->written), "iptables-save | head -1"};
  return {};
}

}  // namespace

extern const Editing editing;
const Editing editing{
    .write = write,
    .apply = apply,
    .made_for = made_for,
    .at_once = at_once,
    .comment = "#",
    .begin = "",
    .end = "",
    .save =
        "netfilter-persistent save (Debian), service iptables save (Red Hat), or the file your boot loads",
    .confirmed = "the trace of such a packet must end in ACCEPT",
    .effect = "new connections at once; waiting mail follows when Microsoft tries again (minutes to hours)",
};

}  // namespace aclmend::iptables
