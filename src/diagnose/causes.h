// What the steps leave as causes, and what to do next. "Certain" is a cause that the rules themselves show
// and nothing contradicts; everything else is only consistent with what was seen.
#pragma once
#include <string>
#include <vector>

#include "diagnose/gather.h"
#include "diagnose/result.h"

namespace aclmend::diagnose {

std::vector<Cause> causes(const Facts& facts);  // the likeliest first
std::vector<std::string> plain_words(const Facts& facts, const std::vector<Cause>& causes);
std::vector<Row> also(const Facts& facts);
std::vector<Row> clocks(const Facts& facts);
std::vector<Action> next(const Facts& facts, const std::vector<Step>& steps);

}  // namespace aclmend::diagnose
