// Changing a Linux firewall: edits → commands to paste, and commands → the device after them.
#pragma once
#include "vendors/iptables/account.h"
#include "vendors/iptables/document.h"

namespace aclmend::iptables {

// The device that a document becomes when its sources from `first_script` on are typed into it (apply.cc).
Result<Reading> typed_in(std::shared_ptr<IptablesDocument> document, Account& account,
                         std::uint16_t first_script);

// The device after scripts were typed into it (apply.cc).
Result<Reading> apply(const Device& device, std::span<const SourcePtr> scripts);

// Commands as fragments for iptables-restore, one a family and table (write.cc).
std::vector<std::string> at_once(std::span<const std::string> commands);

// The commands of an edit, and those that take it back (write.cc).
Result<Commands> write(const Device& device, const Edit& edit);

// Where a program made the chains and would undo what is put into them: the chain and place that it leaves to
// the administrator, and what to tell (managers.cc).
struct Site {
  std::uint32_t chain = 0;
  std::size_t number = 1;  // before which rule; one more than there are: at the end
  std::vector<std::string> notes;
};
Result<Site> site_for(const IptablesDocument& document, Family family, Table table, std::uint32_t chain,
                      std::size_t number);
// What the manager of a half's rules should be told as well, so that its next run keeps the change.
std::vector<std::string> manager_notes(const Half& half, Family family, const InsertPermit& edit,
                                       const std::vector<Prefix>& sources);

extern const Editing editing;

// A list as a file for `ipset restore` (list.cc).
extern const ListFormat restore_format;

}  // namespace aclmend::iptables
