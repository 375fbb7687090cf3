// One selection of a release as a list of addresses, and the forms that belong to no vendor: plain text, CSV,
// the external dynamic list of PAN-OS, named sets of nftables. Vendors' own forms are `Vendor::list`; each is
// a ListFormat and written by `written_as(format, list.named)`. JSON is report/json's.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "endpoints/result.h"
#include "sets/named_list.h"

namespace aclmend::endpoints {

enum class Families : std::uint8_t { both, ipv4, ipv6 };
std::string_view to_string(Families families);           // "both"
Result<Families> families_named(std::string_view text);  // the error names the choices

struct ListRequest {
  std::optional<Selection> selection;  // none: every row that has addresses
  std::optional<AddressSet> literal;   // ranges that the flow itself names: no row holds them
  std::string words;                   // the selection in words: "Exchange rows with TCP 25 and addresses"
  std::string flow;                    // its id; empty: none
  std::string name;                    // empty: default_name()
  Families families = Families::both;
};

struct List {
  Release release;
  std::string asked, flow;  // as in the request
  Families families = Families::both;
  bool is_literal = false;
  std::vector<Row> rows;  // of the selection, with the addresses of these families alone; none without any
  NamedList named;        // the addresses of all of them, and what stands at the head of every form
};

// "M365-EOP-INBOUND-SMTP", of a flow; "M365-USGovDoD" without one.
std::string default_name(Instance instance, std::string_view flow);

// Never empty: where the selection holds no address of the families asked for, the error says so.
Result<List> list_of(const Release& release, const ListRequest& request);

// Plain text, external dynamic list, nftables.
std::span<const ListFormat> list_formats();

// A line a prefix and row: prefix,family,id,service_area,tcp_ports,udp_ports,category,required. The heading
// stands before it as lines that begin with '#' (`grep -v '^#'`). Ranges of a flow's own have no row.
std::string csv(const List& list);

}  // namespace aclmend::endpoints
