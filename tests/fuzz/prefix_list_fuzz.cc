// Lists: what is read prints as a list that reads back as the same set; a leading blank changes nothing (it
// sends every line the long way); an error has a place inside the text.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sets/prefix_list.h"

using namespace aclmend;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const Source source("list", std::string_view(reinterpret_cast<const char*>(bytes), size));
  const auto list = read_prefix_list(source, HostBits::refused);
  if (!list) {
    const Error& error = list.error();
    if (error.line == 0 || error.line > source.line_count() || error.column == 0) __builtin_trap();
    return 0;
  }
  const Source printed("printed", to_list(list->addresses));
  const auto again = read_prefix_list(printed, HostBits::cleared);
  if (!again || again->addresses != list->addresses || again->entries != printed.line_count())
    __builtin_trap();
  const auto found = lines_within(list->addresses, source, HostBits::refused);
  if (!found || found->entries != list->entries) __builtin_trap();

  std::vector<Prefix> handed_out;
  const auto entries =
      each_prefix(source, HostBits::refused, [&](const Prefix& prefix) { handed_out.push_back(prefix); });
  if (!entries || *entries != list->entries || AddressSet::of(handed_out) != list->addresses)
    __builtin_trap();

  std::string shifted(source.text());
  for (std::size_t at = 0; at < shifted.size(); ++at)
    if (shifted[at] == '\n') shifted.insert(++at, " ");
  const auto slow = read_prefix_list(Source("shifted", shifted), HostBits::refused);
  if (!slow || slow->addresses != list->addresses) __builtin_trap();
  return 0;
}
