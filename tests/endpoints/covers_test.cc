// `endpoints covers`: what is published, where, since when; what was; and never a yes for a part.
#include "tests/support/test.h"

#include <algorithm>
#include <random>

#include "endpoints/result.h"

using namespace aclmend;
using namespace aclmend::endpoints;

namespace {

std::vector<Release> all_newest() {
  std::vector<Release> all;
  for (const Instance instance : instances()) all.push_back(newest(instance));
  return all;
}

Coverage asked(std::initializer_list<std::string_view> texts, std::span<const Release> in_force,
               const std::optional<Selection>& selection = std::nullopt) {
  std::vector<Prefix> prefixes;
  for (const std::string_view text : texts) prefixes.push_back(parse_prefix(text).value());
  return covers(prefixes, in_force, selection);
}

// One line a row: "Worldwide 10 Exchange tcp/25 40.92.0.0/15 2019010700 -".
std::string told(const Coverage& coverage) {
  std::string text = coverage.covered ? "yes\n" : "no\n";
  for (const Listing& row : coverage.rows)
    text += std::string(to_string(row.instance)) + " " + std::to_string(row.id) + " " + row.service_area +
            " " + row.service + " " + to_string(row.prefix) + " " +
            (row.since ? to_string(*row.since) : "-") + " " + (row.until ? to_string(*row.until) : "-") +
            "\n";
  for (const std::string& note : coverage.notes) text += "note: " + note + "\n";
  return text;
}

const std::string relay =
    "note: 40.95.0.0/16 is Microsoft's relay pool: it sends relayed and forwarded mail, and no list holds "
    "it\n";

}  // namespace

TEST_CASE("an address that sends mail is in row 10, and in row 9 for HTTPS", "[endpoints][covers]") {
  CHECK(told(asked({"40.92.12.1"}, all_newest())) ==
        "yes\n"
        "Worldwide 9 Exchange tcp/443 40.92.0.0/15 - -\n"
        "Worldwide 10 Exchange tcp/25 40.92.0.0/15 2019010700 -\n"
        "Worldwide 10 Exchange tcp/25 40.92.0.0/14 2018063000 2019010700\n");
  CHECK(told(asked({"40.92.12.1"}, all_newest(), smtp_selection())) ==
        "yes\n"
        "Worldwide 10 Exchange tcp/25 40.92.0.0/15 2019010700 -\n"
        "Worldwide 10 Exchange tcp/25 40.92.0.0/14 2018063000 2019010700\n");
}

TEST_CASE("an address in no SMTP row says so", "[endpoints][covers]") {
  CHECK(told(asked({"52.238.78.88"}, all_newest())) ==
        "yes\n"
        "Worldwide 9 Exchange tcp/443 52.238.78.88/32 - -\n"
        "note: 52.238.78.88/32 is published, but in no SMTP row (Exchange, TCP 25)\n");
  CHECK(told(asked({"52.238.78.88"}, all_newest(), smtp_selection())) == "no\n");
}

TEST_CASE("an address that once sent mail says until when", "[endpoints][covers]") {
  CHECK(told(asked({"157.56.110.9"}, all_newest())) ==
        "no\nWorldwide 10 Exchange tcp/25 157.56.110.0/23 2018063000 2019022800\n");
  CHECK(told(asked({"23.103.144.1"}, all_newest())) ==
        "no\n"
        "Worldwide 10 Exchange tcp/25 23.103.144.0/20 2018063000 2018072800\n"
        "Worldwide 10 Exchange tcp/25 23.103.144.0/20 2018080200 2019022800\n");
  CHECK(told(asked({"52.181.167.52"}, all_newest())) ==
        "no\nUSGovDoD 6 Exchange tcp/25,443 52.181.167.52/32 2019011100 2022-06-29/2024-02-25\n");
  CHECK(told(asked({"192.0.2.1"}, all_newest())) == "no\n");
}

