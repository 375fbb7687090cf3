// A second opinion on address lists: FireHOL's iprange, where it is installed (Debian package `iprange`). It
// knows IPv4 alone. The program itself runs, with its standard input, as a script would run it.
#include <cstdio>
#include <memory>
#include <random>

#include "sets/address_set.h"
#include "tests/support/folder.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

std::string printed_by(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  char part[4096];
  while (const std::size_t got = std::fread(part, 1, sizeof part, pipe.get())) text.append(part, got);
  return text;
}

bool is_missing() {
  if (printed_by("command -v iprange") != "") return false;
  WARN("iprange is not installed: its second opinion was not asked (apt-get install iprange)");
  return true;
}

// Prefixes, hosts and ranges that crowd a small part of the space, so that they meet; sometimes its ends.
std::string some_list(std::mt19937_64& dice) {
  std::string text;
  const V4 base = dice() % 4 == 0 ? (dice() % 2 == 0 ? 0 : 0xFFFF0000) : static_cast<V4>(dice());
  for (auto lines = 1 + dice() % 80; lines > 0; --lines) {
    const Address near = Address::v4(dice() % 10 == 0 ? static_cast<V4>(dice()) : base | (dice() & 0xFFFF));
    const Prefix prefix = prefix_of(near, 16 + static_cast<int>(dice() % 17));
    if (dice() % 5 == 0) text += to_string(prefix.first()) + "-" + to_string(near);
    else text += dice() % 3 == 0 ? host_bare(prefix) : to_string(prefix);
    text += dice() % 9 == 0 ? " # why\n" : dice() % 9 == 0 ? "\n\n" : "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("iprange prints the same bytes for union, intersection and difference", "[oracle][cidr]") {
  if (is_missing()) return;
  const test::Folder folder;
  const std::string program = test::program();
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    std::mt19937_64 dice(seed);
    const std::string a = folder.write("a", some_list(dice)), b = folder.write("b", some_list(dice));
    INFO("seed " << seed);
    CHECK(printed_by(program + " cidr union " + a + " " + b) == printed_by("iprange " + a + " " + b));
    CHECK(printed_by(program + " cidr union < " + a) == printed_by("iprange < " + a));
    CHECK(printed_by(program + " cidr intersect " + a + " " + b) ==
          printed_by("iprange " + a + " --common " + b));
    CHECK(printed_by(program + " cidr subtract " + a + " - < " + b) ==
          printed_by("iprange " + a + " --except " + b));
  }
}

TEST_CASE("with --host-bits clear, iprange's reading of bits beyond the length is ours", "[oracle][cidr]") {
  if (is_missing()) return;
  const test::Folder folder;
  std::mt19937_64 dice(7);
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += to_string(Address::v4(static_cast<V4>(dice()))) + "/" + std::to_string(8 + dice() % 25) + "\n";
  const std::string list = folder.write("list", text);
  CHECK(printed_by(test::program() + " cidr union --host-bits clear " + list) ==
        printed_by("iprange " + list));
}

}  // namespace aclmend
