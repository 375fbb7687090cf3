// The long hunt and the stage by hand; see README.md and ./run.
//   hunt --minutes N --seed S      compares random rule sets until the time is up
//   ask FILE…                      plays scenes: what the kernel does with each packet, and what we say
#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "tests/oracle/iptables/compare.h"
#include "tests/oracle/iptables/scene.h"
#include "tests/oracle/iptables/spoil.h"

namespace aclmend::oracle {
namespace {

Hunt hunt_of(std::uint64_t number, std::uint64_t seed) {
  Hunt hunt;
  hunt.seed = seed * 1'000'000 + number;
  hunt.taste = number % 3 == 2 ? Taste::anything : Taste::decidable;
  hunt.family = number / 8 % 3 == 2 ? Family::ipv6 : Family::ipv4;  // changing costs a load of nothing
  hunt.backend = number / 32 % 4 == 3 ? Backend::legacy : Backend::nft;
  hunt.as_saved = number % 2 == 1;
  hunt.told = number % 7 == 6 ? Told::no_ingress : Told::all;
  hunt.packets = 200;
  return hunt;
}

struct Stint {
  int minutes = 1;
  std::uint64_t seed = 1, from = 0, count = ~std::uint64_t{0};
};

int hunt_for(Stage& stage, const Stint& span) {
  const Lacks lacks = lacks_of(stage);
  if (const std::string text = to_text(lacks); !text.empty())
    std::cout << fmt::format("not compared, since this kernel or its tools lack it: {}\n", text);
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(span.minutes);
  Tally all;
  for (std::uint64_t number = span.from;
       number - span.from < span.count && std::chrono::steady_clock::now() < end; ++number) {
    const Hunt one = hunt_of(number, span.seed);
    if (lacks.has(one.backend)) continue;
    auto tally = hunt(stage, lacks, one);
    if (!tally) {
      std::cout << tally.error().message << "\n";
      continue;
    }
    for (const std::string& complaint : tally->complaints) std::cout << complaint << "\n" << std::flush;
    all += *tally;
  }
  std::cout << fmt::format(
      "{} rule sets, {} packets: {} permitted, {} denied, {} unknown, {} translated, {} by their egress; {} "
      "differ\n",
      all.rule_sets, all.packets, all.permitted, all.denied, all.unknown, all.translated, all.hung_on_egress,
      all.complaints.size());
  return all.complaints.empty() ? 0 : 1;
}

int load_for(Stage& stage, const Stint& span) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(span.minutes);
  std::size_t texts = 0, complaints = 0;
  for (std::uint64_t number = span.from;
       number - span.from < span.count && std::chrono::steady_clock::now() < end; ++number, ++texts) {
    const auto complaint = load_complaint(stage, span.seed * 1'000'000 + number,
                                          number / 16 % 3 == 2 ? Family::ipv6 : Family::ipv4);
    if (!complaint) std::cout << complaint.error().message << "\n";
    if (!complaint || complaint->empty()) continue;
    ++complaints;
    std::cout << *complaint << "\n" << std::flush;
  }
  std::cout << fmt::format("{} files, {} differ\n", texts, complaints);
  return complaints == 0 ? 0 : 1;
}

int ask(Stage& stage, const std::string& file) {
  const auto source = read_file(file);
  if (!source) return std::cerr << to_string(source.error()) << "\n", 2;
  const auto scene = scene_of((*source)->text());
  if (!scene) return std::cerr << to_string(scene.error()) << "\n", 2;
  const auto loaded = stage.load(scene->rules);
  const auto sights = loaded ? stage.send(scene->probes) : fail(loaded.error());
  if (!sights) return std::cerr << to_string(sights.error()) << "\n", 2;
  const auto opinion = Opinion::read(scene->rules, stage.plan());
  const auto answers =
      opinion ? opinion->of(scene->probes, Told::all) : std::vector<Answer>(scene->probes.size());
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < sights->size(); ++i)
    texts.push_back(
        fmt::format("{}   (we: {})", to_text((*sights)[i]), model::to_string(answers[i].verdict)));
  std::cout << to_text(*scene, texts);
  return 0;
}

int main_of(const std::vector<std::string>& words) {
  Stint span;
  std::vector<std::string> files;
  bool is_load = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto number = i + 1 < words.size() ? parse_decimal<std::uint32_t>(words[i + 1]) : std::nullopt;
    if (words[i] == "--minutes" && number) span.minutes = static_cast<int>(*number), ++i;
    else if (words[i] == "--seed" && number) span.seed = *number, ++i;
    else if (words[i] == "--from" && number) span.from = *number, ++i;
    else if (words[i] == "--count" && number) span.count = *number, ++i;
    else if (words[i] == "--load") is_load = true;
    else if (words[i].starts_with("-"))
      return std::cerr << "run [--load] [--minutes N] [--seed S] | run FILE...\n", 2;
    else files.push_back(words[i]);
  }
  const auto stage = Stage::make();
  if (!stage) return std::cerr << "no stage: " << to_string(stage.error()) << "\n", 2;
  if (files.empty() && is_load) return load_for(**stage, span);
  if (files.empty()) return hunt_for(**stage, span);
  int status = 0;
  for (const std::string& file : files) status = std::max(status, ask(**stage, file));
  return status;
}

}  // namespace
}  // namespace aclmend::oracle

int main(int count, char** words) {
  return aclmend::oracle::main_of(std::vector<std::string>(words + 1, words + count));
}