TEST_CASE("the relay pool sends mail, is not published, and is noted", "[endpoints][covers]") {
  CHECK(told(asked({"40.95.63.7"}, all_newest())) ==
        "no\nWorldwide 10 Exchange tcp/25 40.92.0.0/14 2018063000 2019010700\n" + relay);
}

TEST_CASE("a prefix that is published in part is a no that says which part", "[endpoints][covers]") {
  const std::vector<Release> worldwide = {newest(Instance::worldwide)};
  const Coverage coverage = asked({"40.92.0.0/14"}, worldwide, smtp_selection());
  CHECK(told(coverage) ==
        "no\n"
        "Worldwide 10 Exchange tcp/25 40.92.0.0/15 2019010700 -\n"
        "Worldwide 10 Exchange tcp/25 40.92.0.0/14 2018063000 2019010700\n"
        "note: 40.92.0.0/14 is published in part: 40.92.0.0/15 is, 40.94.0.0/15 is not\n" +
            relay);
  REQUIRE(coverage.asked.size() == 1);
  CHECK(to_string(coverage.asked[0].covered) == "40.92.0.0/15");
  CHECK(to_string(coverage.asked[0].missing) == "40.94.0.0/15");
}

TEST_CASE("one that is not published makes the whole answer no", "[endpoints][covers]") {
  const std::vector<Release> worldwide = {newest(Instance::worldwide)};
  CHECK(asked({"40.92.0.1", "104.47.1.0/24", "2a01:111:f403:c::1"}, worldwide).covered);
  const Coverage coverage = asked({"40.92.0.1", "192.0.2.1"}, worldwide);
  CHECK(!coverage.covered);
  CHECK(coverage.asked[0].missing.empty());
  CHECK(!coverage.asked[1].missing.empty());
}

TEST_CASE("two instances' lists are not added together", "[endpoints][covers]") {
  // 23.103.199.0/25 is DoD's, 23.103.199.128/25 is GCC High's: nobody's list holds 23.103.199.0/24.
  const Coverage coverage = asked({"23.103.199.0/24"}, all_newest(), smtp_selection());
  CHECK(!coverage.covered);
  CHECK(told(coverage) ==
        "no\n"
        "USGovGCCHigh 6 Exchange tcp/25,443 23.103.199.128/25 2018063000 -\n"
        "USGovDoD 6 Exchange tcp/25,443 23.103.199.0/25 2018063000 -\n"
        "Worldwide 10 Exchange tcp/25 23.103.198.0/23 2018063000 2019022800\n"
        "note: 23.103.199.0/24 is published in part: 23.103.199.128/25 is, 23.103.199.0/25 is not\n");
  CHECK(asked({"23.103.191.0/24"}, all_newest(), smtp_selection()).rows.size() == 2);  // both have it
}

TEST_CASE("a past list answers for its time, and knows when its ranges left", "[endpoints][covers]") {
  const std::vector<Release> past = {at_version(Instance::worldwide, "2018080200").value()};
  CHECK(told(asked({"23.103.144.1"}, past)) ==
        "yes\n"
        "Worldwide 10 Exchange tcp/25 23.103.144.0/20 2018080200 2019022800\n"
        "Worldwide 10 Exchange tcp/25 23.103.144.0/20 2018063000 2018072800\n");
}

TEST_CASE("remarks stand only beside an answer from their list", "[endpoints][covers]") {
  CHECK(told(asked({"51.4.72.1"}, all_newest(), smtp_selection())) ==
        "yes\n"
        "Germany 5 Exchange tcp/25,443 51.4.72.0/24 2018063000 -\n"
        "note: Germany: Microsoft Cloud Germany is closed; this was its last known list\n");
}

