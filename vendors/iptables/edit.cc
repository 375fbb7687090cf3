// What ties the changes of a Linux firewall together.
#include "vendors/iptables/edit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "vendors/iptables/reader.h"

namespace aclmend::iptables {
namespace {

// A family's tables as the program printed them: without comments and counters, which change by themselves.
std::string rules_of(const IptablesDocument& document, const Half& half) {
  std::vector<Span> begins;
  for (const auto& table : half.tables)
    if (table) begins.push_back(table->span);
  std::ranges::sort(begins, {}, [](const Span& span) { return std::pair(span.source, span.begin); });
  std::string rules;
  for (const Span& begin : begins) {
    Lines lines(document.sources[begin.source]->text().substr(begin.begin), begin.source);
    while (const auto line = lines.next()) {
      std::string_view text = line->text;
      if (text.empty() || text[0] == '#') continue;
      const std::size_t counters = text.find('[');
      const std::size_t end = counters == std::string_view::npos ? 0 : counters_end(text.substr(counters));
      const bool is_counted =
          end != 0 && text.substr(counters + 1, end - 2).find_first_not_of("0123456789:") == text.npos;
      rules += is_counted ? text.substr(0, counters) : text;
      if (is_counted) rules += text.substr(counters + end);
      rules += '\n';
      if (text == "COMMIT") break;
    }
  }
  return rules;
}

std::vector<std::string> made_for(const Device& device) {
  const auto* document = dynamic_cast<const IptablesDocument*>(device.document.get());
  if (document == nullptr) return {};
  std::vector<std::string> known;
  for (const Family family : {Family::ipv4, Family::ipv6}) {
    const Half& half = document->half(family);
    if (!half.is_there() || half.is_listing) continue;
    known.push_back(
        fmt::format("{} rules with sha256 {}", family_word(family), sha256_hex(rules_of(*document, half))));
    known.push_back(fmt::format("ip{}tables{}-save | sed '/^#/d; s/\\[[0-9]*:[0-9]*\\]//' | sha256sum",
                                family == Family::ipv4 ? "" : "6",
                                half.backend == Half::Backend::legacy ? "-legacy" : ""));
  }
  return known;
}

}  // namespace

extern const Editing editing;
const Editing editing{
    .write = write,
    .apply = apply,
    .made_for = made_for,
    .at_once = at_once,
    .comment = "#",
    .begin = "",
    .end = "",
    .save =
        "netfilter-persistent save (Debian), service iptables save (Red Hat), or the file your boot loads",
    .confirmed = "the trace of such a packet must end in ACCEPT",
    .effect = "new connections at once; waiting mail follows when Microsoft tries again (minutes to hours)",
};

}  // namespace aclmend::iptables
