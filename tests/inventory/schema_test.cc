// The published JSON Schemas (for editors) and the tables of the reader must say the same: their keys are
// compared one by one, and texts are put to both.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "base/embedded.h"
#include "base/text.h"
#include "inventory/flows.h"
#include "inventory/read.h"
#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::inventory;
using Json = nlohmann::json;

namespace {

Json schema(const std::string& name) {
  return Json::parse(test::text_of(test::root() / "docs/schema" / (name + ".schema.json")));
}

const Json& resolved(const Json& root, const Json& node) {
  if (!node.contains("$ref")) return node;
  return root.at(Json::json_pointer(node.at("$ref").get<std::string>().substr(1)));
}

std::set<std::string> names(const Json& array) { return array.get<std::set<std::string>>(); }

// Every key of the shape, whether it is required, its choices, and the maps below.
void compare(const Json& root, const Json& node, const Shape& shape) {
  INFO(shape.what);
  CHECK(node.at("additionalProperties") == false);
  std::set<std::string> keys, required;
  for (const auto& [key, value] : node.at("properties").items()) keys.insert(key);
  std::set<std::string> expected, expected_required;
  for (const Key& key : shape.keys) {
    expected.emplace(key.name);
    if (key.need == Need::required) expected_required.emplace(key.name);
  }
  CHECK(keys == expected);
  CHECK(names(node.value("required", Json::array())) == expected_required);
  for (const Key& key : shape.keys) {
    INFO(key.name);
    const Json& property = node.at("properties").at(std::string(key.name));
    if (key.form != nullptr && key.form->choices.size() > 1)
      CHECK(names(property.at("enum")) ==
            std::set<std::string>(key.form->choices.begin(), key.form->choices.end()));
    if (key.holds == Holds::map) compare(root, resolved(root, property), *key.shape);
    if (key.holds == Holds::maps) compare(root, resolved(root, property.at("items")), *key.shape);
  }
}

struct Text {
  std::string text;
  bool is_good = false;
};

// What the validator says of each text, "ok" or "refused: …".
std::vector<std::string> validated(const std::string& name, const std::vector<Text>& texts) {
  const test::Folder folder;
  std::string command = "python3 -W ignore '" + (test::root() / "tests/support/yaml_schema.py").string() +
                        "' '" + (test::root() / "docs/schema" / (name + ".schema.json")).string() + "'";
  for (std::size_t i = 0; i < texts.size(); ++i)
    command += " '" + folder.write(std::to_string(i) + ".yaml", texts[i].text) + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen((command + " 2>&1").c_str(), "r"), ::pclose);
  REQUIRE(pipe != nullptr);
  std::string said;
  char part[4096];
  while (const std::size_t got = std::fread(part, 1, sizeof part, pipe.get())) said.append(part, got);
  std::vector<std::string> verdicts;
  for (const std::string_view line : split(said, '\n'))
    if (!line.empty()) verdicts.emplace_back(line.substr(line.find(' ') + 1));
  INFO(said);
  REQUIRE(verdicts.size() == texts.size());
  return verdicts;
}

template <class Read>
void agree(const std::string& name, const std::vector<Text>& texts, Read read) {
  const std::vector<std::string> verdicts = validated(name, texts);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    INFO(texts[i].text << "\nvalidator: " << verdicts[i]);
    CHECK((verdicts[i] == "ok") == texts[i].is_good);
    CHECK(read(Source("x.yaml", texts[i].text)).has_value() == texts[i].is_good);
  }
}

std::string in_device(const std::string& keys) {
  return "version: 1\ndevices: [{ file: a, " + keys + " }]\n";
}

std::string beside(const std::string& keys) { return "version: 1\ndevices: [{ file: a }]\n" + keys + "\n"; }

const std::string exchange_rows = "select: { service-area: Exchange, tcp-port: 25, has: ips }\n";

std::string a_flow(const std::string& packets, const std::string& rest) {
  return "id: f\ntitle: t\nseverity: note\nwhy: because\nflow: { " + packets +
         ", protocol: tcp, port: 25 }\n" + rest;
}

}  // namespace

TEST_CASE("the published schemas have the keys of the reader's tables", "[inventory][schema]") {
  const Json inventory = schema("aclmend");
  compare(inventory, inventory, inventory_shape());
  const Json flow = schema("flow");
  compare(flow, flow, flow_shape());
}

TEST_CASE("the schema that is compiled in is the published one", "[inventory][schema]") {
  REQUIRE(embedded_schemas().size() == 1);
  CHECK(embedded_schemas()[0].text == test::text_of(test::root() / "docs/schema/aclmend.schema.json"));
}

