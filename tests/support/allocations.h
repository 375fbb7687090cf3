// A measure of work that is the same on a busy machine and an idle one: the bytes that this thread has asked
// the heap for. Whatever is done again for each rule, member or finding shows in it.
#pragma once
#include <cstdint>

namespace aclmend::test {

std::uint64_t allocated_bytes();  // so far

}  // namespace aclmend::test
