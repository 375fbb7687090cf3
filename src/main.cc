#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "cli/run.h"

#ifndef ACLMEND_SANITIZE  // the sanitizers have operators of their own

// Files are read whole and stand beside what was made of them: some large blocks, each written from front to
// back. Huge pages spare a hundred thousand page faults (a fifth of the time of an audit went there).
void* operator new(std::size_t size) {
  constexpr std::size_t huge_page = std::size_t{2} << 20, large = 2 * huge_page;
  const bool is_large = size >= large && size < SIZE_MAX - huge_page;
  const std::size_t whole = is_large ? (size + huge_page - 1) & ~(huge_page - 1) : size;
  void* block = is_large ? std::aligned_alloc(huge_page, whole) : std::malloc(size == 0 ? 1 : size);
  if (block == nullptr) throw std::bad_alloc();
  if (is_large) madvise(block, whole, MADV_HUGEPAGE);  // where the system has none, it stays as it was
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
  streams.out_is_terminal = isatty(STDOUT_FILENO) == 1;
  streams.err_is_terminal = isatty(STDERR_FILENO) == 1;
  return aclmend::cli::run(args, streams);
}
