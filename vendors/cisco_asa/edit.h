// Changing an ASA: edits → commands to paste, and commands → the device after them.
#pragma once
#include "vendors/cisco_asa/reader.h"

namespace aclmend::cisco_asa {

// Of which sources a reading tells what was found in them: of those before the scripts it may be known.
enum class Told : std::uint8_t { all, scripts_alone };
// The device that a configuration becomes when the account's sources from `first_script` on are typed into it
// (apply.cc). Fails where one of them is no script.
Result<Reading> type_in(Configuration start, Account& account, std::uint16_t first_script, Told told);

// The device after scripts were typed into it (apply.cc).
Result<Reading> apply(const Device& device, std::span<const SourcePtr> scripts);

// The commands of an edit, and those that take it back (write.cc).
Result<Commands> write(const Device& device, const Edit& edit);

extern const Editing editing;

inline constexpr std::size_t longest_group_name = 64;
// Behind `network-object`, or as source or destination of an entry: "host 192.0.2.1", "40.92.0.0
// 255.254.0.0", "2001:db8::/32".
std::string address_text(const Prefix& prefix);

// A list as an object group (list.cc).
extern const ListFormat object_group_format;

}  // namespace aclmend::cisco_asa
