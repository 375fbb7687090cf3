// The service's port lists: "25", "80,443", "5061,50000-59999", "143, 587, 993, 995". "" is no port.
#pragma once
#include <string_view>

#include "base/error.h"
#include "sets/address_set.h"

namespace aclmend::endpoints {

Result<PortSet> parse_ports(std::string_view text);
std::string comma_list(const PortSet& ports);  // "25,50000-59999"

}  // namespace aclmend::endpoints
