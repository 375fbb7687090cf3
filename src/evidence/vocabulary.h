// The words in which a failed delivery is told: SMTP enhanced status codes (RFC 3463) as Exchange Online uses
// them, and the socket errors inside their texts. From Microsoft's pages "Fix possible mail flow issues with
// Mail flow intelligence", "How SMTP DANE works", "Email non-delivery reports in Exchange Online" and
// "Windows Sockets Error Codes".
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace aclmend::evidence {

enum class WordKind : std::uint8_t { smtp_status, socket_error };
std::string_view to_string(WordKind kind);  // "smtp-status", "socket-error"

struct Word {
  WordKind kind = WordKind::smtp_status;
  std::vector<std::string_view> names;  // "4.4.316", "5.4.316"; "10061", "WSAECONNREFUSED"
  std::string_view title;               // as the text says it
  std::string_view meaning;             // what was seen, and what it is consistent with: it never proves
  std::string_view remedy;              // what to look at
};

std::span<const Word> vocabulary();
const Word* word_named(std::string_view name);  // in any case; a throttling status by its range; else null

}  // namespace aclmend::evidence
