#include "tests/support/allocations.h"

#ifdef ACLMEND_SANITIZE
#include <sanitizer/allocator_interface.h>
#else
#include <cstdlib>
#include <new>
#endif

namespace {
thread_local std::uint64_t allocated = 0;
}

#ifdef ACLMEND_SANITIZE  // its own operators are what finds faults: they are listened to, not replaced

namespace {
void count(const volatile void*, std::size_t size) { allocated += size; }
void ignore(const volatile void*) {}
const int installed = __sanitizer_install_malloc_and_free_hooks(count, ignore);
}  // namespace

#else

void* operator new(std::size_t size) {
  allocated += size;
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

#endif

namespace aclmend::test {

std::uint64_t allocated_bytes() { return allocated; }

}  // namespace aclmend::test
