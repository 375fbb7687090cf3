#include "inventory/read.h"

#include "tests/support/folder.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::inventory;

namespace {

// Every kind of entry, as the product describes them.
const std::string whole = R"(version: 1
endpoints: { instance: Worldwide, pin: "2025120100", max-age: 45d }
mail: { name: mail.contoso.com, hosts: [203.0.113.25, "2001:db8::25"] }
rules: my-rules
devices:
  - { name: edge, file: configs/edge.cfg, ingress: outside }
  - { name: mail01, files: [mail01.v4.rules, mail01.v6.rules], direction: in, to: [10.1.1.25] }
  - { file: "configs/branches/**/*.cfg" }
  - { file: panorama.xml, each: device-group }
  - name: all
    file: all.cfg
    egress: dmz
    local: 198.51.100.1
    vendor: cisco-asa
    vsys: vsys1
    device-group: DG
    context: ctx
    profile: public
    program: 'C:\Program Files\edgetransport.exe'
    flows: [eop-inbound-smtp, relay-pool]
skip: [{ files: "configs/switches/**", reason: "no firewalls" }]
sets: [{ device: mail01, name: allowlist, file: sets/allowlist.ipset }]
assume: [{ device: edge, condition: "time-range OFFICE", holds: true, reason: "24x7 since change 4711" }]
)";

Checked<Inventory> read(const std::string& text, const std::string& name = "aclmend.yaml") {
  return read_inventory(Source(name, text));
}

std::string errors_of(const std::string& text) {
  const auto inventory = read(text);
  if (inventory) return "none";
  std::string all;
  for (const Error& error : inventory.error()) all += to_string(error) + "\n";
  return all;
}

std::string with_device(const std::string& device) { return "version: 1\ndevices:\n  - " + device + "\n"; }

const std::string small = with_device("{ file: a.cfg }");

}  // namespace

TEST_CASE("every key of an inventory is read", "[inventory][read]") {
  const auto read_whole = read(whole, "fleet/aclmend.yaml");
  REQUIRE(read_whole.has_value());
  const Inventory& inventory = *read_whole;
  CHECK(inventory.folder == "fleet");
  CHECK(inventory.endpoints.instance == "Worldwide");
  CHECK(inventory.endpoints.from == Endpoints::From::pin);
  CHECK(inventory.endpoints.pin == "2025120100");
  CHECK(inventory.endpoints.max_age == std::chrono::days(45));
  CHECK(inventory.mail.name == "mail.contoso.com");
  REQUIRE(inventory.mail.hosts.size() == 2);
  CHECK(to_string(inventory.mail.hosts[1]) == "2001:db8::25");
  CHECK(inventory.rules == "fleet/my-rules");

  REQUIRE(inventory.devices.size() == 5);
  CHECK(inventory.devices[0].name == "edge");
  CHECK(inventory.devices[0].question.ingress == "outside");
  CHECK(inventory.devices[0].place.line == 6);
  CHECK(inventory.devices[0].place.column == 5);
  CHECK(inventory.devices[1].files == std::vector<std::string>{"mail01.v4.rules", "mail01.v6.rules"});
  CHECK(inventory.devices[1].question.direction == "in");
  CHECK(to_string(inventory.devices[1].question.to.at(0)) == "10.1.1.25");
  CHECK(inventory.devices[3].each == Each::device_group);
  const Question& all = inventory.devices[4].question;
  CHECK(all.egress == "dmz");
  CHECK(to_string(all.local.at(0)) == "198.51.100.1");
  CHECK(all.vendor == "cisco-asa");
  CHECK(all.vsys == "vsys1");
  CHECK(all.device_group == "DG");
  CHECK(all.context == "ctx");
  CHECK(all.profile == "public");
  CHECK(all.program == "C:\\Program Files\\edgetransport.exe");
  CHECK(all.flows == std::vector<std::string>{"eop-inbound-smtp", "relay-pool"});

  REQUIRE(inventory.skip.size() == 1);
  CHECK(inventory.skip[0].reason == "no firewalls");
  REQUIRE(inventory.sets.size() == 1);
  CHECK(inventory.sets[0].file == "fleet/sets/allowlist.ipset");
  REQUIRE(inventory.assume.size() == 1);
  CHECK(inventory.assume[0].condition == "time-range OFFICE");
  CHECK(inventory.assume[0].holds);
  CHECK(inventory.remarks.empty());
}

