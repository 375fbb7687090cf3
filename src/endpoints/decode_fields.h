// The members that rows and records of changes share, read from JSON; a member that is absent is empty. What
// is of another kind than the service writes is an Error with its place.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "endpoints/decode_json.h"
#include "sets/address_set.h"

namespace aclmend::endpoints {

inline constexpr std::size_t largest_text = 16 << 20;

std::unexpected<Error> refuse(const Source& source, std::uint32_t offset, std::string message);
std::unexpected<Error> wrong_kind(const Source& source, const JsonValue& value, std::string_view key,
                                  std::string_view expected);

// What a file is that does not even begin like JSON; empty: it may be.
std::string_view other_than_json(std::string_view text);

Result<std::string> text_of(const Source& source, const JsonValue& object, std::string_view key);
// true, false, "true", "False": /changes writes them as texts.
Result<std::optional<bool>> truth_of(const Source& source, const JsonValue& object, std::string_view key);
Result<PortSet> ports_of(const Source& source, const JsonValue& object, std::string_view key);
Result<std::vector<Prefix>> prefixes_of(const Source& source, const JsonValue& object);   // "ips", each once
Result<std::vector<std::string>> urls_of(const Source& source, const JsonValue& object);  // "urls"

}  // namespace aclmend::endpoints
