// The signature of one packet by its definition alone: no sets, no memory, a tree built by walking every open
// question both ways. The twin of src/difference for small policies.
#pragma once
#include <string>

#include "model/question.h"

namespace aclmend::test {

// Equal texts are equal signatures, across policies too. "" where the tree grows too large to be built.
std::string naive_signature(const model::Policy& policy, const model::Context& context, const Packet& packet);

}  // namespace aclmend::test
