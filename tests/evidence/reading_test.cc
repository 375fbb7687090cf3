// What is told of a whole file: counts, times, holes; how attempts are counted; what counts as evidence.
#include <fmt/format.h>

#include "evidence/result.h"
#include "tests/support/allocations.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;
using evidence::Kind;

namespace {

std::string deny(int second, std::string_view from, std::string_view rest = {}) {
  return fmt::format(
      "Nov 20 2026 02:{:02}:{:02}: %ASA-4-106023: Deny tcp src outside:{} dst dmz:10.1.1.25/25 by "
      "access-group "
      "\"OUTSIDE_IN\" [0x0, 0x0]{}\n",
      second / 60, second % 60, from, rest);
}

struct Told {
  evidence::Reading reading;
  evidence::Summary summary;
  std::size_t unread = 0;
};
Told told(std::string text, const evidence::Options& options = {}) {
  Told all;
  Lines lines = Lines::over("log", std::move(text));
  all.reading = evidence::read(lines, options,
                               {.record = [&](const evidence::Record& record) { all.summary.add(record); },
                                .unread = [&](const evidence::Unread&) { ++all.unread; }});
  return all;
}

std::filesystem::path sample(const char* name) {
  const auto path = test::shared_data(std::string("m365/samples/") + name);
  if (path.empty()) WARN("not at hand: m365/samples/" << name);
  return path;
}

}  // namespace

TEST_CASE("a sender that repeats its first packet within two minutes made one attempt", "[evidence]") {
  const Told one =
      told(deny(0, "52.100.140.7/40112") + deny(1, "52.100.140.7/40112") + deny(3, "52.100.140.7/40112") +
           deny(7, "52.100.140.7/40112") + deny(8, "52.100.140.7/40113") + deny(9, "52.100.140.8/40112") +
           deny(200, "52.100.140.7/40112"));
  CHECK(one.summary.new_drops() == 7);
  CHECK(one.summary.attempts() == 4);
  CHECK(one.summary.distinct_sources() == 2);
  const auto top = one.summary.top(1);
  REQUIRE(top.size() == 1);
  CHECK(to_string(top[0].address) == "52.100.140.7");
  CHECK(top[0].records == 6);
  CHECK(top[0].attempts == 3);
}

TEST_CASE("attempts are those of a slow twin", "[evidence]") {
  rc::prop("twin", [] {
    struct Seen {
      unsigned source, port;
      std::int64_t second;
    };
    std::vector<Seen> seen;
    evidence::Attempts attempts;
    std::int64_t second = 0;
    for (int i = 0; i < 200; ++i) {
      second += *rc::gen::inRange(0, 40);
      const auto source = *rc::gen::inRange(0U, 4U), port = *rc::gen::inRange(0U, 3U);
      evidence::Record record;
      record.kind = Kind::drop;
      record.time = Moment{second * micros_a_second, std::nullopt};
      record.src = Address::v4(source);
      record.dst = Address::v4(99);
      record.sport = static_cast<std::uint16_t>(port);
      record.dport = 25;
      auto before = std::ranges::find_if(
          seen, [&](const Seen& one) { return one.source == source && one.port == port; });
      const bool expected = before == seen.end() || second - before->second > 120;
      RC_ASSERT(attempts.is_new(record) == expected);
      if (before == seen.end()) seen.push_back({source, port, second});
      else if (expected) before->second = second;
    }
  });
}

TEST_CASE("a late packet is no drop of a new connection, dropped or not", "[evidence]") {
  const Told late = told(
      "Nov 20 2026 02:12:09: %ASA-6-106015: Deny TCP (no connection) from 52.100.140.7/40112 to 10.1.1.25/25 "
      "flags RST  "
      "on interface outside\n");
  CHECK(late.summary.records() == 1);
  CHECK(late.summary.new_drops() == 0);
  const Told dropped = told(
      "Nov 20 2026 02:12:09: %ASA-2-106001: Inbound TCP connection denied from 52.100.140.7/40112 to "
      "203.0.113.25/25 flags "
      "RST  on interface outside\n");
  CHECK(dropped.summary.kinds()[static_cast<std::size_t>(Kind::drop)] == 1);
  CHECK(dropped.summary.new_drops() == 0);
  CHECK(dropped.summary.attempts() == 0);
}

TEST_CASE("times are the first and last by the clock, wherever they stand", "[evidence]") {
  const Told one = told(deny(50, "192.0.2.1/1") + deny(10, "192.0.2.1/2") + deny(30, "192.0.2.1/3"));
  CHECK(to_string(*one.reading.first) == "2026-11-20T02:00:10");
  CHECK(to_string(*one.reading.last) == "2026-11-20T02:00:50");
  CHECK(one.reading.without_zone == 3);
  const Told zoned = told(deny(50, "192.0.2.1/1"), {.context = {}, .now = 0, .zone = std::int16_t{60}});
  CHECK(to_string(*zoned.reading.first) == "2026-11-20T01:00:50Z");
  CHECK(zoned.reading.has_guessed_zone);
  CHECK(zoned.reading.without_zone == 0);
}

TEST_CASE("a hundred megabytes in one line are one line that was not read", "[evidence]") {
  const Told one = told(deny(1, "192.0.2.1/1") + std::string(100 << 20, 'x') + "\n" + deny(2, "192.0.2.1/2"));
  CHECK(one.reading.records() == 2);
  CHECK(one.reading.lines == 3);
  REQUIRE(one.reading.unread.size() == 1);
  CHECK(one.reading.unread[0].reason == "longer than 64 KiB");
}

