// Every document that this build can write has a schema, and follows it.
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "endpoints/result.h"
#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/smtp_server.h"
#include "tests/support/test.h"

using namespace aclmend;

namespace {

using Names = std::set<std::string>;

Names schema_files() {
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(test::root() / "docs/schema")) {
    const std::string file = entry.path().filename();
    const std::string name = file.substr(0, file.find(".schema.json"));
    // Two are of what people write; evidence is no document but a record a line (tests/cli/evidence_test.cc).
    if (name != "aclmend" && name != "flow" && name != "evidence") names.insert(name);
  }
  return names;
}

// The names in `document("NAME", …)`, out of the sources that write documents.
Names documents_in_sources() {
  Names names;
  for (const auto& entry : std::filesystem::directory_iterator(test::root() / "src/report/json")) {
    const std::string text = test::text_of(entry.path());
    constexpr std::string_view call = " document(\"";
    for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1)) {
      const std::size_t begin = at + call.size();
      names.insert(text.substr(begin, text.find('"', begin) - begin));
    }
  }
  return names;
}

struct Written {
  std::string schema;
  std::vector<std::string> args;
};

constexpr const char* rows =
    R"([{"id": 10, "serviceArea": "Exchange", "ips": ["40.92.0.0/15"], "tcpPorts": "25",
  "category": "Allow", "required": true}])";

// A command line for every schema.
std::vector<Written> documents(const test::Folder& folder) {
  const std::string list = folder.write("worldwide.json", rows);
  const std::string store = folder.path() + "/store.sqlite";
  const std::string config = (test::root() / "tests/cli/edge.cfg").string();
  const std::string inventory = folder.write(
      "aclmend.yaml",
      "version: 1\nmail: { hosts: [203.0.113.25] }\ndevices: [{ name: edge, file: " + config + " }]\n");
  const std::vector<std::string> import = {"endpoints",  "import",  list, "--version",
                                           "2025120100", "--store", store};
  test::aclmend(import);  // from now on it is there already, whenever it is asked
  return {
      {"trace", {"trace", config, "--from", "40.92.1.1", "--to", "203.0.113.25", "--port", "25"}},
      {"explain", {"explain", "4.4.316", "lost-member"}},
      {"fix", {"fix", (test::root() / "fixtures/story/edge-after.cfg").string()}},
      {"audit", {"audit", config, "--to", "203.0.113.25"}},
      {"cidr", {"cidr", "union", folder.write("list.txt", "40.92.0.0/15\n")}},
      {"flows-list", {"flows", "list"}},
      {"flows-show", {"flows", "show", "relay-pool"}},
      {"flows-check", {"flows", "check"}},
      {"inventory-show", {"inventory", "show", "--inventory", inventory}},
      {"inventory-check", {"inventory", "check", "--inventory", inventory}},
      {"endpoints-show", {"endpoints", "show"}},
      {"endpoints-diff", {"endpoints", "diff", list, list}},
      {"endpoints-covers", {"endpoints", "covers", "40.92.1.1"}},
      {"endpoints-export", {"endpoints", "export"}},
      {"endpoints-import", import},
      {"endpoints-history", {"endpoints", "history", "--store", store}},
      {"endpoints-verify", {"endpoints", "verify", "--store", store}},
      {"endpoints-fetch",  // port 1: nobody answers
       {"endpoints", "fetch", "--base-url", "http://127.0.0.1:1", "--tries", "1", "--store", store}},
      {"diagnose", {"diagnose", "--offline", "--trace-text", "450 4.4.316 Connection refused", config}},
      {"probe", {"probe", "127.0.0.1", "--port", std::to_string(test::closed_port())}},
  };
}

// How long a step of the probe took is all that may differ from run to run.
std::string without_times(const std::string& document) {
  return std::regex_replace(document, std::regex("\"ms\": [0-9]+"), "\"ms\": 0");
}

}  // namespace

TEST_CASE("every document has a schema, every schema a command line here", "[schema]") {
  const test::Folder folder;
  Names tried;
  for (const Written& one : documents(folder)) tried.insert(one.schema);
  CHECK(schema_files() == tried);
  CHECK(documents_in_sources() == tried);
}

TEST_CASE("every kind of change stands in every schema that tells changes", "[schema]") {
  using endpoints::Change;
  Names kinds;
  for (const Change change :
       {Change::added, Change::removed, Change::moved, Change::renumbered, Change::widened, Change::narrowed,
        Change::replaced, Change::ports, Change::urls, Change::terms})
    kinds.insert(std::string(endpoints::to_string(change)));
  for (const char* name : {"endpoints-diff", "endpoints-fetch", "endpoints-history"}) {
    const std::string file = std::string("docs/schema/") + name + ".schema.json";
    const auto schema = nlohmann::json::parse(test::text_of(test::root() / file));
    std::size_t met = 0;
    const std::function<void(const nlohmann::json&)> look = [&](const nlohmann::json& value) {
      if (value.is_object() && value.contains("change") && value["change"].contains("enum")) {
        Names named;
        for (const auto& kind : value["change"]["enum"]) named.insert(kind.get<std::string>());
        CHECK(named == kinds);
        ++met;
      }
      if (value.is_structured())
        for (const auto& part : value) look(part);
    };
    look(schema);
    CHECK(met > 0);
  }
}

TEST_CASE("every document follows its schema, which allows nothing else", "[schema]") {
  const test::Folder folder;
  for (const Written& one : documents(folder)) {
    std::vector<std::string> args = one.args;
    args.insert(args.end(), {"--format", "json"});
    const test::Ran ran = test::aclmend(args);
    INFO(one.schema << ": " << ran.err);
    REQUIRE((ran.status == 2) == (one.schema == "endpoints-fetch"));
    CHECK(test::schema_errors(ran.out, one.schema) == "");
    auto document = nlohmann::json::parse(ran.out);
    CHECK(document["schema"] == "aclmend/" + one.schema + "/1");
    CHECK(without_times(ran.out) == without_times(test::aclmend(args).out));
    document["surprise"] = 1;
    CHECK_FALSE(test::schema_errors(document.dump(), one.schema).empty());
  }
}
