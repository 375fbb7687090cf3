// aclmend explain: what a finding code, an SMTP status or a socket error means, and what to do.
#include "report/explain.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "audit/codes.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "evidence/vocabulary.h"

namespace aclmend::cli {
namespace {

using report::Explanation;

struct Options {
  std::vector<std::string> words;
  OutputOptions output;
};

Explanation explanation_of(const audit::CodeText& code) {
  return {.kind = "finding",
          .name = std::string(code.id),
          .also = {std::string(code.slug)},
          .title = std::string(code.title),
          .severity = code.severity ? std::string(to_string(*code.severity)) : "the severity of the flow",
          .meaning = std::string(code.meaning),
          .remedy = std::string(code.remedy)};
}

Explanation explanation_of(const evidence::Word& word) {
  return {.kind = std::string(evidence::to_string(word.kind)),
          .name = std::string(word.names.front()),
          .also = {word.names.begin() + 1, word.names.end()},
          .title = std::string(word.title),
          .severity = {},
          .meaning = std::string(word.meaning),
          .remedy = std::string(word.remedy)};
}

std::optional<Explanation> explained(std::string_view word) {
  if (const audit::CodeText* code = audit::code_named(word)) return explanation_of(*code);
  if (const evidence::Word* status = evidence::word_named(word)) return explanation_of(*status);
  return std::nullopt;
}

// A pasted line holds its codes among other words: "450 4.4.316 … [Message=Socket error code 10061]".
std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end = [&] {
    while (word.ends_with('.')) word.pop_back();
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  for (const char c : text) {
    const bool inside = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        c == '.' || c == '-' || c == '_';
    if (inside) word += c;
    else end();
  }
  end();
  return words;
}

Error unknown_word(std::string_view word) {
  std::vector<std::string_view> choices;
  for (const audit::CodeText& code : audit::codes()) choices.insert(choices.end(), {code.id, code.slug});
  for (const evidence::Word& one : evidence::vocabulary())
    choices.insert(choices.end(), one.names.begin(), one.names.end());
  const auto near = nearest(word, choices);
  return {.message = fmt::format("nothing is known of '{}'{}", word,
                                 near ? fmt::format("; did you mean {}?", *near) : ""),
          .file = {},
          .line = 0,
          .column = 0,
          .hint =
              "it explains finding codes (ACM003, lost-member), SMTP statuses (4.4.316) and socket errors "
              "(10061)"};
}

int run(const Options& options, Streams& streams) {
  constexpr std::size_t most = 8;
  report::ExplainReport report;
  std::string joined;
  for (const std::string& word : options.words) joined += (joined.empty() ? "" : " ") + word;
  for (const std::string& word : words_in(joined)) {
    auto one = explained(word);
    if (!one || report.entries.size() == most) continue;
    if (std::ranges::find(report.entries, one->name, &Explanation::name) == report.entries.end())
      report.entries.push_back(std::move(*one));
  }
  if (report.entries.empty()) return not_judged(streams, unknown_word(joined));
  const Format formats[] = {{"text", [&] { return report::terminal::explain(report); }},
                            {"json", [&] { return report::json::explain(report); }}};
  return emit(streams, options.output, formats, exit_answered);
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("what", options->words,
                 "a finding code or its slug, an SMTP status, a socket error, or a line with them")
      ->required()
      ->type_name("WHAT");
  declare(app, options->output, "text or json");
  return [options](Streams& streams) { return run(*options, streams); };
}

}  // namespace

extern const Command explain_command;
const Command explain_command{
    .name = "explain",
    .group = "Outage",
    .summary = "what a finding code, an SMTP status or a socket error means",
    .examples =
        "What does this word mean, and what do I do?\n\n"
        "  aclmend explain ACM003            a finding, by its code or slug (lost-member)\n"
        "  aclmend explain 4.4.316           an SMTP status as a message trace shows it\n"
        "  aclmend explain 10061             a socket error\n",
    .define = define,
};

}  // namespace aclmend::cli
