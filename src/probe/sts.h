// MTA-STS (RFC 8461): what a domain demands of those who send to it. The policy lies on a web server; how it
// is fetched is passed in.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "probe/result.h"
#include "probe/targets.h"

namespace aclmend::probe {

struct Fetched {
  int status = 0;  // of HTTP; 0: no answer
  std::string content_type;
  std::string body;
  std::string error;  // why there is no answer
};
using Fetch = std::function<Fetched(const std::string& url)>;  // no redirects, the certificate verified

struct StsPolicy {
  enum class Mode : std::uint8_t { none, testing, enforce };
  Mode mode = Mode::none;
  std::uint32_t max_age = 0;       // seconds
  std::vector<std::string> hosts;  // "mail.contoso.com", "*.contoso.com"
};
std::string_view to_string(StsPolicy::Mode mode);

Result<StsPolicy> read_sts_policy(std::string_view body);
bool allows(const StsPolicy& policy, std::string_view host);

struct Sts {
  Step step;  // of the domain
  std::optional<StsPolicy> policy;
};
Sts look_up_sts(const std::string& domain, const Ask& ask, const Fetch& fetch);

// The domain's step for one of its mail hosts.
Step sts_step(const Sts& sts, std::string_view host);

}  // namespace aclmend::probe