TEST_CASE("the schema of the inventory accepts and refuses what the reader does", "[inventory][schema]") {
  agree(
      "aclmend",
      {
          {R"(version: 1
endpoints: { instance: Worldwide, pin: "2025120100" }        # or source: store | service | file: PATH; max-age: 45d
mail: { name: mail.contoso.com, hosts: [203.0.113.25] }      # as the internet sees them
devices:
  - { name: edge, file: configs/edge.cfg, ingress: outside }
  - { name: mail01, files: [mail01.v4.rules, mail01.v6.rules], direction: in, to: [10.1.1.25] }
  - { file: "configs/branches/**/*.cfg" }
  - { file: panorama.xml, each: device-group }
skip: [{ files: "configs/switches/**", reason: "no firewalls" }]
sets: [{ device: mail01, name: allowlist, file: sets/allowlist.ipset }]
assume: [{ device: edge, condition: "time-range OFFICE", holds: true, reason: "24x7 since change 4711" }]
paths:
  - { name: internet-to-mail, through: [[edge-a, edge-b], mail01], flows: [eop-inbound-smtp] }
waivers:
  - { device: edge, flow: eop-inbound-smtp, code: ACM020, ranges: [198.51.100.0/24], expires: 2027-01-31, owner: netops, reason: "partner relay, change 4711" }
notify: { to: [admins@contoso.com], from: aclmend@contoso.com, smtp: "smtp://relay:25", only-on-change: true }
)",
           true},
          {in_device(
               "to: \"2001:db8::25\", local: [192.0.2.1, 2001:db8::1], vendor: cisco-asa, flows: relay-pool"),
           true},
          {in_device("profile: public, program: 'C:\\x.exe', egress: dmz, vsys: vsys1, context: c, "
                     "device-group: d"),
           true},
          {beside("endpoints: { pin: 2025120100, max-age: 45d }"), true},
          {beside("endpoints: { pin: 2025-12-01 }"), true},
          {beside("endpoints: { source: service, max-age: 9999d }"), true},
          {beside("waivers: [{ code: open-to-any, ranges: 198.51.100.0/24, expires: 2027-01-31, owner: o, "
                  "reason: r }]"),
           true},
          {"version: 2\ndevices: [{ file: a }]\n", false},
          {"version: \"1\"\ndevices: [{ file: a }]\n", false},
          {"devices: [{ file: a }]\n", false},
          {"version: 1\n", false},
          {"version: 1\ndevices: []\n", false},
          {"version: 1\ndevices: [{ name: a }]\n", false},
          {"version: 1\ndevices: [{ file: \"\" }]\n", false},
          {"- version: 1\n", false},
          {in_device("files: [b]"), false},
          {in_device("ingres: outside"), false},
          {in_device("direction: inwards"), false},
          {in_device("each: zone"), false},
          {in_device("to: mail.contoso.com"), false},
          {in_device("to: []"), false},
          {in_device("to: 198.51.100.0/24"), false},
          {in_device("ingress: [outside]"), false},
          {in_device("flows: [Eop]"), false},
          {in_device("name: \"a\\nb\""), false},
          {beside("mail: {}"), false},
          {beside("mail: { host: 203.0.113.25 }"), false},
          {beside("endpoints: { pin: latest }"), false},
          {beside("endpoints: { pin: \"2025120100\", file: a.json }"), false},
          {beside("endpoints: { source: store, file: a.json }"), false},
          {beside("endpoints: { source: web }"), false},
          {beside("endpoints: { instance: worldwide }"), false},
          {beside("endpoints: { max-age: 45 }"), false},
          {beside("endpoints: { max-age: 0d }"), false},
          {beside("skip: [{ files: \"x/**\" }]"), false},
          {beside("sets: [{ device: a, name: n }]"), false},
          {beside("assume: [{ device: a, condition: c, holds: maybe, reason: r }]"), false},
          {beside("assume: [{ device: a, condition: c, holds: true }]"), false},
          {beside("paths: [{ name: p, through: edge }]"), false},
          {beside("paths: [{ name: p, through: [[]] }]"), false},
          {beside("waivers: [{ ranges: 198.51.100.0/24, expires: 2027-13-31, owner: o, reason: r }]"), false},
          {beside("waivers: [{ ranges: 198.51.100.0/24, expires: 2027-01-31, reason: r }]"), false},
          {beside("notify: { to: a@b, from: c@d }"), false},
          {beside("rules: [a]"), false},
      },
      read_inventory);
}

TEST_CASE("the schema of flows accepts and refuses what the reader does", "[inventory][schema]") {
  const std::string inbound = "direction: inbound, source: selected, destination: mail-hosts";
  std::vector<Text> texts = {
      {a_flow(inbound, exchange_rows), true},
      {a_flow(inbound + ", application: smtp",
              exchange_rows + "others: warning\ncode: ACM023\nwith: other\n"),
       true},
      {a_flow(inbound, "select: { udp-port: 500, has: ips }\n"), true},
      {a_flow("direction: outbound, source: mail-hosts, destination: [40.95.0.0/16, \"2001:db8::/32\"]", ""),
       true},
      {a_flow("direction: inbound, source: 40.95.0.0/16, destination: mail-hosts", ""), true},
      {a_flow(inbound, ""), false},
      {a_flow("direction: inbound, source: 40.95.0.0/16, destination: mail-hosts", exchange_rows), false},
      {a_flow("direction: inbound, source: mail-hosts, destination: selected", exchange_rows), false},
      {a_flow("direction: outbound, source: mail-hosts, destination: mail-hosts", ""), false},
      {a_flow("direction: inbound, source: [selected, 40.95.0.0/16], destination: mail-hosts", exchange_rows),
       false},
      {a_flow("direction: outbound, source: mail-hosts, destination: selected",
              exchange_rows + "others: note\n"),
       false},
      {a_flow("direction: sideways, source: selected, destination: mail-hosts", exchange_rows), false},
      {a_flow(inbound, "select: { service-area: Exchange, has: ips }\n"), false},
      {a_flow(inbound, "select: { tcp-port: 25 }\n"), false},
      {a_flow(inbound, "select: { tcp-port: 25, has: urls }\n"), false},
      {a_flow(inbound, "select: { tcp-port: 0, has: ips }\n"), false},
      {a_flow(inbound, exchange_rows + "code: 23\n"), false},
      {a_flow(inbound, exchange_rows + "other: note\n"), false},
      {a_flow(inbound, exchange_rows + "with: Other\n"), false},
      {"id: f\n", false},
  };
  for (const EmbeddedFile& file : embedded_rules()) texts.push_back({std::string(file.text), true});
  agree("flow", texts, read_flow);
}
