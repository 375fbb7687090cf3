// Edits of every kind, and what tells whether they were carried out and taken back.
#pragma once
#include <random>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "model/policy.h"
#include "vendors/vendor.h"

namespace aclmend::test {

// All kinds of edits, a few of each, whether they make sense or not.
std::vector<Edit> edits_of(const model::Policy& policy, std::mt19937& random);

// Tells two policies apart: every list with its numbers and meanings, every group with its addresses, where
// lists are attached.
std::string form_of(const model::Policy& policy);

SourcePtr script(std::string name, const std::vector<std::string>& lines);
std::string text_of(const std::vector<std::string>& lines);
std::string errors_of(const Reading& reading);

}  // namespace aclmend::test
