// Evidence of any bytes: the diagnosis has its eight steps, says how each open one is settled, keeps to its
// forty lines, sends no control character to a terminal, and redacted it shows no address but Microsoft's.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

#include "diagnose/diagnose.h"
#include "report/diagnose.h"

using namespace aclmend;

namespace {

diagnose::Facts facts_of(std::string_view text) {
  diagnose::Facts facts;
  for (const std::string_view range : {"40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17",
                                       "2a01:111:f400::/48", "40.95.0.0/16"}) {
    facts.ranges.push_back(*parse_prefix(range));
    facts.microsoft |= AddressSet(facts.ranges.back());
  }
  facts.required = facts.ranges.size() - 1;
  facts.flow = "eop-inbound-smtp";
  facts.list = "list 2025120100";
  facts.inputs = {"evidence"};
  Lines lines = Lines::over("evidence", std::string(text));
  diagnose::Gatherer gatherer(facts);
  gatherer.begin("evidence");
  const evidence::Handlers handlers{.record = [&](const evidence::Record& record) { gatherer.add(record); }};
  gatherer.end(evidence::read(lines, {.context = {}, .now = 0, .zone = {}}, handlers));
  for (const diagnose::Deferred& deferred : facts.deferrals)
    if (facts.host.empty()) facts.host = deferred.host;
  return facts;
}

bool is_plain(const std::string& text) {
  return std::ranges::none_of(text, [](char c) { return (c >= 0 && c < ' ' && c != '\n') || c == '\x7f'; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const diagnose::Facts facts = facts_of({reinterpret_cast<const char*>(bytes), size});
  report::DiagnoseReport report{{}, diagnose::diagnose(facts)};
  if (report.diagnosis.steps.size() != 8 || report.diagnosis.plain.empty()) __builtin_trap();
  for (const diagnose::Step& step : report.diagnosis.steps)
    if (step.rows.empty() || (step.status == diagnose::Status::not_known && step.settle.empty()))
      __builtin_trap();
  const std::string text = report::terminal::diagnose(report), page = diagnose::ticket(facts);
  if (!is_plain(text) || !is_plain(page)) __builtin_trap();
  if (std::ranges::count(text, '\n') > 60) __builtin_trap();
  diagnose::Redaction redaction(facts);
  report.diagnosis = redaction.diagnosis(std::move(report.diagnosis));
  const std::string shown = report::terminal::diagnose(report) + report::json::diagnose(report);
  for (const diagnose::Deferred& deferred : facts.deferrals) {
    if (!deferred.address || facts.microsoft.contains(*deferred.address)) continue;
    const std::string own = to_string(*deferred.address);
    for (std::size_t at = shown.find(own); at != std::string::npos; at = shown.find(own, at + 1)) {
      const auto touches = [](char c) {
        return (c >= '0' && c <= '9') || c == '.' || c == ':' || (c >= 'a' && c <= 'f');
      };
      const bool is_whole = (at == 0 || !touches(shown[at - 1])) && !touches(shown[at + own.size()]);
      if (is_whole && own.size() > 6) __builtin_trap();
    }
  }
  return 0;
}
