#include "cli/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "model/trace.h"

namespace aclmend::cli {
namespace {

constexpr std::string_view device_group = "The firewall";
constexpr std::string_view way_group = "The way";
constexpr std::string_view output_group = "Output";

std::string listed(std::span<const std::string_view> words) {
  constexpr std::size_t most = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(words.size(), most); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == words.size() ? " and " : ", ", words[i]);
  return words.size() > most ? text + fmt::format(" and {} more", words.size() - most) : text;
}

// Conditions of this export that somebody may settle: those that the question opens have options of their
// own.
std::vector<std::string> conditions_of(const model::Policy& policy) {
  std::vector<std::string> names;
  for (const model::Condition& condition : policy.conditions)
    if (!condition.name.empty()) names.push_back(model::to_string(condition));
  return names;
}

Result<model::ConditionId> condition_named(const model::Policy& policy, std::string_view name) {
  for (std::size_t i = 0; i < policy.conditions.size(); ++i)
    if (!policy.conditions[i].name.empty() && model::to_string(policy.conditions[i]) == name)
      return static_cast<model::ConditionId>(i);
  const std::vector<std::string> names = conditions_of(policy);
  if (names.empty()) return fail(fmt::format("no condition '{}': nothing in this export hangs on one", name));
  const std::vector<std::string_view> choices(names.begin(), names.end());
  return fail(no_such("condition", name, choices));
}

std::optional<Error> add_known(Way& way, const model::Policy& policy, model::Dimension dimension,
                               std::string_view option, const std::string& name) {
  if (name.empty()) return std::nullopt;
  const std::vector<std::string> cases = model::cases_of(policy, dimension);
  const std::vector<std::string_view> choices(cases.begin(), cases.end());
  if (!choices.empty() && std::ranges::find(choices, name) == choices.end() &&
      !model::takes_any_name(policy, dimension))
    return no_such(option, name, choices);
  way.context.known[dimension] = name;
  return std::nullopt;
}

std::optional<Error> add_assumption(Way& way, const model::Policy& policy, std::string_view text) {
  const std::size_t equals = text.rfind('=');
  const std::string_view state = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  if (state != "on" && state != "off")
    return Error{.message = fmt::format("expected --assume 'CONDITION=on' or '=off', found '{}'", text),
                 .file = {}};
  const auto condition = condition_named(policy, text.substr(0, equals));
  if (!condition) return condition.error();
  way.context.assumed[*condition] = state == "on";
  way.assumed.emplace_back(text);
  return std::nullopt;
}

struct Report {
  const Format* format = nullptr;
  std::string file;
};

Result<const Format*> format_named(std::span<const Format> formats, std::string_view name) {
  const auto found = std::ranges::find(formats, name, &Format::name);
  if (found != formats.end()) return &*found;
  std::vector<std::string_view> names;
  for (const Format& format : formats) names.push_back(format.name);
  return fail(no_such("format", name, names));
}

Result<std::vector<Report>> reports_of(const OutputOptions& options, std::span<const Format> formats) {
  std::vector<Report> reports;
  TRY(main_format, format_named(formats, options.format));
  reports.push_back({main_format, options.file});
  for (const std::string& text : options.reports) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals + 1 == text.size())
      return fail(fmt::format("expected --report FORMAT=FILE, found '{}'", text));
    TRY(format, format_named(formats, std::string_view(text).substr(0, equals)));
    reports.push_back({format, text.substr(equals + 1)});
  }
  return reports;
}

}  // namespace

Error no_such(std::string_view kind, std::string_view name, std::span<const std::string_view> choices) {
  const auto near = nearest(name, choices);
  return {.message = fmt::format("no {} '{}'; there {} {}{}", kind, name, choices.size() == 1 ? "is" : "are",
                                 listed(choices), near ? fmt::format(" (did you mean {}?)", *near) : ""),
          .file = {}};
}

void declare(CLI::App& app, DeviceOptions& options, Files files) {
  const std::string group(device_group);
  const bool is_one = files == Files::of_one_device, is_any = files == Files::of_any_kind;
  app.add_option(
         is_one   ? "config"
         : is_any ? "file"
                  : "path",
         options.files,
         is_one ? "the exported configuration; several files where they are one device"
         : is_any
             ? "logs, error texts, configurations, an inventory: each is recognised by its content; '-' is "
               "standard input"
             : "exported configurations, each a device; none: those of aclmend.yaml")
      ->required(is_one)
      ->type_name(is_one   ? "CONFIG"
                  : is_any ? "FILE"
                           : "PATH")
      ->group(group);
  app.add_option("--vendor", options.vendor, "whose export it is, where its content does not say")
      ->type_name("ID")
      ->group(group);
  app.add_option("--context", options.context, "which firewall, where the export holds several")
      ->type_name("NAME")
      ->group(group);
  app.add_option(
         "--set-file", options.sets,
         "the content of a list that the export only names: a saved ipset, or NAME=FILE with a prefix a "
         "line (repeatable)")
      ->type_name("[NAME=]FILE")
      ->allow_extra_args(false)
      ->group(group);
  app.add_option("--local", options.local, "an address of the device itself (repeatable)")
      ->type_name("ADDRESS")
      ->allow_extra_args(false)
      ->group(group);
}

