// What the writer writes, the reader reads: on every configuration of the case files each kind of edit is
// written, typed in, held against reading the export with the commands behind it, and taken back.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "tests/support/case_file.h"
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

std::string form_of(const model::Policy& policy, const model::ServiceTerm& term) {
  const auto services = model::services_of(policy, term);
  std::string text;
  for (const model::ServiceSet* set : {&services->certain, &services->possible})
    for (const model::ServiceBox& box : *set)
      for (const auto& [first, last] : box.protocol.intervals())
        text += fmt::format("{}-{} {} {};", first, last, to_string(box.source), to_string(box.destination));
  return text;
}

std::string form_of(const model::Policy& policy, model::AddressTerm term) {
  const auto set = model::addresses_of(policy, term);
  std::string text;
  for (const AddressSet* part : {&set->certain, &set->possible})
    for (const Prefix& prefix : part->prefixes()) text += to_string(prefix) + " ";
  return text;
}

// Every list with its numbers and meanings, every group with its addresses, where lists are attached.
std::string form_of(const model::Policy& policy) {
  std::vector<std::string> parts;
  for (const model::RuleList& list : policy.lists) {
    std::string text = fmt::format("list {} {}\n", list.name, list.is_attached);
    for (const model::Rule& rule : list.rules)
      text += fmt::format("  {} {} {} | {} | {} | {} | {}\n", rule.number, static_cast<int>(rule.action),
                          rule.enabled, form_of(policy, rule.source), form_of(policy, rule.destination),
                          form_of(policy, rule.service), policy.qualifiers[rule.qualifier].conditions.size());
    if (!list.rules.empty()) parts.push_back(std::move(text));
  }
  for (const model::AddressGroup& group : policy.groups)
    if (group.kind == model::GroupKind::group || group.kind == model::GroupKind::object) {
      std::string text = fmt::format("group {}: ", group.name);
      for (const Prefix& prefix : group.addresses.certain.prefixes()) text += to_string(prefix) + " ";
      parts.push_back(text + fmt::format("{}\n", group.addresses.conditions.size()));
    }
  for (const model::Interface& port : policy.interfaces)
    parts.push_back(fmt::format("interface {} {}\n", port.name, port.list_in));
  std::ranges::sort(parts);
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string said(const Reading& reading, Severity from) {
  std::string text;
  for (const Diagnostic& one : reading.diagnostics.all())
    if (one.severity >= from) text += one.message + "\n";
  return text;
}

// All kinds of edits, a few of each, whether they make sense or not.
std::vector<Edit> edits_of(const model::Policy& policy, std::mt19937& random) {
  std::vector<Edit> edits;
  const AddressSet net(*parse_prefix("198.51.100.0/24")), host(*parse_prefix("192.0.2.77"));
  const AddressSet nets = net | AddressSet(*parse_prefix("52.100.0.0/14"));
  const AddressSet v6(*parse_prefix("2a01:111:f400::/48")), mx6(*parse_prefix("2001:db8::77"));
  for (model::GroupId id = 0; id < policy.groups.size(); ++id) {
    edits.push_back(AddMembers{id, {}, nets | host});
    edits.push_back(AddMembers{id, {static_cast<model::GroupId>(random() % policy.groups.size())}, {}});
    edits.push_back(AddMembers{id, {}, v6});
  }
  for (model::ListId list = 0; list < policy.lists.size(); ++list) {
    const auto count = static_cast<std::uint32_t>(policy.lists[list].rules.size());
    for (std::uint32_t index = 0; index < std::min(count, 6U); ++index) {
      edits.push_back(Enable{{list, index}});
      edits.push_back(MoveBefore{{list, index}, static_cast<std::uint32_t>(random() % count)});
      edits.push_back(
          InsertPermit{list, index, nets, host, protocol::tcp, 25, "eop-inbound-smtp", "why? not"});
      edits.push_back(InsertPermit{list, index, host, net, protocol::udp, 53, "x", ""});
      edits.push_back(InsertPermit{list, index, v6 | nets, mx6 | host, protocol::tcp, 587, "x", "! six"});
    }
    edits.push_back(InsertPermit{list, std::nullopt, nets, host, protocol::tcp, 25, "at the end", "end"});
    for (const model::Interface& port : policy.interfaces) edits.push_back(BindList{list, port.name});
  }
  return edits;
}

}  // namespace

TEST_CASE("what is written is read as it was meant, and taken back whole", "[asa][edit]") {
  const Editing& editing = *asa().editing;
  std::mt19937 random(7);
  std::size_t written[5] = {}, read_anew = 0;
  for (const auto& path : std::filesystem::directory_iterator(test::root() / "vendors/cisco_asa/cases")) {
    std::ostringstream bytes;
    bytes << std::ifstream(path.path(), std::ios::binary).rdbuf();
    const auto file = test::parse_case(path.path().filename().string(), bytes.str());
    REQUIRE(file);
    for (const test::CaseBlock& block : file->blocks) {
      if (block.kind != "config") continue;
      const auto source = std::make_shared<const Source>("config", block.text);
      const auto reading = asa().read(std::span(&source, 1), {});
      if (!reading) continue;
      for (const Device& device : reading->devices) {
        const std::string before = form_of(device.policy);
        for (const Edit& edit : edits_of(device.policy, random)) {
          const auto commands = editing.write(device, edit);
          if (!commands) continue;
          INFO(path.path().filename().string() << "\n"
                                               << text_of(commands->lines) << "rollback\n"
                                               << text_of(commands->rollback));
          ++written[edit.index()];
          const auto script = std::make_shared<const Source>("script", text_of(commands->lines));
          const auto after = editing.apply(device, std::span(&script, 1));
          REQUIRE(after);
          CHECK(said(*after, Severity::error) == "");
          const std::string changed = form_of(after->devices[0].policy);
          // A member may be covered by others already.
          if (!std::holds_alternative<AddMembers>(edit)) CHECK(changed != before);
          const auto undo = std::make_shared<const Source>("rollback", text_of(commands->rollback));
          const auto back = editing.apply(after->devices[0], std::span(&undo, 1));
          REQUIRE(back);
          CHECK(said(*back, Severity::error) == "");
          CHECK(form_of(back->devices[0].policy) == before);
          const auto& document = dynamic_cast<const cisco_asa::AsaDocument&>(*device.document);
          const bool is_whole = !document.configuration.header.version.empty() &&
                                !document.configuration.is_cut_off && reading->devices.size() == 1 &&
                                document.configuration.header.form != cisco_asa::Form::tech_support &&
                                block.text.find("<---") == std::string::npos;
          if (!is_whole) continue;
          const auto longer =
              std::make_shared<const Source>("config", block.text + "\n" + text_of(commands->lines));
          const auto anew = asa().read(std::span(&longer, 1), {});
          REQUIRE(anew);
          CHECK(form_of(anew->devices[0].policy) == changed);
          ++read_anew;
        }
      }
    }
  }
  for (const std::size_t count : written) CHECK(count > 3);
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
    return commands ? text_of(commands->lines) + "-\n" + text_of(commands->rollback)
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
