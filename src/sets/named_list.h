// A set of addresses under a name, as firewalls keep it for their rules (an object group, an ipset, a named
// set of nftables), and the texts it is written as. A format is a pure function of the list: the same list
// gives the same bytes.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sets/address_set.h"

namespace aclmend {

struct NamedList {
  std::string name;
  AddressSet addresses;
  std::string description;           // what it is in one line, for devices that keep it beside the list
  std::vector<std::string> heading;  // comments at its head, a line each; none: no comments at all
};

// One way to write a list. `write` gets what written_as() has checked: a name that fits, at least one
// address, heading and description in printable ASCII of at most `longest_heading_line` bytes.
struct ListFormat {
  std::string_view id;            // "ipset", as --format takes it
  std::size_t longest_name = 0;   // 0: the name does not stand in it
  std::size_t most_prefixes = 0;  // 0: as many as you like
  std::string_view beyond;        // what becomes of more: "PAN-OS skips the entries beyond"
  std::string (*write)(const NamedList& list) = nullptr;
};

inline constexpr std::size_t longest_heading_line = 200;

// Fails for an empty list (an empty allow list that a timer loads closes the mail), for a name that is not
// made of letters, digits, '-' and '_' with a letter first or is longer than the format takes, and for more
// prefixes than it takes.
Result<std::string> written_as(const ListFormat& format, const NamedList& list);

// A text as a line that no comment can be left by: printable ASCII, the rest as \xNN, cut at the longest
// length.
std::string heading_line(std::string_view text);

// Each line behind the comment sign: "# Microsoft 365 …".
std::string comments(std::string_view sign, const std::vector<std::string>& lines);

}  // namespace aclmend