void declare_apply(CLI::App& app, DeviceOptions& options) {
  app.add_option("--apply", options.scripts,
                 "commands typed into the device before the question (repeatable; one device)")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(std::string(device_group));
}

Result<intake::Request> request_of(const DeviceOptions& options) {
  intake::Request request{options.files, options.vendor, {}, options.scripts};
  request.options.scope = options.context;
  for (const std::string& text : options.local) {
    const auto prefix = parse_prefix(text);
    if (!prefix) return fail(fmt::format("expected an address after --local, found '{}'", text));
    request.options.local |= AddressSet(*prefix);
  }
  for (const std::string& text : options.sets) {
    const std::size_t equals = text.find('=');
    const bool is_named = equals != std::string::npos && text.find('/') > equals;
    request.sets.push_back(is_named ? intake::NamedFile{text.substr(0, equals), text.substr(equals + 1)}
                                    : intake::NamedFile{"", text});
  }
  return request;
}

void declare(CLI::App& app, WayOptions& options) {
  const std::string group(way_group);
  app.add_option("--ingress", options.ingress, "interface or zone where the packet enters")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--egress", options.egress, "interface or zone where it leaves")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--direction", options.direction, "as the device sees it: in, out or forward")
      ->check(CLI::IsMember({"in", "out", "forward"}))
      ->type_name("WORD")
      ->group(group);
  app.add_option("--application", options.application, "what the connection carries, such as smtp")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--assume", options.assume,
                 "settles a condition, such as 'time-range OFFICE=on' (repeatable)")
      ->type_name("CONDITION=on|off")
      ->allow_extra_args(false)
      ->group(group);
}

Result<Way> way_of(const WayOptions& options, const model::Policy& policy) {
  using enum model::Dimension;
  Way way;
  if (auto error = add_known(way, policy, ingress, "ingress", options.ingress))
    return fail(std::move(*error));
  if (auto error = add_known(way, policy, egress, "egress", options.egress)) return fail(std::move(*error));
  if (auto error = add_known(way, policy, direction, "direction", options.direction))
    return fail(std::move(*error));
  if (!options.application.empty()) way.context.known[application] = options.application;
  for (const std::string& text : options.assume)
    if (auto error = add_assumption(way, policy, text)) return fail(std::move(*error));
  return way;
}

void declare(CLI::App& app, FlowOptions& options) {
  app.add_option("--to,--mail-host", options.to, "address of the mail host (repeatable)")
      ->type_name("ADDRESS")
      ->allow_extra_args(false);
  app.add_option("--flow", options.flows, "required flow to ask for (repeatable)")
      ->type_name("ID")
      ->allow_extra_args(false);
  app.add_option("--instance", options.instance, "Microsoft 365 instance, such as Worldwide")
      ->type_name("NAME");
  app.add_option("--endpoints", options.endpoints,
                 "endpoint list: a version, a file in Microsoft's format, store, service or embedded")
      ->type_name("FILE|VERSION");
  declare(app, options.store);
  app.add_option("--inventory", options.inventory, "aclmend.yaml to use")->type_name("FILE");
  app.add_flag("--strict", options.strict, "refuse what would have to be inferred");
}

void declare_rules(CLI::App& app, std::vector<std::string>& folders) {
  app.add_option("--rules", folders, "a folder of further flows (repeatable)")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

void declare(CLI::App& app, OutputOptions& options, std::string_view formats) {
  const std::string group(output_group);
  app.add_option("--format", options.format, fmt::format("{} (default text)", formats))
      ->type_name("NAME")
      ->group(group);
  app.add_option("-o,--output", options.file, "write the answer to a file")->type_name("FILE")->group(group);
  app.add_option("--report", options.reports, "write it in a further format beside (repeatable)")
      ->type_name("FORMAT=FILE")
      ->allow_extra_args(false)
      ->group(group);
  app.add_flag("--exit-zero", options.exit_zero, "exit 0 where findings would make it 1")->group(group);
}

int exit_status(const OutputOptions& options, int status) {
  return status == exit_findings && options.exit_zero ? exit_answered : status;
}

int emit(Streams& streams, const OutputOptions& options, std::span<const Format> formats, int status) {
  const auto reports = reports_of(options, formats);
  if (!reports) return not_judged(streams, reports.error());
  status = exit_status(options, status);
  for (const Report& report : *reports) {
    const std::string text = report.format->render();
    if (report.file.empty() || report.file == "-") {
      streams.out << text;
    } else if (const auto written = write_file(report.file, text); !written) {
      status = not_judged(streams, written.error());
    }
  }
  return status;
}

Result<std::optional<Severity>> fail_on(std::string_view word) {
  if (word == "error") return Severity::error;
  if (word == "warning") return Severity::warning;
  if (word == "note") return Severity::note;
  if (word == "never") return std::nullopt;
  constexpr std::string_view words[] = {"error", "warning", "note", "never"};
  return fail(no_such("severity", word, words));
}

}  // namespace aclmend::cli
