#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;
using test::Ran;

namespace {

constexpr const char* log_text =
    "Nov 20 2026 02:12:04: %ASA-4-106023: Deny tcp src outside:52.100.140.7/40112 dst dmz:10.1.1.25/25 by "
    "access-group \"OUT \\\"SIDE\x1b[31m\" [0x8ed66b60, 0x0]\n"
    "Nov 20 2026 02:12:05: %ASA-4-106023: Deny tcp src outside:192.0.2.1/40112 dst dmz:10.1.1.25/443 by "
    "access-group \"OUTSIDE_IN\" [0x8ed66b60, 0x0]\n"
    "Nov 20 2026 02:12:06: %ASA-4-106023: Deny tcp nonsense\n"
    "hello \x1b[31m\n"
    "Nov 20 2026 02:12:07: %ASA-1-106101: Number of cached deny-flows for ACL log has reached limit "
    "(4096).\n";

}  // namespace

TEST_CASE("evidence summarises a log and says what was not read", "[evidence][cli]") {
  const test::Folder folder;
  const std::string file = folder.write("asa.log", log_text);
  const Ran ran = test::aclmend({"evidence", file});
  CHECK(ran.status == 0);
  CHECK(
      ran.out ==
      file +
          "\n"
          "  is         Cisco ASA or FTD syslog: 2 records (2 drop)\n"
          "  read       5 lines, 463 bytes\n"
          "  times      2026-11-20T02:12:04 to 2026-11-20T02:12:05; 2 records of clocks that name no zone:\n"
          "             --log-timezone says it\n"
          "  not read   1 line: no format's mark (first: line 4)\n"
          "  damaged    1 line: expected 'src' after the protocol (first: line 3)\n"
          "  holes      106101: the limit of cached denies was reached, denies are missing (1 line, first: "
          "line\n"
          "             5)\n"
          "  drops      2 lines of opening packets: 2 connection attempts\n"
          "  senders    2 addresses\n"
          "             52.100.140.7                                       1 record, 1 dropped\n"
          "             192.0.2.1                                          1 record, 1 dropped\n");
  CHECK(ran.err ==
        file +
            ":3: asa: expected 'src' after the protocol: Nov 20 2026 02:12:06: %ASA-4-106023: Deny tcp "
            "nonsense\n");
  const Ran shown = test::aclmend({"evidence", file, "--show-unread"});
  CHECK(shown.err.find(file + ":4: no format's mark: hello \\x1b[31m\n") != std::string::npos);
}

TEST_CASE("evidence prints a record a line that follows its schema", "[evidence][cli][schema]") {
  const test::Folder folder;
  const std::string file = folder.write("asa.log", log_text);
  const Ran ran = test::aclmend({"evidence", file, "--format", "jsonl"});
  CHECK(ran.status == 0);
  std::istringstream lines(ran.out);
  std::vector<nlohmann::ordered_json> records;
  for (std::string line; std::getline(lines, line);) records.push_back(nlohmann::ordered_json::parse(line));
  REQUIRE(records.size() == 2);
  CHECK(test::schema_errors(records[0].dump(), "evidence").empty());
  CHECK(
      records[0].dump() ==
      R"({"file":)" + nlohmann::json(file).dump() +
          R"(,"line":1,"source":"asa","kind":"drop","new":"yes","time":"2026-11-20T02:12:04","src":"52.100.140.7","sport":40112,"dst":"10.1.1.25","dport":25,"proto":"tcp","rule":"OUT \\","interface":"outside","code":"106023"})");
  auto wrong = records[0];
  wrong["extra"] = 1;
  CHECK_FALSE(test::schema_errors(wrong.dump(), "evidence").empty());
  CHECK(ran.err.find("1 line not read: no format's mark") != std::string::npos);
}

TEST_CASE("bytes that are no text stay valid JSON", "[evidence][cli]") {
  const test::Folder folder;
  const std::string file = folder.write(
      "x.log",
      "Nov 20 2026 02:12:04: %ASA-4-106023: Deny tcp src o:192.0.2.1/1 dst i:192.0.2.2/25 by access-group "
      "\"\xff\x01 \xc3\xa9\" [0x0, 0x0]\n");
  const Ran ran = test::aclmend({"evidence", file, "--format", "jsonl"});
  CHECK(nlohmann::json::parse(ran.out)["rule"].get<std::string>().starts_with("\xEF\xBF\xBD\x01 "));
}

TEST_CASE("evidence can be asked for some records alone", "[evidence][cli]") {
  const test::Folder folder;
  const std::string file = folder.write("asa.log", log_text);
  const auto count = [&](std::vector<std::string> options) {
    options.insert(options.begin(), {"evidence", file, "--format", "jsonl"});
    const Ran ran = test::aclmend(options);
    return std::ranges::count(ran.out, '\n');
  };
  CHECK(count({}) == 2);
  CHECK(count({"--from", "52.100.0.0/14"}) == 1);
  CHECK(count({"--from", "52.100.0.0/14", "--from", "192.0.2.1"}) == 2);
  CHECK(count({"--port", "443"}) == 1);
  CHECK(count({"--to", "10.1.1.26"}) == 0);
  CHECK(count({"--to", "10.1.1.25", "--port", "25"}) == 1);
  CHECK(test::aclmend({"evidence", file, "--port", "25"}).out.find("asked      port 25: 1 record of 2\n") !=
        std::string::npos);
}

TEST_CASE("a zone that is given turns local times into UTC", "[evidence][cli]") {
  const test::Folder folder;
  const std::string file = folder.write("asa.log", log_text);
  const Ran ran = test::aclmend({"evidence", file, "--format", "jsonl", "--log-timezone", "+01:00"});
  CHECK(ran.out.find("\"time\":\"2026-11-20T01:12:04Z\"") != std::string::npos);
  const Ran wrong = test::aclmend({"evidence", file, "--log-timezone", "CEST"});
  CHECK(wrong.status == 2);
  CHECK(wrong.err.find("expected UTC, or hours and minutes") != std::string::npos);
}

TEST_CASE("what cannot be read is said, and the rest is still read", "[evidence][cli]") {
  const test::Folder folder;
  const std::string log = folder.write("asa.log", log_text),
                    other = folder.write("x.txt", "nothing\nof use\n");
  const Ran ran = test::aclmend({"evidence", folder.path() + "/missing", other, log});
  CHECK(ran.status == 2);
  CHECK(ran.err.find("missing: cannot be opened") != std::string::npos);
  CHECK(ran.err.find("is nothing that is read as evidence") != std::string::npos);
  CHECK(ran.out.find("Cisco ASA or FTD syslog: 2 records") != std::string::npos);
  CHECK(test::aclmend({"evidence", "-", "-"}).status == 2);
}
