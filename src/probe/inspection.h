// The traces that an inspecting firewall leaves in an SMTP dialog. Cisco's ESMTP inspection writes asterisks
// over the greeting (mask-banner) and X…XA over keywords it does not let through ("match ehlo-reply-parameter
// others", action mask), letter for letter: guides for ASA and PIX, and captures that people posted.
#pragma once
#include <string>
#include <vector>

#include "probe/dialog.h"

namespace aclmend::probe {

bool is_masked_banner(const Reply& banner);                   // "220 ****2***0**"
std::vector<std::string> masked_keywords(const Reply& ehlo);  // "XXXXXXXA"

// One sentence for each sign; none where there is none.
std::vector<std::string> signs_of_inspection(const Heard& heard);
// STARTTLS was masked: it is not offered, and a keyword of its length was overwritten.
bool is_starttls_masked(const Heard& heard);

}  // namespace aclmend::probe