TEST_CASE("an inventory's errors are told all at once, in order, with line and column", "[inventory][read]") {
  CHECK(errors_of("version: 2\nmial: { hosts: [203.0.113.25] }\nmail: { hosts: [203.0.113.256] }\ndevices:\n"
                  "  - { file: a.cfg, ingres: outside }\n  - { file: [a.cfg] }\n  - edge.cfg\nassume:\n"
                  "  - { device: edge, condition: x, holds: yes, reason: }\n") ==
        "aclmend.yaml:1:10: expected the number 1 for 'version', found '2'\n"
        "aclmend.yaml:2:1: unknown key 'mial' in the inventory: did you mean 'mail'?\n"
        "aclmend.yaml:3:17: expected an address, found '203.0.113.256'\n"
        "aclmend.yaml:5:20: unknown key 'ingres' in a device: did you mean 'ingress'?\n"
        "aclmend.yaml:6:13: expected a text of one line for 'file', found a list\n"
        "aclmend.yaml:7:5: expected a device with its keys, found 'edge.cfg'\n"
        "aclmend.yaml:9:42: expected true or false for 'holds', found 'yes'\n"
        "aclmend.yaml:9:47: expected a text for 'reason', found nothing\n");
  CHECK(errors_of("") == "aclmend.yaml: expected the inventory with its keys, found nothing\n");
  CHECK(errors_of("version: 1\n") == "aclmend.yaml:1:1: the inventory needs the key 'devices'\n");
  CHECK(errors_of("version: 1\ndevices: []\n") == "aclmend.yaml:2:10: the list of 'devices' is empty\n");
  CHECK(errors_of("version: \"1\"\ndevices: [{ file: a }]\n") ==
        "aclmend.yaml:1:10: expected the number 1 for 'version', found '1'\n");
}

TEST_CASE("a device names its files in one way", "[inventory][read]") {
  CHECK(errors_of(with_device("{ name: edge }")) == "aclmend.yaml:3:5: a device needs 'file' or 'files'\n");
  CHECK(errors_of(with_device("{ file: a, files: [b] }")) ==
        "aclmend.yaml:3:23: 'file' and 'files' cannot stand together: 'files' are the parts of one device\n");
  CHECK(errors_of(with_device("{ files: [a, \"b*\"] }")) ==
        "aclmend.yaml:3:14: 'files' are the parts of one device and hold no wildcards: a glob stands in "
        "'file'\n");
  CHECK(errors_of(with_device("{ name: x, file: \"*.cfg\" }")) ==
        "aclmend.yaml:3:13: a name is for one device, and each file of a glob is one\n");
  CHECK(errors_of(with_device("{ file: \"*/../x\" }")) ==
        "aclmend.yaml:3:13: '..' cannot follow a wildcard\n");
  CHECK(errors_of(with_device("{ file: a, each: vsys, vsys: vsys1 }")) ==
        "aclmend.yaml:3:22: 'each: vsys' asks every vsys, 'vsys' names one\n");
  CHECK(errors_of(with_device("{ file: a, each: vsis }")) ==
        "aclmend.yaml:3:22: expected one of device-group, vsys, context for 'each', found 'vsis'\n");
  CHECK(errors_of(with_device("{ name: a, file: b }\n  - { name: a, file: c }")) ==
        "aclmend.yaml:4:13: the name 'a' is that of the device on line 3 too\n");
  CHECK(errors_of(with_device("{ file: \"a\\0b\" }")).find("expected a text of one line for 'file'") !=
        std::string::npos);
}

