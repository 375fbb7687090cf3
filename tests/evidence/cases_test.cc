// Runs every fixtures/logs/*.case: a sentence why it matters, a text, and under it the records that it gives,
// one a line, with what was not read. UPDATE_CASES=1 writes the answers anew.
//
//   # A deny of an access list is a new connection that was dropped.
//   --- log zone=+01:00 local=10.1.1.25 name=mailhost=10.1.1.25
//   Nov 20 2026 02:12:04: %ASA-4-106023: Deny tcp src outside:…
//   --- records
//   1 asa drop yes …
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>

#include "base/text.h"
#include "evidence/result.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend::test {
namespace {

constexpr std::string_view now_text = "2026-11-23T00:00:00Z";

template <class T>
std::string shown(const std::optional<T>& number) {
  return number ? fmt::format("{}", *number) : "-";
}
std::string shown(const std::optional<Address>& address) { return address ? to_string(*address) : "-"; }

void add(std::string& text, std::string_view name, std::string_view value) {
  if (!value.empty()) text += fmt::format(" {}={}", name, printable(value));
}

std::string shown(const evidence::Deferral& deferral) {
  std::string text;
  add(text, "reply", deferral.reply);
  add(text, "status", deferral.status);
  add(text, "text", deferral.text);
  add(text, "message", deferral.message);
  add(text, "inner", deferral.inner);
  if (deferral.socket_error != 0) add(text, "socket", fmt::format("{}", deferral.socket_error));
  if (deferral.address) add(text, "at", fmt::format("{}:{}", to_string(*deferral.address), deferral.port));
  add(text, "host", deferral.host);
  add(text, "security", deferral.smtp_security);
  add(text, "sender", deferral.sender);
  if (deferral.when) add(text, "when", to_string(*deferral.when));
  if (deferral.last_retry) add(text, "retried", to_string(*deferral.last_retry));
  if (deferral.is_expired) text += " expired";
  return text;
}

std::string shown(const evidence::Record& record) {
  std::string text =
      fmt::format("{} {} {} {} {} {}:{} > {}:{} {}", record.line, record.source, to_string(record.kind),
                  to_string(record.is_new), record.time ? to_string(*record.time) : "-", shown(record.src),
                  shown(record.sport), shown(record.dst), shown(record.dport),
                  record.protocol ? protocol_name(*record.protocol) : "-");
  add(text, "rule", record.rule);
  add(text, "in", record.interface);
  add(text, "out", record.to_interface);
  add(text, "code", record.code);
  if (record.count != 1) text += fmt::format(" x{}", record.count);
  add(text, "by", to_string(record.dropper));
  if (record.is_hint) text += " hint";
  add(text, "src-name", record.src_name);
  add(text, "dst-name", record.dst_name);
  if (record.sequence) text += fmt::format(" seq={}", *record.sequence);
  add(text, "session", record.session);
  add(text, "tls", to_string(record.tls));
  add(text, "detail", record.detail);
  if (record.deferral != nullptr) text += "\n  deferral" + shown(*record.deferral);
  return text + "\n";
}

struct LogCase {
  std::string head, words, log;  // words: behind `--- log`
  std::string expected;
};

LogCase parse(const std::string& text) {
  constexpr std::string_view log = "--- log", records = "--- records\n";
  LogCase parsed;
  const std::size_t begin = text.find(log), line = text.find('\n', begin), end = text.find(records);
  REQUIRE(text.starts_with("# "));
  REQUIRE((begin != std::string::npos && line < end && end != std::string::npos));
  parsed.head = text.substr(0, begin);
  parsed.words = text.substr(begin + log.size(), line - begin - log.size());
  parsed.log = text.substr(line + 1, end - line - 1);
  parsed.expected = text.substr(end + records.size());
  return parsed;
}

// "name=mailhost=10.1.1.25" and the like.
evidence::Options options_of(std::string_view words) {
  evidence::Options options;
  options.now = scan_iso(now_text).moment.micros;
  for (const std::string_view word : split(words, ' ')) {
    if (word.empty()) continue;
    const std::size_t equals = word.find('=');
    REQUIRE(equals != std::string_view::npos);
    const std::string_view key = word.substr(0, equals), value = word.substr(equals + 1);
    if (key == "now") options.now = scan_iso(value).moment.micros;
    else if (key == "zone") options.zone = parse_offset(value);
    else if (key == "local") options.context.local |= AddressSet(*parse_prefix(value));
    else if (key == "name")
      options.context.address_of =
          [name = std::string(value.substr(0, value.find('='))),
           address = parse_address(value.substr(value.find('=') + 1))](std::string_view asked) {
            return asked == name ? address : std::nullopt;
          };
    else FAIL("no such word: " << word);
  }
  return options;
}

std::string answer(const LogCase& one) {
  std::string text;
  // A line that ends in "␍" or holds "␀" stands for what an editor would not keep.
  std::string log = one.log;
  for (const auto& [mark, byte] :
       {std::pair("␍", '\r'), std::pair("␀", '\0'), std::pair("␛", '\x1b'), std::pair("␉", '\t')})
    for (std::size_t at = log.find(mark); at != std::string::npos; at = log.find(mark, at))
      log.replace(at, 3, 1, byte);
  Lines lines = Lines::over("log", log);
  const evidence::Handlers handlers{
      .record = [&](const evidence::Record& record) { text += shown(record); },
      .unread =
          [&](const evidence::Unread& line) {
            text +=
                fmt::format("{} {}: {}\n", line.line, line.is_damaged ? "damaged" : "not read", line.reason);
          }};
  const evidence::Reading reading = evidence::read(lines, options_of(one.words), handlers);
  for (const evidence::ReasonCount& hole : reading.holes)
    text += fmt::format("{} hole: {} ({})\n", hole.first_line, hole.reason, hole.count);
  // Every line of the text is accounted for; XML of events has no lines.
  std::uint64_t not_read = 0;
  for (const auto* counts : {&reading.unread, &reading.damaged, &reading.holes})
    for (const evidence::ReasonCount& count : *counts) not_read += count.count;
  if (log.find("<Event") == std::string::npos &&
      reading.records() + not_read + reading.blank + reading.silent < reading.lines)
    text += "lines without an account\n";
  return text;
}

class LogCaseTest : public Catch::ITestInvoker {
 public:
  explicit LogCaseTest(std::filesystem::path path) : path_(std::move(path)) {}
  void invoke() const override {
    const LogCase one = parse(text_of(path_));
    const std::string found = answer(one);
    if (std::getenv("UPDATE_CASES") != nullptr)
      std::ofstream(path_, std::ios::binary) << one.head << "--- log" << one.words << "\n"
                                             << one.log << "--- records\n"
                                             << found;
    else CHECK(found == one.expected);
  }

 private:
  std::filesystem::path path_;
};

// "log cases: NAME.case", tag [evidence].
const bool all_registered = [] {
  for (const auto& entry : std::filesystem::directory_iterator(root() / "fixtures/logs"))
    if (entry.path().extension() == ".case") {
      const std::string name = "log cases: " + entry.path().filename().string();
      const Catch::AutoReg registered(new LogCaseTest(entry.path()), CATCH_INTERNAL_LINEINFO, "",
                                      Catch::NameAndTags{name, "[evidence]"});
    }
  return true;
}();

}  // namespace
}  // namespace aclmend::test
