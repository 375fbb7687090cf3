// The client of the service against a script in place of the network: what it asks, in which order, how often
// and after which pauses, and what it does not take.
#include "endpoints/fetch.h"

#include <algorithm>
#include <deque>

#include "base/file.h"
#include "tests/support/test.h"

namespace aclmend::endpoints {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::string list =
    R"([{"id":10,"serviceArea":"Exchange","ips":["40.92.0.0/15","40.107.0.0/16","2a01:111:f400::/48"],"tcpPorts":"25"}])";
const std::string version_answer = R"({"instance":"Worldwide","latest":"2026010200"})";

std::expected<Answer, NoAnswer> ok(std::string body) {
  return Answer{
      .status = 200, .reason = "OK", .content_type = {}, .retry_after = {}, .body = std::move(body)};
}
std::expected<Answer, NoAnswer> status(int code, std::optional<seconds> retry_after = {},
                                       std::string body = {}) {
  return Answer{.status = code,
                .reason = "No",
                .content_type = {},
                .retry_after = retry_after,
                .body = std::move(body)};
}
std::expected<Answer, NoAnswer> nothing(bool may_pass) {
  return std::unexpected(NoAnswer{"endpoints.test: connection refused", "look at the proxy", may_pass});
}

// Answers one after another, and what was asked.
struct Service {
  std::deque<std::expected<Answer, NoAnswer>> answers;
  std::vector<std::string> paths;  // without base and query
  std::vector<milliseconds> waits;

