#include "tests/support/allocations.h"

#include <cstdlib>
#include <new>

namespace {
thread_local std::uint64_t allocated = 0;
}

void* operator new(std::size_t size) {
  allocated += size;
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

namespace aclmend::test {

std::uint64_t allocated_bytes() { return allocated; }

}  // namespace aclmend::test
