// Change scripts: `iptables …`, `ip6tables …` and `ipset …` lines as they are typed, and fragments for
// iptables-restore --noflush. Each line is carried out on the rule sets that were read, or refused as the
// program would refuse it; what would need a shell is refused as well.
#pragma once
#include "base/error.h"
#include "vendors/iptables/commands.h"

namespace aclmend::iptables {

// Types a source into the document. What is refused is said to the account. Fails where it is no script of
// iptables at all.
std::optional<Error> type_in(IptablesDocument& document, Account& account, std::uint16_t source);

// The words of a command line as a shell makes them; what it would expand, redirect or run is refused.
std::expected<std::vector<Word>, Fault> shell_words(std::string_view line, std::deque<std::string>& arena);

// The words of a rule behind its chain, out of the line it stands in: of an export, a fragment or a command.
std::vector<Word> words_of_rule(std::string_view line, std::deque<std::string>& arena);

}  // namespace aclmend::iptables