TEST_CASE("one thing says which endpoint list is in force", "[inventory][read]") {
  CHECK(errors_of(small + "endpoints: { pin: \"2025120100\", source: store }\n") ==
        "aclmend.yaml:4:12: 'pin', 'source' and 'file' each say which list is in force: give one of them\n");
  CHECK(read(small + "endpoints: { source: service }\n")->endpoints.from == Endpoints::From::service);
  CHECK(read(small + "endpoints: { file: list.json }\n", "a/aclmend.yaml")->endpoints.file == "a/list.json");
  CHECK(read(small + "endpoints: { pin: 2025120100 }\n")->endpoints.pin == "2025120100");
  CHECK(read(small + "endpoints: { pin: 2025-12-01 }\n")->endpoints.pin == "2025-12-01");
  CHECK(
      errors_of(small + "endpoints: { pin: latest, max-age: 1 month, instance: worldwide }\n") ==
      "aclmend.yaml:4:19: expected a version of ten digits such as 2025120100, or a date such as 2025-12-01 "
      "for 'pin', found 'latest'\n"
      "aclmend.yaml:4:36: expected a number of days such as 45d for 'max-age', found '1 month'\n"
      "aclmend.yaml:4:55: expected one of Worldwide, USGovGCCHigh, USGovDoD, China, Germany for 'instance', "
      "found 'worldwide'\n");
}

TEST_CASE("what is not acted on yet is checked and said, never passed over", "[inventory][read]") {
  const std::string rest = R"(paths:
  - { name: internet-to-mail, through: [[edge-a, edge-b], mail01], flows: [eop-inbound-smtp] }
waivers:
  - { device: edge, flow: eop-inbound-smtp, code: ACM020, ranges: [198.51.100.0/24], expires: 2027-01-31, owner: netops, reason: "partner relay, change 4711" }
notify: { to: [admins@contoso.com], from: aclmend@contoso.com, smtp: "smtp://relay:25", only-on-change: true }
)";
  const auto inventory = read(small + rest);
  REQUIRE(inventory.has_value());
  REQUIRE(inventory->paths.size() == 1);
  CHECK(inventory->paths[0].through ==
        std::vector<std::vector<std::string>>{{"edge-a", "edge-b"}, {"mail01"}});
  REQUIRE(inventory->remarks.size() == 3);
  CHECK(inventory->remarks[0].severity == Severity::error);
  CHECK(inventory->remarks[0].place.line == 5);
  CHECK(inventory->remarks[0].message ==
        "paths are not built yet: 'internet-to-mail' is not judged, its devices are asked one by one");
  CHECK(inventory->remarks[1].severity == Severity::warning);
  CHECK(inventory->remarks[1].place.line == 7);
  CHECK(inventory->remarks[1].message == "waivers are not built yet: findings are reported unwaived");
  CHECK(inventory->remarks[2].severity == Severity::note);

  CHECK(errors_of(small + "waivers: [{ code: ACM020, ranges: [198.51.100.1/24], expires: 2027-02-30, "
                          "owner: netops }]\n") ==
        "aclmend.yaml:4:11: a waiver needs the key 'reason'\n"
        "aclmend.yaml:4:36: expected a prefix such as 198.51.100.0/24, found '198.51.100.1/24'\n"
        "aclmend.yaml:4:63: expected a date such as 2027-01-31 for 'expires', found '2027-02-30'\n");
}

TEST_CASE("the inventory is found upwards from a folder", "[inventory][read]") {
  test::Folder folder;
  folder.write("repository/aclmend.yaml", small);
  folder.write("repository/configs/branches/x.cfg", "x");
  const std::string below = folder.path() + "/repository/configs/branches";
  CHECK(find_inventory(below) == below + "/../../aclmend.yaml");
  CHECK(find_inventory(folder.path() + "/repository") == folder.path() + "/repository/aclmend.yaml");
  CHECK_FALSE(find_inventory(folder.path()).has_value());
}

TEST_CASE("a hostile inventory earns a bounded number of errors", "[inventory][read]") {
  std::string text = "version: 1\ndevices: [{ file: a }]\n";
  for (int i = 0; i < 20'000; ++i) text += "key" + std::to_string(i) + ": x\n";
  const auto inventory = read(text);
  REQUIRE_FALSE(inventory.has_value());
  CHECK(inventory.error().size() == 101);
  CHECK(inventory.error().back().message == "19900 more errors are not shown");
}
