// The addresses of a name, by the system's resolver (hosts file and all) or one handed in, within a time.
#pragma once
#include <expected>
#include <string>
#include <vector>

#include "net/deadline.h"
#include "net/http.h"
#include "sets/address.h"

namespace aclmend::net {

// Never empty; both families take turns, the resolver's first choice in front. At most eight.
std::expected<std::vector<Address>, HttpFailure> resolve(const std::string& host, const HttpOptions& options,
                                                         Deadline deadline);

}  // namespace aclmend::net
