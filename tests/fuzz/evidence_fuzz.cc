// Hostile logs and pasted texts: every line is accounted for, records say where they begin, and what is
// printed of them is a line. The first byte chooses a zone, the addresses that are local, and whether there
// is a summary.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "evidence/result.h"
#include "report/evidence.h"

using namespace aclmend;

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  evidence::Options options;
  options.now = std::int64_t{1'795'392'000} * micros_a_second;
  if ((bytes[0] & 1) != 0) options.zone = std::int16_t{60};
  if ((bytes[0] & 2) != 0) options.context.local = AddressSet(Address::v4(0x0A010119));
  Lines lines = Lines::over("fuzz", std::string(reinterpret_cast<const char*>(bytes + 1), size - 1));
  report::EvidenceReport told;
  std::string out;
  std::uint64_t records = 0;
  told.reading = evidence::read(
      lines, options,
      {.record =
           [&](const evidence::Record& record) {
             ++records;
             require(record.line >= 1 && record.line <= lines.lines() && !record.source.empty());
             require(!record.time || !options.zone || record.time->offset);
             if ((bytes[0] & 4) != 0) told.summary.add(record);  // its tables take most of the time
             out.clear();
             report::json::append_record(out, "fuzz", record);
             require(out.find('\n') == out.size() - 1);
           },
       .unread = [&](const evidence::Unread& line) { require(line.line <= lines.lines()); }});
  const evidence::Reading& reading = told.reading;
  std::uint64_t known = reading.records() + reading.blank + reading.silent;
  for (const auto* counts : {&reading.unread, &reading.damaged, &reading.holes})
    for (const evidence::ReasonCount& one : *counts) known += one.count;
  // XML of events is read by events and not by lines.
  const bool has_events =
      std::string_view(reinterpret_cast<const char*>(bytes), size).find("<Event") != std::string_view::npos;
  require(has_events || known >= reading.lines);
  require(records == reading.records());
  for (const char c : report::terminal::evidence(told))
    require(static_cast<unsigned char>(c) >= 0x20 || c == '\n');
  return 0;
}
