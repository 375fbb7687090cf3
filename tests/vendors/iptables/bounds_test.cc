// Bounds: iptables-restore reads 10,239 bytes of a line, what stands behind them is a line of its own; a list
// of addresses is many rules.
#include <fmt/format.h>

#include "tests/support/test.h"
#include "vendors/iptables/reader.h"
#include "vendors/iptables/script.h"

namespace aclmend::iptables {
namespace {

constexpr std::size_t cut = restore_cuts_at;

IptablesDocument read(const std::string& text) {
  const std::vector<SourcePtr> sources = {std::make_shared<const Source>("a.rules", text)};
  Account account(sources);
  IptablesDocument document;
  document.sources = sources;
  CHECK_FALSE(Reader(document, account).read(0));
  return document;
}

std::string padded(std::string text, std::size_t size) {
  text.append(size - text.size(), ' ');
  return text;
}

TEST_CASE("a line that would be cut leaves its table unread, whatever it is", "[iptables]") {
  const std::string begin = "*filter\n:INPUT ACCEPT [0:0]\n", end = "\nCOMMIT\n";
  for (const std::string& line : {"#" + std::string(cut - 1, 'x') + "-A INPUT -j DROP",
                                  padded("-A INPUT -j DROP", cut) + "-6", padded(":MAIL - [0:0]", cut + 1)}) {
    INFO(line.substr(0, 20));
    const IptablesDocument document = read(begin + line + end);
    REQUIRE(document.v4[Table::filter]);
    CHECK(document.v4[Table::filter]->unread);
  }
  CHECK_FALSE(read(begin + padded("-A INPUT -j DROP", cut) + end).v4[Table::filter]->unread);
  CHECK(read("#" + std::string(cut, 'x') + "\n" + begin + end).v4.stray);
}

TEST_CASE("a fragment with a line that would be cut does not take hold", "[iptables]") {
  const auto drops = [](const std::string& line) {
    const std::vector<SourcePtr> sources = {
        std::make_shared<const Source>("a.rules", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"),
        std::make_shared<const Source>("change", "*filter\n-A INPUT -j DROP\n" + line + "\nCOMMIT\n")};
    Account account(sources);
    IptablesDocument document;
    document.sources = sources;
    CHECK_FALSE(Reader(document, account).read(0));
    CHECK_FALSE(type_in(document, account, 1));
    return document.v4[Table::filter]->named("INPUT")->rules.size() == 1;
  };
  CHECK(drops("# a comment"));
  CHECK_FALSE(drops("#" + std::string(cut, 'x')));
}

TEST_CASE("lists of addresses stand for so many rules and no more", "[iptables]") {
  std::string list = "10.0.0.1";
  for (int i = 2; i <= 100; ++i) list += fmt::format(",10.0.0.{}", i);
  std::string text = "*filter\n:INPUT ACCEPT [0:0]\n";
  for (int i = 0; i < 102; ++i) text += fmt::format("-A INPUT -s {} -d {} -j DROP\n", list, list);
  const IptablesDocument document = read(text + "COMMIT\n");
  CHECK(document.v4[Table::filter]->named("INPUT")->rules.size() == 1'000'000);
  CHECK(document.v4[Table::filter]->unread);
}

}  // namespace
}  // namespace aclmend::iptables
