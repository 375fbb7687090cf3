// The tables, as the steps that made them. A store knows by its user_version how many of them it has seen; a
// new version of aclmend adds a step and changes none.
#pragma once
#include <span>
#include <string_view>

namespace aclmend::store {

std::span<const std::string_view> schema_steps();

inline constexpr int application_id = 0x61636C6D;  // "aclm", in the file's head ("Database File Format", 1.3)

}  // namespace aclmend::store
