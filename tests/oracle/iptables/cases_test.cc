// The case files of iptables hold what we believe of it. The kernel plays those that it can load: an
// interface for each name they mention, the addresses they call the firewall's own, and the packets they ask
// about.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.h"
#include "tests/oracle/iptables/scene.h"
#include "tests/support/case_file.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend::oracle {
namespace {

// A question of a case with all that decides it.
struct Question {
  std::string place;  // "x.case:7"
  std::string expected;
  std::string translated;  // "172.17.0.2:25", where it is told
  Probe probe;
  bool has_source_port = false, has_ingress = false;
  std::string egress, direction;
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string spaced(text);
  std::ranges::replace(spaced, '\n', ' ');
  for (const std::string_view word : split(spaced, ' '))
    if (!word.empty()) words.emplace_back(word);
  return words;
}

std::string after(const std::vector<std::string>& words, std::string_view name) {
  const auto found = std::ranges::find(words, name);
  return found == words.end() || found + 1 == words.end() ? "" : *(found + 1);
}

std::vector<Question> questions_of(const test::CaseFile& file) {
  std::vector<Question> questions;
  for (const test::CaseBlock& block : file.blocks) {
    if (block.kind != "trace") {
      if (block.kind == "apply") break;  // what follows is asked of other rules
      continue;
    }
    const std::vector<std::string> words = words_of(block.words);
    const bool is_plain = std::ranges::none_of(words, [](const std::string& word) {
      return word == "chain" || word == "assume" || word == "context" || word == "application";
    });
    const auto scene = scene_of(
        "# x\n--- trace " +
        std::string(trimmed(block.words.ends_with(" path") ? block.words.substr(0, block.words.size() - 5)
                                                           : block.words)) +
        "\n");
    if (!is_plain || !scene || scene->probes.size() != 1) continue;
    Question question{fmt::format("{}:{}", file.name, block.line),
                      words_of(block.text).empty() ? "" : words_of(block.text).front(),
                      after(words_of(block.text), "to"),
                      scene->probes.front(),
                      scene->probes.front().packet.source_port != 0,
                      !after(words, "ingress").empty(),
                      after(words, "egress"),
                      after(words, "direction")};
    if (question.expected.ends_with(':')) question.expected.pop_back();
    questions.push_back(std::move(question));
  }
  return questions;
}

bool is_of(Family family, const test::CaseBlock& block) {
  const bool says_v6 = block.text.find("ip6tables") != std::string::npos ||
                       block.words.find("v6") != std::string::npos ||
                       block.text.find("::") != std::string::npos;
  return says_v6 == (family == Family::ipv6);
}

RuleSet rules_of(const test::CaseFile& file, Family family) {
  RuleSet rules{family, Backend::nft, {}, {}};
  for (const test::CaseBlock& block : file.blocks) {
    if (block.kind != "config") continue;
    const bool is_sets =
        block.text.starts_with("create ") || block.text.find("\ncreate ") != std::string::npos;
    if (is_sets) rules.sets += block.text;
    else if (is_of(family, block)) rules.rules += block.text;
  }
  if (rules.rules.find("legacy") != std::string::npos) rules.backend = Backend::legacy;
  return rules;
}

// The firewall that the case has in mind; the question says where its packet is for.
Plan plan_of(const test::CaseFile& file, const Question& question, bool is_for_itself) {
  std::set<std::string> names;
  std::vector<Address> own;
  for (const test::CaseBlock& block : file.blocks) {
    const std::vector<std::string> words = words_of(block.kind == "config" ? block.text : block.words);
    for (std::size_t i = 0; i + 1 < words.size(); ++i)
      if (words[i] == "-i" || words[i] == "-o" || words[i] == "ingress" || words[i] == "egress")
        names.insert(words[i + 1]);
    if (block.kind != "local") continue;
    for (const std::string& word : words)
      if (const auto prefix = parse_prefix(word); prefix && prefix->first() == prefix->last())
        own.push_back(prefix->first());
  }
  std::erase_if(
      names, [](const std::string& name) { return name.ends_with('+') || name == "lo" || name.size() > 15; });
  names.insert("other0");
  const Address to = question.probe.packet.destination;
  if (is_for_itself && std::ranges::find(own, to) == own.end()) own.push_back(to);
  Plan plan;
  for (const std::string& name : names) {
    Port port{name, {}, {}};
    const auto number = static_cast<V4>(plan.ports.size());
    port.addresses = {Address::v4(0x64404001 + (number << 8)),
                      {Family::ipv6, (V6{0x2001000200000000} << 64) + number + 1}};
    if (plan.ports.empty()) port.addresses.insert(port.addresses.begin(), own.begin(), own.end());
    const bool is_way_out = question.egress.empty() ? name == "other0" : name == question.egress;
    if (is_way_out) port.routes = {*parse_prefix("0.0.0.0/0"), *parse_prefix("::/0")};
    plan.ports.push_back(std::move(port));
  }
  return plan;
}

struct Played {
  std::size_t packets = 0, not_loaded = 0, not_playable = 0;
};

void play(const test::CaseFile& file, const Question& question, Played& played) {
  std::vector<bool> for_itself{false, true};
  if (question.direction == "in") for_itself = {true};
  else if (question.direction == "forward") for_itself = {false};
  else if (!question.direction.empty()) return;
  for (const test::CaseBlock& block : file.blocks)
    if (block.kind == "local") for_itself = {question.direction == "in"};
  for (const bool is_for_itself : for_itself) {
    const Plan plan = plan_of(file, question, is_for_itself);
    std::vector<Probe> probes;
    for (const Port& port : plan.ports) {
      if (question.has_ingress && port.name != question.probe.ingress) continue;
      for (const std::uint16_t source_port :
           {std::uint16_t{1024}, std::uint16_t{40000}, std::uint16_t{65535}}) {
        Probe probe = question.probe;
        probe.ingress = port.name;
        const bool is_free = !question.has_source_port && question.probe.packet.destination_port != 0;
        if (is_free) probe.packet.source_port = source_port;
        if (is_ordinary(probe.packet) && !plan.is_own(probe.packet.source)) probes.push_back(probe);
        if (!is_free) break;
      }
    }
    const auto stage = Stage::make(plan);
    if (!stage || probes.empty()) {
      ++played.not_playable;
      continue;
    }
    if (!(*stage)->load(rules_of(file, question.probe.packet.source.family))) {
      ++played.not_loaded;
      return;
    }
    for (const Probe& probe : probes) {
      const auto sights = (*stage)->send(std::span(&probe, 1));
      REQUIRE(sights);
      ++played.packets;
      INFO(question.place << ": " << to_text(probe)
                          << (is_for_itself ? ", for the firewall itself" : ", to another host"));
      const Sight& sight = sights->front();
      CHECK(question.expected == (sight.where == Sight::Where::nowhere ? "deny" : "permit"));
      if (question.translated.empty() || sight.where == Sight::Where::nowhere) continue;
      const std::string to = to_string(sight.packet.destination);
      CHECK(question.translated == (sight.packet.destination.is_v4()
                                        ? fmt::format("{}:{}", to, sight.packet.destination_port)
                                        : fmt::format("[{}]:{}", to, sight.packet.destination_port)));
    }
  }
}

}  // namespace

TEST_CASE("the kernel agrees with the answers in the case files", "[oracle][kernel]") {
  if (const auto stage = Stage::make(); !stage) {
    WARN("the kernel did not play the case files: " << stage.error().message);
    return;
  }
  Played played;
  std::size_t open = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test::root() / "vendors/iptables/cases")) {
    if (entry.path().extension() != ".case") continue;
    const auto file = test::parse_case(entry.path().filename(), test::text_of(entry.path()));
    if (!file) continue;  // another test says so
    for (const Question& question : questions_of(*file)) {
      if (question.expected == "permit" || question.expected == "deny") play(*file, question, played);
      else ++open;
    }
  }
  WARN(played.packets << " packets of the case files were played; not played: " << open << " open answers, "
                      << played.not_loaded << " questions of files that iptables does not load, "
                      << played.not_playable << " packets that no interface takes");
  CHECK(played.packets > 100);
}

}  // namespace aclmend::oracle
