// The text of `ipset save` (commands: create, add), of `ipset list` (Name:, Type:, Header:, Members:), and of
// files written by hand in the first form. XML and JSON are refused with words.
//
// A set is known wholly or not at all: a line that this reader cannot read, or that ipset would refuse, makes
// its set doubtful, never narrower or wider. An element that stands twice is taken once; where the two say
// yes and no, it is merely possible.
#pragma once
#include <string_view>

#include "base/diagnostic.h"
#include "base/error.h"
#include "base/source.h"
#include "vendors/iptables/ipset.h"

namespace aclmend::iptables {

struct IpsetReading {
  IpSets sets;
  Diagnostics diagnostics;
  Ledger ledger;
};

// "ipset save" or "ipset list" where the first lines look like it; empty for anything else.
std::string_view ipset_form(std::string_view text);

// The sets of the file, added to those of the files before it. Fails for other forms of output.
Result<IpsetReading> read_ipsets(const Source& source, std::uint16_t source_index, IpSets before = {});

}  // namespace aclmend::iptables
