#include "tests/support/case_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::test {
namespace {

constexpr std::string_view opening = "--- ";

bool is_input(std::string_view kind) { return kind == "config" || kind == "local" || kind == "apply"; }

const CaseKind* kind_named(std::string_view name) {
  const auto found = std::ranges::find(case_kinds(), name, &CaseKind::name);
  return found == case_kinds().end() ? nullptr : &*found;
}

std::string kind_names() {
  std::string names = "config, local, apply";
  for (const CaseKind& kind : case_kinds()) names += fmt::format(", {}", kind.name);
  return names;
}

Error at(const CaseFile& file, std::uint32_t line, std::string message) {
  return {.message = std::move(message), .file = file.name, .line = line};
}

CaseBlock block_of(std::string_view header, std::uint32_t line) {
  header.remove_prefix(opening.size());
  const std::size_t end = std::min(header.find(' '), header.size());
  return {std::string(header.substr(0, end)), std::string(trimmed(header.substr(end))), line, {}};
}

// Blank lines under an answer only part it from the next block.
std::string without_blank_end(std::string_view text) {
  while (text.ends_with('\n') || text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

// Both texts line by line, what they share at the start and the end without a mark.
std::string marked_difference(std::string_view expected, std::string_view found) {
  const auto a = split(expected, '\n'), b = split(found, '\n');
  const std::size_t shorter = std::min(a.size(), b.size());
  std::size_t head = 0, tail = 0;
  while (head < shorter && a[head] == b[head]) ++head;
  while (tail < shorter - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) ++tail;
  std::string out;
  for (std::size_t i = 0; i < head; ++i) out += fmt::format("    {}\n", a[i]);
  for (std::size_t i = head; i < a.size() - tail; ++i) out += fmt::format("  - {}\n", a[i]);
  for (std::size_t i = head; i < b.size() - tail; ++i) out += fmt::format("  + {}\n", b[i]);
  for (std::size_t i = a.size() - tail; i < a.size(); ++i) out += fmt::format("    {}\n", a[i]);
  return out;
}

Result<ReadOptions> read_options(const CaseFile& file) {
  ReadOptions options;
  for (const CaseBlock& block : file.blocks) {
    if (block.kind != "local") continue;
    for (const std::string_view word : split(block.words, ' ')) {
      const auto prefix = parse_prefix(word);
      if (!prefix) return fail(at(file, block.line, fmt::format("expected an address, found '{}'", word)));
      options.local |= AddressSet(*prefix);
    }
  }
  return options;
}

CaseSubject subject_of(const CaseFile& file, const Vendor& vendor) {
  CaseSubject subject{vendor, {}, fail("not read"), 0};
  for (const CaseBlock& block : file.blocks)
    if (block.kind == "config")
      subject.sources.push_back(
          std::make_shared<const Source>(block.words.empty() ? "config" : block.words, block.text));
  const auto options = read_options(file);
  subject.reading = options ? vendor.read(subject.sources, *options) : fail(options.error());
  return subject;
}

// `--- apply [CONTEXT]`: the commands below are typed into the device before the questions that follow. What
// is asked about diagnostics and the ledger from then on is asked of this script.
void apply(CaseSubject& subject, const CaseBlock& block) {
  if (!subject.reading) return;
  const auto script = std::make_shared<const Source>(
      fmt::format("apply{}", block.words.empty() ? "" : " " + block.words), block.text);
  if (subject.vendor.editing == nullptr) {
    subject.reading = fail("this vendor's devices take no commands");
    return;
  }
  const auto device = case_device(subject, block.words);
  if (!device) {
    subject.reading = fail(device.error());
    return;
  }
  subject.reading = subject.vendor.editing->apply(**device, std::span(&script, 1));
  subject.first_told = subject.sources.size();
  subject.sources.push_back(script);
}

}  // namespace

Result<CaseFile> parse_case(std::string name, std::string_view text) {
  CaseFile file{std::move(name), {}, {}};
  std::uint32_t line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1);
    const std::string_view whole = text.substr(0, end + 1);
    text.remove_prefix(end + 1);
    ++line;
    if (whole.starts_with(opening)) {
      CaseBlock block = block_of(trimmed(without_blank_end(whole)), line);
      if (!is_input(block.kind) && kind_named(block.kind) == nullptr)
        return fail(
            at(file, line, fmt::format("no such block '{}'; there are {}", block.kind, kind_names())));
      file.blocks.push_back(std::move(block));
    } else {
      (file.blocks.empty() ? file.head : file.blocks.back().text) += whole;
    }
  }
  if (!file.head.starts_with('#'))
    return fail(at(file, 1, "expected a comment (#) that says why this case matters"));
  const auto inputs = std::ranges::count(file.blocks, "config", &CaseBlock::kind);
  if (inputs == 0) return fail(at(file, line, "expected an input: a block '--- config'"));
  if (std::ranges::all_of(file.blocks, is_input, &CaseBlock::kind))
    return fail(at(file, line, "expected a question: this case asks nothing"));
  return file;
}

CaseOutcome run_case(const CaseFile& file, const Vendor& vendor) {
  CaseSubject subject = subject_of(file, vendor);
  CaseOutcome outcome{{}, file.head};
  for (const CaseBlock& block : file.blocks) {
    outcome.rewritten += fmt::format("--- {}{}{}\n", block.kind, block.words.empty() ? "" : " ", block.words);
    if (is_input(block.kind)) {
      outcome.rewritten += block.text;
      if (block.kind == "apply") apply(subject, block);
      continue;
    }
    const auto answer = kind_named(block.kind)->answer(subject, block.words);
    const std::string found = answer ? without_blank_end(*answer) : "error: " + to_string(answer.error());
    const std::string expected = without_blank_end(block.text);
    outcome.rewritten += found + "\n";
    if (!answer)
      outcome.mismatches.push_back(fmt::format("{}:{}: {}\n", file.name, block.line, answer.error().message));
    else if (found != expected)
      outcome.mismatches.push_back(fmt::format("{}:{}: --- {} {}\n{}", file.name, block.line, block.kind,
                                               block.words, marked_difference(expected, found)));
  }
  return outcome;
}

}  // namespace aclmend::test
