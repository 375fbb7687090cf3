// The common shape of every JSON document: schema and tool first, the command's own keys, then the frame.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "report/frame.h"
#include "sets/address_set.h"

namespace aclmend::report::json {

using Json = nlohmann::ordered_json;

Json text_or_null(const std::string& text);  // null where it is empty
Json prefixes(const AddressSet& set);        // minimal, IPv4 before IPv6, ascending

// {"schema":"aclmend/NAME/1","tool":{"version":…}, …body's keys…,
// "inputs":…,"diagnostics":…,"inferred":…,"assumed":…,"exit":…} as text with two blanks of indentation and a
// final newline. Invalid UTF-8 in any string becomes U+FFFD.
std::string document(std::string_view name, const Json& body, const Frame& frame);

}  // namespace aclmend::report::json
