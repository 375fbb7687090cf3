#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "cli/run.h"

#ifndef ACLMEND_SANITIZE  // the sanitizers have operators of their own

// Files are read whole and stand beside what was made of them: some large blocks, each written from front to
// back. Half of that time goes into pages that nobody touched before; a second thread has them ready.
void* operator new(std::size_t size) {
  constexpr std::size_t large = std::size_t{8} << 20, page = 4096;
  void* block = std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  if (size >= large) {
    try {
      std::thread([from = reinterpret_cast<std::uintptr_t>(block), size] {
        const std::uintptr_t begin = (from + page - 1) & ~(page - 1), end = (from + size) & ~(page - 1);
        madvise(reinterpret_cast<void*>(begin), end - begin, MADV_POPULATE_WRITE);
      }).detach();
    } catch (const std::exception&) {  // then without
    }
  }
  return block;
}
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }

#endif

int main(int argc, char** argv) {
  // Keep what is freed for the next block instead of handing it back page by page (glibc's limits; a quarter
  // of the time of `cidr` went there).
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
  std::ios::sync_with_stdio(false);
  const std::vector<std::string> args(argv + 1, argv + argc);
  aclmend::cli::Streams streams{std::cin, std::cout, std::cerr};
  streams.err_is_terminal = isatty(STDERR_FILENO) == 1;
  const int status = aclmend::cli::run(args, streams);
#ifdef ACLMEND_SANITIZE
  return status;
#else
  std::cout.flush();
  std::cerr.flush();
  std::_Exit(status);  // with what the streams keep
#endif
}
