#include "report/trace.h"

#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend::report {
namespace {

const RulePlace deny_all{"OUT line 9", "edge.cfg", 377, "access-list OUT extended deny ip any any log"};

TraceReport denied() {
  TraceReport report;
  report.frame.inputs = {{"edge.cfg", std::string(64, 'a'), "cisco-asa", {}}};
  report.frame.inferred = {"egress not given: taken from the destination (--egress)"};
  report.summary = "Cisco ASA 9.16(4), running configuration";
  report.asked = "tcp 52.100.0.1 -> 203.0.113.25:25, from every source port 1024-65535";
  report.verdict = model::Verdict::deny;
  report.decided_by = deny_all;
  report.translated_to = "10.1.1.25:25";
  report.path = {{{"OUT line 3", "edge.cfg", 371, "…"}, "no match"}, {deny_all, "match"}};
  report.verify = {"packet-tracer input outside tcp 52.100.0.1 40000 203.0.113.25 25"};
  return report;
}

TraceReport open() {
  TraceReport report = denied();
  report.verdict = model::Verdict::unknown;
  report.decided_by.reset();
  report.conditions = {
      {"time-range", "OFFICE", "access-list OUT extended permit tcp any any time-range OFFICE",
       RulePlace{"OUT line 1", "edge.cfg", 369, ""}},
      {"source-port", "", "permit from 1024-1999; deny from 2000-65535", std::nullopt}};
  report.frame.diagnostics = {{Severity::warning, "edge.cfg", 4, 2, "odd", Effect::unknown}};
  return report;
}

}  // namespace

TEST_CASE("a denied packet on the terminal: the line, the way, what to type next") {
  CHECK(terminal::trace(denied()) ==
        "edge.cfg   Cisco ASA 9.16(4), running configuration\n"
        "  asked      tcp 52.100.0.1 -> 203.0.113.25:25, from every source port 1024-65535\n"
        "  inferred   egress not given: taken from the destination (--egress)\n"
        "  translated to 10.1.1.25:25\n"
        "\n"
        "DENY     by OUT line 9                                                    edge.cfg:377\n"
        "           access-list OUT extended deny ip any any log\n"
        "  way      no match  OUT line 3                                           edge.cfg:371\n"
        "           match     OUT line 9                                           edge.cfg:377\n"
        "\n"
        "ask the firewall itself:\n"
        "  packet-tracer input outside tcp 52.100.0.1 40000 203.0.113.25 25\n");
}

TEST_CASE("an unknown packet on the terminal names what it hangs on") {
  const std::string text = terminal::trace(open());
  CHECK(text.find("UNKNOWN  the export does not settle it; the answer hangs on\n"
                  "  time-range OFFICE: OUT line 1                                           edge.cfg:369\n"
                  "           access-list OUT extended permit tcp any any time-range OFFICE\n"
                  "  source-port\n"
                  "           permit from 1024-1999; deny from 2000-65535\n") != std::string::npos);
}

TEST_CASE("text of a file is made printable on the terminal and shortened") {
  TraceReport report = denied();
  report.decided_by->text = "deny \x1b[31m" + std::string(500, 'x');
  report.decided_by->rule = "O\nUT";
  report.frame.inputs[0].file = "a\x07.cfg";
  const std::string text = terminal::trace(report);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find("by O\\x0aUT") != std::string::npos);
  CHECK(text.find(std::string(101, 'x')) == std::string::npos);
}

TEST_CASE("trace documents follow their schema") {
  CHECK(test::schema_errors(json::trace(denied()), "trace").empty());
  CHECK(test::schema_errors(json::trace(open()), "trace").empty());
}

TEST_CASE("the schema of trace refuses a document that contradicts itself") {
  TraceReport report = denied();
  report.verdict = model::Verdict::unknown;  // and yet decided, without a condition
  CHECK_FALSE(test::schema_errors(json::trace(report), "trace").empty());
}

}  // namespace aclmend::report
