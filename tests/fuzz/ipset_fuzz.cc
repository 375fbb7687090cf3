// Set files and scripts of any bytes: the reader neither crashes nor hangs, every line has a state, what it
// says points into the file, and what was read can be asked, changed and written to.
#include <cstdint>
#include <cstdlib>

#include "vendors/iptables/ipset_command.h"
#include "vendors/iptables/ipset_read.h"
#include "vendors/iptables/ipset_write.h"
#include "vendors/iptables/set_match.h"

namespace {

using namespace aclmend;
using namespace aclmend::iptables;

void require(bool holds) {
  if (!holds) std::abort();
}

void ask(const IpSets& sets) {
  constexpr std::size_t most_asked = 20;
  SetMatches matches(sets);
  std::size_t asked = 0;
  for (const IpSet& set : sets.sets) {
    if (++asked > most_asked) return;
    for (const Family family : {Family::ipv4, Family::ipv6})
      for (const bool negated : {false, true}) {
        const MatchBoxes& boxes =
            matches.boxes({set.name, {Flag::src, Flag::dst, Flag::dst}, negated, negated, family});
        require(boxes.possible.size() >= boxes.certain.size());
        require(boxes.open().empty() == boxes.conditions.empty());
        require(boxes.possible.size() <= 2 * most_boxes);
      }
    const Prefix range = prefix_of(Address::v4(0x34640000), 14);
    if (const auto written = addition(set, range, WantedService{protocol::tcp, 25}))
      require(written->command.starts_with("ipset add "));
    for (std::size_t i = 0; i < set.elements.size() && i < most_asked; ++i)
      require(!element_text(set, i).empty() || set.type == SetType::unknown);
  }
}

void type_in(const Source& script) {
  IpSets sets;
  std::deque<std::string> arena;
  Splitter splitter(Grammar::ipset, arena);
  const std::string_view text = script.text();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (const auto words = splitter.split(text.substr(begin, end - begin)); words && !words->empty())
      (void)execute(sets, *words, {0, static_cast<std::uint32_t>(begin)});
    begin = end + 1;
  }
  ask(sets);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Source source("fuzz.ipset", std::string_view(reinterpret_cast<const char*>(data), size));
  ipset_form(source.text());
  const auto reading = read_ipsets(source, 0);
  if (!reading) return 0;
  require(reading->ledger.lines.size() == source.line_count());
  for (const Diagnostic& one : reading->diagnostics.all())
    require(one.span.begin <= one.span.end && one.span.end <= size);
  for (const IpSet& set : reading->sets.sets)
    require(set.span.begin <= set.span.end && set.span.end <= size && reading->sets.named(set.name) == &set);
  ask(reading->sets);
  type_in(source);
  return 0;
}
