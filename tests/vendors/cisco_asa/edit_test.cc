// The commands of edits, and that a configuration with them behind it says what was typed in.
#include <algorithm>
#include <filesystem>
#include <random>

#include "tests/support/case_file.h"
#include "tests/support/edits.h"
#include "tests/support/program.h"
#include "tests/support/test.h"
#include "vendors/cisco_asa/document.h"

namespace aclmend {
namespace {

const Vendor& asa() {
  for (const Vendor* vendor : all_vendors())
    if (vendor->id == "cisco-asa") return *vendor;
  throw std::logic_error("no cisco-asa");
}

}  // namespace

TEST_CASE("an export with the commands behind it is the device into which they were typed", "[asa][edit]") {
  const Editing& editing = *asa().editing;
  std::mt19937 random(7);
  std::size_t read_anew = 0;
  for (const auto& path : std::filesystem::directory_iterator(test::root() / "vendors/cisco_asa/cases")) {
    const auto file = test::parse_case(path.path().filename().string(), test::text_of(path.path()));
    REQUIRE(file);
    for (const test::CaseBlock& block : file->blocks) {
      if (block.kind != "config" || block.text.find("<---") != std::string::npos) continue;
      const auto source = std::make_shared<const Source>("config", block.text);
      const auto reading = asa().read(std::span(&source, 1), {});
      if (!reading || reading->devices.size() != 1) continue;
      const Device& device = reading->devices[0];
      const auto& read = dynamic_cast<const cisco_asa::AsaDocument&>(*device.document).configuration;
      if (read.header.version.empty() || read.is_cut_off || read.header.form == cisco_asa::Form::tech_support)
        continue;
      for (const Edit& edit : test::edits_of(device.policy, random)) {
        const auto commands = editing.write(device, edit);
        if (!commands) continue;
        INFO(path.path().filename().string() << "\n" << test::text_of(commands->lines));
        const SourcePtr script = test::script("script", commands->lines);
        const auto after = editing.apply(device, std::span(&script, 1));
        REQUIRE(after);
        const SourcePtr longer =
            std::make_shared<const Source>("config", block.text + "\n" + test::text_of(commands->lines));
        const auto anew = asa().read(std::span(&longer, 1), {});
        REQUIRE(anew);
        CHECK(test::form_of(anew->devices[0].policy) == test::form_of(after->devices[0].policy));
        ++read_anew;
      }
    }
  }
  CHECK(read_anew > 200);
}

TEST_CASE("the commands of an edit", "[asa][edit]") {
  const auto source = std::make_shared<const Source>(
      "edge.cfg",
      "ASA Version 9.16(4)\ninterface g0\n nameif outside\n security-level 0\n"
      "object network EOP-52\n subnet 52.100.0.0 255.252.0.0\n"
      "object-group network EOP\n network-object 40.92.0.0 255.254.0.0\n"
      "object-group network ACLMEND-EOP\n network-object host 192.0.2.9\n"
      "access-list OUT remark mail\n"
      "access-list OUT extended permit tcp object-group EOP host 10.1.1.25 eq smtp log inactive\n"
      "access-list OUT extended deny ip any any\n"
      "access-group OUT in interface outside\n"
      "Cryptochecksum:4b9d0c71d5c8a2b0f6b1e7a9c3d2e1f0\n: end\n");
  const auto reading = asa().read(std::span(&source, 1), {});
  REQUIRE(reading);
  const Device& device = reading->devices[0];
  const Editing& editing = *asa().editing;
  const auto group = [&](std::string_view name) {
    const auto found = std::ranges::find(device.policy.groups, name, &model::AddressGroup::name);
    return static_cast<model::GroupId>(found - device.policy.groups.begin());
  };
  const auto lines = [&](const Edit& edit) {
    const auto commands = editing.write(device, edit);
    return commands ? test::text_of(commands->lines) + "-\n" + test::text_of(commands->rollback)
                    : commands.error().message;
  };
  const auto set = [](std::string_view text) { return AddressSet(*parse_prefix(text)); };
  CHECK(
      lines(AddMembers{group("EOP"), {group("EOP-52")}, set("104.47.0.0/17") | set("40.92.0.0/15")}) ==
      "object-group network EOP\n network-object object EOP-52\n network-object 104.47.0.0 255.255.128.0\n-\n"
      "object-group network EOP\n no network-object object EOP-52\n no network-object 104.47.0.0 "
      "255.255.128.0\n");
  CHECK(lines(AddMembers{group("EOP"), {}, set("40.92.0.0/15")}) == "EOP holds all of it already");
  CHECK(lines(Enable{{0, 0}}) ==
        "access-list OUT extended permit tcp object-group EOP host 10.1.1.25 eq smtp log\n-\n"
        "access-list OUT extended permit tcp object-group EOP host 10.1.1.25 eq smtp log inactive\n");
  CHECK(lines(Enable{{0, 1}}) == "this entry is active already");
  CHECK(lines(MoveBefore{{0, 1}, 0}) ==
        "no access-list OUT line 3 extended deny ip any any\naccess-list OUT line 2 extended deny ip any "
        "any\n-\n"
        "no access-list OUT line 2 extended deny ip any any\naccess-list OUT line 3 extended deny ip any "
        "any\n");
  CHECK(lines(InsertPermit{0, 1, set("52.100.0.0/14") | set("104.47.0.0/17"), set("10.1.1.25"), protocol::tcp,
                           25, "eop", "aclmend: EOP?"}) ==
        "object-group network ACLMEND-EOP-2\n network-object 52.100.0.0 255.252.0.0\n"
        " network-object 104.47.0.0 255.255.128.0\n"
        "access-list OUT line 3 remark aclmend: EOP\n"
        "access-list OUT line 4 extended permit tcp object-group ACLMEND-EOP-2 host 10.1.1.25 eq smtp\n-\n"
        "no access-list OUT line 4 extended permit tcp object-group ACLMEND-EOP-2 host 10.1.1.25 eq smtp\n"
        "no access-list OUT line 3 remark aclmend: EOP\nno object-group network ACLMEND-EOP-2\n");
  CHECK(editing.made_for(device) ==
        std::vector<std::string>{"Cryptochecksum 4b9d0c71d5c8a2b0f6b1e7a9c3d2e1f0", "show checksum"});
}

}  // namespace aclmend