TEST_CASE("each address has the rows that hold some of it, as one by one comparing finds them",
          "[endpoints][covers]") {
  const std::vector<Release> in_force = all_newest();
  std::vector<Prefix> pool;
  for (const Release& release : in_force)
    for (const Row& row : release.rows) pool.insert(pool.end(), row.ips.begin(), row.ips.end());
  for (const Instance instance : instances())
    for (const Listing& listing : history(instance)) pool.push_back(listing.prefix);
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    std::mt19937_64 dice(seed);
    std::vector<Prefix> prefixes;
    for (int i = 0; i < 60; ++i) {
      const Prefix near = pool[dice() % pool.size()];
      const int bits = address_bits(near.address.family);
      const auto offset = static_cast<V6>(dice() % 4) << (bits - near.length) >> 1;
      const int length = std::clamp(near.length + static_cast<int>(dice() % 17) - 6, 0, bits);
      const V6 mask = bits == 32 ? V6{0xFFFFFFFF} : ~V6{0};
      prefixes.push_back(prefix_of({near.address.family, (near.address.number + offset) & mask}, length));
    }
    const Coverage coverage = covers(prefixes, in_force, std::nullopt);
    REQUIRE(coverage.asked.size() == prefixes.size());
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
      INFO("seed " << seed << ", " << to_string(prefixes[i]));
      const Asked& one = coverage.asked[i];
      std::vector<std::uint32_t> slowly;
      for (std::uint32_t row = 0; row < coverage.rows.size(); ++row)
        if (AddressSet(coverage.rows[row].prefix).intersects(AddressSet(prefixes[i]))) slowly.push_back(row);
      CHECK(one.rows == slowly);
      AddressSet most;
      for (const Release& release : in_force) {
        const AddressSet held = addresses(release.rows) & AddressSet(prefixes[i]);
        if (held.covers(most)) most = held;
      }
      CHECK((one.covered | one.missing) == AddressSet(prefixes[i]));
      CHECK(!one.covered.intersects(one.missing));
      CHECK(one.covered == most);
    }
  }
}

TEST_CASE("of very many in part a few are told, and the rest is counted", "[endpoints][covers]") {
  std::vector<Prefix> prefixes;
  Row row{.id = 1,
          .service_area = "Exchange",
          .tcp_ports = PortSet(25, 25),
          .udp_ports = {},
          .ips = {},
          .urls = {},
          .category = {},
          .required = {}};
  for (V4 i = 0; i < 30; ++i) {
    prefixes.push_back(prefix_of(Address::v4(0xC0000200 + 2 * i), 31));
    row.ips.push_back(host_prefix(Address::v4(0xC0000200 + 2 * i)));
  }
  Release release;
  release.rows = {row};
  const Coverage coverage = covers(prefixes, std::span(&release, 1), std::nullopt);
  CHECK_FALSE(coverage.covered);
  REQUIRE(coverage.notes.size() == 21);
  CHECK(coverage.notes[0] == "192.0.2.0/31 is published in part: 192.0.2.0/32 is, 192.0.2.1/32 is not");
  CHECK(coverage.notes[20] == "10 more are published in part");
}

TEST_CASE("many addresses are answered one by one", "[endpoints][covers]") {
  const std::vector<Release> worldwide = {newest(Instance::worldwide)};
  std::vector<Prefix> prefixes;  // from 40.92.0.0 on, into the relay pool
  for (V4 i = 0; i < 20'000; ++i) prefixes.push_back(host_prefix(Address::v4(0x285C0000 + 13 * i)));
  const Coverage coverage = covers(prefixes, worldwide, smtp_selection());
  CHECK_FALSE(coverage.covered);
  const auto published =
      std::ranges::count_if(coverage.asked, [](const Asked& one) { return one.missing.empty(); });
  CHECK(published == 10083);  // of 40.92.0.0/15, every thirteenth
  CHECK(coverage.asked[10082].missing.empty());
  CHECK_FALSE(coverage.asked[10083].missing.empty());
  CHECK(coverage.notes.size() == 1);
}