TEST_CASE("a long log takes no more memory than a short one", "[evidence]") {
  const auto asked = [](int lines) {
    std::string text;
    for (int i = 0; i < lines; ++i)
      text += deny(i % 3600, fmt::format("52.100.{}.7/{}", i % 8, 1024 + i % 5));
    const std::uint64_t before = test::allocated_bytes();
    Lines source = Lines::over("log", std::move(text));
    evidence::Summary summary;
    evidence::read(source, {}, {.record = [&](const evidence::Record& record) { summary.add(record); }});
    return test::allocated_bytes() - before;
  };
  const std::uint64_t few = asked(2'000), many = asked(40'000);
  CHECK(many < few + few / 10);
}

TEST_CASE("a row limit's round number of rows in an export is told as a hole", "[evidence]") {
  std::string text =
      "Receive Time,Source address,Destination address,Rule,Source Port,Destination Port,IP "
      "Protocol,Action,A,B,C\n";
  for (int i = 0; i < 10'000; ++i)
    text += "2026/11/20 02:12:04,52.100.140.7,203.0.113.25,R,40112,25,tcp,deny,,,\n";
  const Told one = told(text);
  CHECK(one.reading.records() == 10'000);
  REQUIRE(one.reading.holes.size() == 1);
  CHECK(one.reading.holes[0].reason.find("row limit") != std::string_view::npos);
  CHECK(told(text + "2026/11/20 02:12:04,52.100.140.7,203.0.113.25,R,40112,25,tcp,deny,,,\n")
            .reading.holes.empty());
}

TEST_CASE("evidence is told from configurations by what it begins with", "[evidence]") {
  CHECK(evidence::is_evidence(deny(1, "192.0.2.1/1")));
  CHECK(evidence::is_evidence("450 4.4.316 Connection refused"));
  CHECK(evidence::is_evidence(test::text_of(test::root() / "fixtures/story/deferral.txt")));
  CHECK_FALSE(evidence::is_evidence(test::text_of(test::root() / "fixtures/story/edge-after.cfg")));
  CHECK_FALSE(evidence::is_evidence(test::text_of(test::root() / "fixtures/story/change.txt")));
  CHECK_FALSE(evidence::is_evidence(test::text_of(test::root() / "src/README.md")));
  CHECK_FALSE(evidence::is_evidence(""));
}

TEST_CASE("the published error texts are read, each with its status", "[evidence]") {
  const auto path = sample("message-trace-reasons.txt");
  if (path.empty()) return;
  std::vector<std::string> codes;
  std::vector<std::uint32_t> errors;
  auto reading = evidence::read(path.string(), {}, {.record = [&](const evidence::Record& record) {
                                  codes.emplace_back(record.code);
                                  REQUIRE(record.deferral != nullptr);
                                  errors.push_back(record.deferral->socket_error);
                                }});
  REQUIRE(reading);
  CHECK(codes == std::vector<std::string>{"4.4.316", "4.4.316", "4.4.317", "4.4.317", "4.4.317", "4.4.317",
                                          "4.4.317", "4.7.23", "5.7.51", "5.4.316", "4.4.101", "4.4.1"});
  CHECK(std::ranges::count(errors, 10061U) == 3);
  CHECK(std::ranges::count(errors, 10060U) == 1);
}

TEST_CASE("real receive logs are read to their last line", "[evidence]") {
  for (const char* name : {"smtp-receive-sample.log", "smtp-receive-other-lines.log"}) {
    const auto path = sample(name);
    if (path.empty()) continue;
    auto reading = evidence::read(path.string(), {}, {});
    REQUIRE(reading);
    CHECK(reading->records() > 0);
    CHECK(reading->unread.empty());
    CHECK(reading->damaged.empty());
    REQUIRE(reading->sources.size() == 1);
    CHECK(reading->sources[0].source == "smtp-receive");
  }
}

TEST_CASE("a real peer of Microsoft's that was offered no STARTTLS is seen", "[evidence]") {
  const auto path = sample("smtp-receive-other-lines.log");
  if (path.empty()) return;
  int seen = 0;
  const auto reading = evidence::read(path.string(), {}, {.record = [&](const evidence::Record& record) {
                                        if (record.tls != evidence::Tls::not_offered) return;
                                        CHECK(to_string(*record.src) == "104.47.58.43");
                                        ++seen;
                                      }});
  REQUIRE(reading);
  CHECK(seen == 1);
}

TEST_CASE("an error text means the same wherever a terminal or a mail wrapped it", "[evidence]") {
  std::string text = test::text_of(test::root() / "fixtures/story/deferral.txt");
  while (text.ends_with('\n')) text.pop_back();
  const auto told = [](const std::string& pasted) {
    std::vector<std::string> records;
    Lines lines = Lines::over("text", pasted);
    evidence::read(lines, {}, {.record = [&](const evidence::Record& record) {
                     REQUIRE(record.deferral != nullptr);
                     const evidence::Deferral& one = *record.deferral;
                     std::string message(one.message);
                     std::erase(message, ' ');  // nobody knows whether a blank stood there
                     records.push_back(fmt::format("{} {} {} {} {} {} {} {}", one.reply, record.code,
                                                   record.dst ? to_string(*record.dst) : "none", one.port,
                                                   one.socket_error, message, one.sender, one.host));
                   }});
    return records;
  };
  const auto whole = told(text + "\n");
  REQUIRE(whole.size() == 1);
  CAPTURE(whole);
  std::vector<std::string> others;
  for (std::size_t at = 1; at < text.size(); ++at)
    if (const auto now = told(text.substr(0, at) + "\n" + text.substr(at) + "\n"); now != whole)
      others.push_back(fmt::format("{}|{}: {}", text.substr(at < 30 ? 0 : at - 30, at < 30 ? at : 30),
                                   text.substr(at, 12), fmt::join(now, " / ")));
  CAPTURE(others);
  CHECK(others.empty());
}
