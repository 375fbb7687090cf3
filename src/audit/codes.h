// The finding codes. A code is never reused and its slug works wherever the code does; both may stand in
// waivers, baselines and other people's scripts, so neither changes once it was published.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/diagnostic.h"

namespace aclmend::audit {

enum class Code : std::uint8_t {
  blocked_by_deny,
  blocked_by_default,
  lost_member,
  narrower_than_published,
  permit_disabled,
  permit_elsewhere,
  ipv6_forgotten,
  permit_too_late,
  not_connected,
  hangs_on_condition,
  line_not_understood,
  half_a_policy,
  list_content_missing,
  open_to_any,
  others_reach,
  stale_range,
  relay_pool,
  smtp_inspected,
  no_connection,
  starttls_missing,
  certificate_invalid,
  certificate_changed,
  list_not_checked,
  list_refused,
  range_coming,
  device_unreadable,
};

struct CodeText {
  Code code = Code::blocked_by_deny;
  std::string_view id;               // "ACM003"
  std::string_view slug;             // "lost-member"
  std::string_view title;            // one clause, no full stop
  std::optional<Severity> severity;  // none: the severity of the flow
  std::string_view meaning;          // what was seen, and why it matters
  std::string_view remedy;           // what to do
};

std::span<const CodeText> codes();  // in the order of their ids
const CodeText& text_of(Code code);
const CodeText* code_named(std::string_view word);  // an id in any case, or a slug; else null

}  // namespace aclmend::audit
