// The eight steps of the story, each from the facts alone. A step without evidence is not known, and says
// what would settle it.
#pragma once
#include <vector>

#include "diagnose/gather.h"
#include "diagnose/result.h"

namespace aclmend::diagnose {

std::vector<Step> steps(const Facts& facts);

// Exchange 2013 and later.
inline constexpr std::string_view receive_log_path =
    R"(%ExchangeInstallPath%TransportRoles\Logs\FrontEnd\ProtocolLog\SmtpReceive\RECV*.LOG)";

}  // namespace aclmend::diagnose
