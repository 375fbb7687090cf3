// What a vendor writes, its reader reads: on every configuration of the case files each kind of edit is
// written, typed in, and taken back.
#include <algorithm>
#include <filesystem>
#include <map>
#include <random>

#include "tests/support/case_file.h"
#include "tests/support/edits.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

// By kind of edit: how many were written. All of it can be carried out and taken back.
std::map<std::size_t, std::size_t> written_and_taken_back(const Vendor& vendor, std::mt19937& random) {
  std::map<std::size_t, std::size_t> written;
  std::string folder(vendor.id);
  std::ranges::replace(folder, '-', '_');
  for (const auto& path : std::filesystem::directory_iterator(test::root() / "vendors" / folder / "cases")) {
    const auto file = test::parse_case(path.path().filename().string(), test::text_of(path.path()));
    REQUIRE(file);
    std::vector<SourcePtr> sources;
    for (const test::CaseBlock& block : file->blocks)
      if (block.kind == "config") sources.push_back(std::make_shared<const Source>("config", block.text));
    const auto reading = vendor.read(sources, {});
    if (!reading) continue;
    for (const Device& device : reading->devices) {
      const std::string before = test::form_of(device.policy);
      for (const Edit& edit : test::edits_of(device.policy, random)) {
        const auto commands = vendor.editing->write(device, edit);
        if (!commands) continue;
        INFO(path.path().filename().string() << "\n"
                                             << test::text_of(commands->lines) << "rollback\n"
                                             << test::text_of(commands->rollback));
        ++written[edit.index()];
        const SourcePtr script = test::script("script", commands->lines);
        const auto after = vendor.editing->apply(device, {&script, 1});
        REQUIRE(after);
        CHECK(test::errors_of(*after) == "");
        // A member may be covered by others already.
        if (!std::holds_alternative<AddMembers>(edit))
          CHECK(test::form_of(after->devices[0].policy) != before);
        const SourcePtr undo = test::script("rollback", commands->rollback);
        const auto back = vendor.editing->apply(after->devices[0], {&undo, 1});
        REQUIRE(back);
        CHECK(test::errors_of(*back) == "");
        CHECK(test::form_of(back->devices[0].policy) == before);
      }
    }
  }
  return written;
}

}  // namespace

TEST_CASE("what is written is read as it was meant, and taken back whole", "[edit]") {
  std::mt19937 random(7);
  for (const Vendor* vendor : all_vendors()) {
    if (vendor->editing == nullptr) continue;
    INFO(vendor->id);
    const auto written = written_and_taken_back(*vendor, random);
    CHECK(!written.empty());
    for (const auto& [kind, count] : written) CHECK(count > 1);
  }
}

}  // namespace aclmend