  Client client() {
    Client client;
    client.base = "https://endpoints.test";
    client.request_id = "6f1b2c9e-0000-4000-8000-000000000001";
    client.chance = [] { return 0.5; };
    client.wait = [this](milliseconds time) { waits.push_back(time); };
    client.transport = [this](const std::string& url) -> std::expected<Answer, NoAnswer> {
      const std::string base = "https://endpoints.test";
      CHECK(url.starts_with(base));
      CHECK(url.ends_with("?ClientRequestId=6f1b2c9e-0000-4000-8000-000000000001"));
      paths.push_back(url.substr(base.size(), url.find('?') - base.size()));
      REQUIRE_FALSE(answers.empty());
      auto answer = answers.front();
      answers.pop_front();
      return answer;
    };
    return client;
  }
};

Release held(const std::string& body, const std::string& version) {
  Release release = *decode(Source("held.json", body), Instance::worldwide);
  release.version = version;
  return release;
}

const std::vector<Watched> watched = {{"eop-inbound-smtp", smtp_selection()}};

Result<Fetch> fetch_with(Service& service, const Release* in_force = nullptr, bool accept_shrink = false) {
  return fetch(service.client(), {.instance = Instance::worldwide,
                                  .held = in_force,
                                  .in_force = nullptr,
                                  .watched = watched,
                                  .even_unchanged = false,
                                  .accept_shrink = accept_shrink});
}

using Paths = std::vector<std::string>;

TEST_CASE("the version is asked first, and the list only when it moved", "[endpoints][fetch]") {
  Service service{.answers = {ok(version_answer)}, .paths = {}, .waits = {}};
  const Release same = held(list, "2026010200");
  const auto done = fetch_with(service, &same);
  REQUIRE(done);
  CHECK(done->outcome == Fetched::unchanged);
  CHECK(done->latest == "2026010200");
  CHECK(service.paths == Paths{"/version/Worldwide"});
}

TEST_CASE("a version that moved: the list, the version once more, the changes since", "[endpoints][fetch]") {
  Service service{
      .answers = {ok(version_answer), ok(list), ok(version_answer), ok("[]")}, .paths = {}, .waits = {}};
  const Release before = held(list, "2025120100");
  const auto done = fetch_with(service, &before);
  REQUIRE(done);
  CHECK(done->outcome == Fetched::fresh);
  CHECK(done->release->version == "2026010200");
  CHECK(done->release->origin == Origin::service);
  CHECK(done->body == list);
  CHECK(done->changes == "[]");
  CHECK(service.paths == Paths{"/version/Worldwide", "/endpoints/Worldwide", "/version/Worldwide",
                               "/changes/Worldwide/2025120100"});
}

TEST_CASE("a list of which nobody knows the version is asked for again", "[endpoints][fetch]") {
  const std::string next = R"({"instance":"Worldwide","latest":"2026010201"})";
  Service service{
      .answers = {ok(version_answer), ok(list), ok(next), ok(list), ok(next)}, .paths = {}, .waits = {}};
  const auto done = fetch_with(service);
  REQUIRE(done);
  CHECK(done->release->version == "2026010201");
  CHECK(service.paths.size() == 5);
}

TEST_CASE("changes that do not come do not cost the list", "[endpoints][fetch]") {
  Service service{
      .answers = {ok(version_answer), ok(list), ok(version_answer), status(404)}, .paths = {}, .waits = {}};
  const Release before = held(list, "2025120100");
  const auto done = fetch_with(service, &before);
  REQUIRE(done);
  CHECK(done->outcome == Fetched::fresh);
  CHECK(done->changes.empty());
  REQUIRE(done->remarks.size() == 1);
  CHECK(done->remarks[0].starts_with("the changes since 2025120100 did not come"));
}

TEST_CASE("what may pass is tried again after pauses that double, spread at random", "[endpoints][fetch]") {
  Service service{.answers = {nothing(true), status(503), ok(version_answer)}, .paths = {}, .waits = {}};
  const Release same = held(list, "2026010200");
  REQUIRE(fetch_with(service, &same));
  CHECK(service.waits == std::vector<milliseconds>{milliseconds(750), milliseconds(1500)});
}

TEST_CASE("Retry-After is kept where we wait that long, and ends the tries where not", "[endpoints][fetch]") {
  Service patient{.answers = {status(429, seconds(30)), ok(version_answer)}, .paths = {}, .waits = {}};
  const Release same = held(list, "2026010200");
  REQUIRE(fetch_with(patient, &same));
  CHECK(patient.waits == std::vector<milliseconds>{seconds(30)});

  Service busy{.answers = {status(429, seconds(3600))}, .paths = {}, .waits = {}};
  const auto refused = fetch_with(busy, &same);
  REQUIRE_FALSE(refused);
  CHECK(busy.waits.empty());
  CHECK(refused.error().message.ends_with("answered 429 No; it asks to wait 3600 s"));
  CHECK(refused.error().hint.find("wait an hour") != std::string::npos);
}

TEST_CASE("what will not pass is asked once, and the service is quoted safely", "[endpoints][fetch]") {
  Service service{
      .answers = {status(400, {}, "ClientRequestId \x1b[31mis missing")}, .paths = {}, .waits = {}};
  const auto done = fetch_with(service);
  REQUIRE_FALSE(done);
  CHECK(done.error().message.ends_with("answered 400 No: ClientRequestId \\x1b[31mis missing"));
  Service broken{.answers = {nothing(false)}, .paths = {}, .waits = {}};
  const auto other = fetch_with(broken);
  REQUIRE_FALSE(other);
  CHECK(other.error().message == "endpoints.test: connection refused");
  CHECK(other.error().hint == "look at the proxy");
}

TEST_CASE("tries end", "[endpoints][fetch]") {
  Service service{.answers = {nothing(true), nothing(true), nothing(true)}, .paths = {}, .waits = {}};
  const auto done = fetch_with(service);
  REQUIRE_FALSE(done);
  CHECK(done.error().message.ends_with("(tried 3 times)"));
}

TEST_CASE("an answer that would close the mail is refused, an empty one always", "[endpoints][fetch]") {
  const Release before = held(list, "2025120100");
  const std::string fewer =
      R"([{"id":10,"serviceArea":"Exchange","ips":["40.107.0.0/16","2a01:111:f400::/48"],"tcpPorts":"25"}])";
  for (const auto& [body, reason] : std::vector<std::pair<std::string, std::string>>{
           {fewer, "eop-inbound-smtp: 67 % of the IPv4 addresses are gone"},
           {R"([{"id":10,"serviceArea":"Exchange","ips":["40.92.0.0/15","40.107.0.0/16"],"tcpPorts":"25"}])",
            "eop-inbound-smtp: no IPv6 address is left"},
           {R"([{"id":10,"serviceArea":"Exchange","ips":["40.92.0.0/15"],"tcpPorts":"443"}])",
            "eop-inbound-smtp: there are no Exchange rows with TCP 25 and addresses in it"},
           {"[]", "the list is empty"}}) {
    Service service{
        .answers = {ok(version_answer), ok(body), ok(version_answer), ok("[]")}, .paths = {}, .waits = {}};
    const auto done = fetch_with(service, &before);
    REQUIRE(done);
    CHECK(done->outcome == Fetched::refused);
    CHECK(done->reasons == std::vector<std::string>{reason});
  }
  Service accepted{
      .answers = {ok(version_answer), ok(fewer), ok(version_answer), ok("[]")}, .paths = {}, .waits = {}};
  CHECK(fetch_with(accepted, &before, true)->outcome == Fetched::fresh);
  Service empty{
      .answers = {ok(version_answer), ok("[]"), ok(version_answer), ok("[]")}, .paths = {}, .waits = {}};
  CHECK(fetch_with(empty, &before, true)->outcome == Fetched::refused);
}

TEST_CASE("losing 30 % of a family is believed, more is not", "[endpoints][fetch]") {
  const auto release = [](std::string ips) {
    return held(R"([{"id":1,"serviceArea":"Exchange","ips":[)" + ips + R"(],"tcpPorts":"25"}])",
                "2026010100");
  };
  // Ten networks of one size: three gone are 30 %.
  std::string ten, seven, six;
  for (int i = 0; i < 10; ++i) {
    const std::string ip = (i == 0 ? "" : ",") + std::string("\"10.0.") + std::to_string(i) + ".0/24\"";
    ten += ip;
    if (i < 7) seven += ip;
    if (i < 6) six += ip;
  }
  CHECK(distrust(release(ten), release(seven), watched).empty());
  CHECK(distrust(release(ten), release(six), watched).size() == 1);
  CHECK(distrust(release(seven), release(ten), watched).empty());
}

TEST_CASE("in the history of five instances one release alone would have been refused",
          "[endpoints][fetch]") {
  const std::filesystem::path folder = test::shared_data("m365/from-docs-json");
  if (folder.empty()) {
    WARN("the rebuilt releases are not at hand: nothing was replayed");
    return;
  }
  std::vector<std::string> refused;
  std::size_t steps = 0;
  for (const Instance instance : instances()) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder / std::string(to_string(instance))))
      if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::ranges::sort(files);
    std::optional<Release> before;
    for (const auto& file : files) {
      auto release = decode(**read_file(file.string()), instance);
      REQUIRE(release);
      if (before && !distrust(*before, *release, watched).empty())
        refused.push_back(std::string(to_string(instance)) + " " + file.stem().string());
      steps += before ? 1U : 0U;
      before = std::move(*release);
    }
  }
  CHECK(steps == 163 - 5);
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].find("USGovDoD") == 0);
  CHECK(refused[0].find("2020062900") != std::string::npos);
}

TEST_CASE("a request id is a GUID of version 4", "[endpoints][fetch]") {
  CHECK(guid_of({}) == "00000000-0000-4000-8000-000000000000");
  std::array<std::uint8_t, 16> ones;
  ones.fill(0xff);
  CHECK(guid_of(ones) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

}  // namespace
}  // namespace aclmend::endpoints
