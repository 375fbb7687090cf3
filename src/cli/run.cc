#include "cli/run.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <exception>
#include <filesystem>
#include <vector>

#include "base/text.h"
#include "cli/command.h"

namespace aclmend::cli {
namespace {

constexpr std::string_view version_line = "aclmend " ACLMEND_VERSION "\n";

std::string overview() {
  std::string text =
      "aclmend: finds the firewall line that stops required traffic.\n\n"
      "usage: aclmend COMMAND [OPTIONS]      aclmend COMMAND --help      aclmend --version\n"
      "       aclmend FILE                   the same as aclmend audit FILE\n";
  std::string_view group;
  for (const Command* command : commands()) {
    if (command->group != group) text += fmt::format("\n{}\n", group = command->group);
    text += fmt::format("  {:<11} {}\n", command->name, command->summary);
  }
  return text;
}

const Command* command_named(std::string_view name) {
  const auto found = std::ranges::find(commands(), name, &Command::name);
  return found == commands().end() ? nullptr : *found;
}

// `aclmend FILE` is `aclmend audit FILE`: a first word that is no command but names a file or holds a dot or
// slash.
bool looks_like_a_file(const std::string& word) {
  std::error_code ignored;
  return word == "-" || word.find_first_of("./") != std::string::npos ||
         std::filesystem::exists(word, ignored);
}

int unknown_command(Streams& streams, const std::string& word) {
  std::vector<std::string_view> names;
  for (const Command* command : commands()) names.push_back(command->name);
  streams.err << fmt::format("aclmend: there is no command '{}'", printable(word));
  if (const auto near = nearest(word, names)) streams.err << fmt::format("; did you mean '{}'?", *near);
  streams.err << "\n";
  return exit_not_judged;
}

// "show, covers or diff" where one of them is wanted; of a mistyped word, the nearest.
std::string with_choices(const CLI::App& app, std::string message, std::span<const std::string> args) {
  std::vector<std::string> names;
  for (const CLI::App* choice : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(choice->get_name());
  if (names.empty()) return message;
  message = "expected ";
  for (std::size_t i = 0; i < names.size(); ++i)
    message += fmt::format("{}{}", i == 0 ? "" : i + 1 == names.size() ? " or " : ", ", names[i]);
  if (args.empty() || args.front().starts_with('-')) return message;
  const std::vector<std::string_view> choices(names.begin(), names.end());
  message += fmt::format(", found '{}'", args.front());
  if (const auto near = nearest(args.front(), choices)) message += fmt::format("; did you mean '{}'?", *near);
  return message;
}

// CLI11 reports an unknown option without the nearest known one: add it.
std::string with_suggestion(const CLI::App& app, const CLI::ParseError& error,
                            std::span<const std::string> args) {
  std::string message = error.what();
  const CLI::App* inner = &app;
  while (!inner->get_subcommands().empty()) inner = inner->get_subcommands().front();
  if (inner == &app) message = with_choices(app, std::move(message), args);
  std::vector<std::string> known;
  for (const CLI::Option* option : inner->get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  const std::vector<std::string_view> choices(known.begin(), known.end());
  for (const std::string& arg : args) {
    const std::string word = arg.substr(0, arg.find('='));
    if (!word.starts_with("--") || std::ranges::find(known, word) != known.end()) continue;
    if (const auto near = nearest(word, choices)) message += fmt::format(" (did you mean {}?)", *near);
  }
  return message;
}

int run_command(const Command& command, std::span<const std::string> args, Streams& streams) {
  CLI::App app(std::string(command.summary), fmt::format("aclmend {}", command.name));
  app.get_formatter()->column_width(34);
  const auto action = command.define(app);
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // CLI11 takes a vector from its back
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    streams.out << command.examples << "\n" << app.help();
    return exit_answered;
  } catch (const CLI::ParseError& error) {
    streams.err << fmt::format("aclmend {}: {}\n", command.name,
                               printable(with_suggestion(app, error, args)));
    return exit_not_judged;
  }
  return action(streams);
}

int dispatch(std::span<const std::string> args, Streams& streams) {
  if (args.empty()) {
    streams.err << overview();
    return exit_not_judged;
  }
  const std::string& word = args.front();
  if (word == "--version") {
    streams.out << version_line;
    return exit_answered;
  }
  if (word == "--help" || word == "-h" || word == "help") {
    streams.out << overview();
    return exit_answered;
  }
  if (const Command* command = command_named(word)) return run_command(*command, args.subspan(1), streams);
  const Command* audit = command_named("audit");
  if (audit != nullptr && looks_like_a_file(word)) return run_command(*audit, args, streams);
  return unknown_command(streams, word);
}

}  // namespace

int not_judged(Streams& streams, const Error& error) {
  streams.err << fmt::format("aclmend: {}\n", printable(to_string(error)));
  if (!error.hint.empty())
    for (const std::string_view line : split(error.hint, '\n'))
      streams.err << fmt::format("  {}\n", printable(line));
  return exit_not_judged;
}

int run(std::span<const std::string> args, Streams& streams) {
  try {
    const int status = dispatch(args, streams);
    streams.out.flush();
    if (!streams.out) {
      streams.err << "aclmend: the output could not be written\n";
      return exit_not_judged;
    }
    return status;
  } catch (const std::bad_alloc&) {
    streams.err << "aclmend: out of memory\n";
  } catch (
      const std::exception& error) {  // a library's exception that its folder should have caught: our bug
    streams.err << fmt::format("aclmend: internal error: {}\n", printable(error.what()));
  }
  return exit_not_judged;
}

}  // namespace aclmend::cli
