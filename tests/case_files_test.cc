// Runs every vendors/*/cases/*.case, a test each: `aclmend_tests "case files: cisco_asa/NAME.case"`, all of a
// vendor: `"case files: cisco_asa/*"`.
#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "tests/support/case_file.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend::test {
namespace {

// The folder vendors/cisco_asa belongs to the vendor "cisco-asa".
const Vendor* vendor_of_folder(std::string folder) {
  std::ranges::replace(folder, '_', '-');
  const auto found = std::ranges::find(all_vendors(), folder, &Vendor::id);
  return found == all_vendors().end() ? nullptr : *found;
}

std::vector<std::filesystem::path> case_paths() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root() / "vendors"))
    if (entry.path().extension() == ".case") paths.push_back(entry.path());
  std::ranges::sort(paths);
  return paths;
}

// One test a file, with the file as its place.
class CaseTest : public Catch::ITestInvoker {
 public:
  explicit CaseTest(std::filesystem::path path) : path_(std::move(path)) {}
  void invoke() const override {
    const std::string folder = path_.parent_path().parent_path().filename();
    const Vendor* vendor = vendor_of_folder(folder);
    if (vendor == nullptr) FAIL("no vendor has the folder " << folder);
    const auto file = parse_case(folder + "/" + path_.filename().string(), text_of(path_));
    if (!file) FAIL(to_string(file.error()));
    const CaseOutcome outcome = run_case(*file, *vendor);
    if (std::getenv("UPDATE_CASES") != nullptr) std::ofstream(path_, std::ios::binary) << outcome.rewritten;
    else
      for (const std::string& mismatch : outcome.mismatches) FAIL_CHECK(mismatch);
    SUCCEED();
  }

 private:
  std::filesystem::path path_;
};

// "case files: cisco_asa/NAME.case", tag [cases].
const bool all_registered = [] {
  for (const std::filesystem::path& path : case_paths()) {
    const std::string folder = path.parent_path().parent_path().filename();
    const std::string name = "case files: " + folder + "/" + path.filename().string();
    const Catch::AutoReg registered(new CaseTest(path), CATCH_INTERNAL_LINEINFO, "",
                                    Catch::NameAndTags{name, "[cases]"});
  }
  return true;
}();

// A vendor without a language: permits what stands in a line `permit ADDRESS`, says "odd" of other lines.
Result<Reading> read_tiny(std::span<const SourcePtr> sources, const ReadOptions&) {
  Reading reading;
  for (std::uint16_t i = 0; i < sources.size(); ++i) {
    reading.ledgers.push_back({std::vector(sources[i]->line_count(), LineState::no_effect)});
    if (sources[i]->text().starts_with("broken")) return fail("nothing here can be judged");
    reading.diagnostics.add(Severity::warning, {0, 3, i}, "odd", Effect::unknown);
  }
  reading.devices.push_back({.scope = "",
                             .summary = "tiny",
                             .policy = {},
                             .inferred = {"a guess"},
                             .not_examined = {},
                             .document = nullptr});
  return reading;
}

const Vendor tiny{.id = "tiny",
                  .title = "Tiny",
                  .recognise = nullptr,
                  .read = read_tiny,
                  .verify = nullptr,
                  .how_to_export = ""};

CaseOutcome outcome_of(std::string_view text) {
  const auto file = parse_case("t.case", text);
  REQUIRE(file);
  return run_case(*file, tiny);
}

std::string parse_failure(std::string_view text) {
  const auto file = parse_case("t.case", text);
  return file ? "no failure" : to_string(file.error());
}

}  // namespace

TEST_CASE("a case whose answer is right has no mismatch and is rewritten to itself") {
  const std::string text =
      "# why\n\n--- config a\none\n\ntwo\n--- diagnostics\na:1:1: warning: odd [unknown]\n--- ledger counts\n"
      "3 lines: 0 decide, 3 no effect, 0 not supported, 0 partly understood, 0 not understood\n";
  const CaseOutcome outcome = outcome_of(text);
  CHECK(outcome.mismatches.empty());
  CHECK(outcome.rewritten == text);
}

TEST_CASE("a case whose answer is wrong fails with its place and both answers") {
  const CaseOutcome outcome = outcome_of(
      "# why\n--- config\none\n--- ledger\n 1 decides          | one\n--- device\nsummary: tiny\n");
  REQUIRE(outcome.mismatches.size() == 2);
  CHECK(outcome.mismatches[0] ==
        "t.case:4: --- ledger \n  -  1 decides          | one\n  +  1 no effect        | one\n");
  CHECK(outcome.mismatches[1] == "t.case:6: --- device \n    summary: tiny\n  + inferred: a guess\n");
  CHECK(outcome.rewritten ==
        "# why\n--- config\none\n--- ledger\n 1 no effect        | one\n--- device\nsummary: tiny\n"
        "inferred: a guess\n");
}

TEST_CASE("a missing answer and an ill-formed question are mismatches") {
  CHECK(outcome_of("# why\n--- config\none\n--- diagnostics\n").mismatches.size() == 1);
  const CaseOutcome outcome = outcome_of("# why\n--- config\none\n--- verify tcp nowhere > 10.1.1.1:25\n");
  REQUIRE(outcome.mismatches.size() == 1);
  CHECK(outcome.mismatches[0] == "t.case:4: expected an address, found 'nowhere'\n");
}

TEST_CASE("an input that cannot be read answers with its error") {
  CHECK(outcome_of("# why\n--- config\nbroken\n--- diagnostics\nnothing here can be judged\n")
            .mismatches.empty());
}

TEST_CASE("a case file without a reason, an input or a question is refused with its line") {
  CHECK(parse_failure("--- config\na\n--- ledger\n") ==
        "t.case:1: expected a comment (#) that says why this case matters");
  CHECK(parse_failure("# why\n--- ledger\n") == "t.case:2: expected an input: a block '--- config'");
  CHECK(parse_failure("# why\n--- config\na\n") == "t.case:3: expected a question: this case asks nothing");
  CHECK(parse_failure("# why\n--- config\na\n--- tarce x\n").starts_with("t.case:4: no such block 'tarce'"));
}

}  // namespace aclmend::test
