#include "cli/endpoint_lists.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "audit/question.h"
#include "inventory/flows.h"

namespace aclmend::cli {
Result<RowQuestion> question_of(const ListOptions& options, Rows unsaid) {
  if (options.all && !options.flow.empty()) return fail("--all and --flow exclude each other");
  if (options.all || (unsaid == Rows::all && options.flow.empty()))
    return RowQuestion{.selection = {}, .literal = {}, .flow = {}, .words = "every row"};
  const auto flows = inventory::load_flows(options.rules);
  if (!flows) return fail(flows.error().front());
  const std::string id = options.flow.empty() ? std::string(inventory::default_flow) : options.flow;
  TRY(asked, inventory::flows_asked(*flows, std::span(&id, 1)));
  const inventory::Flow& flow = **std::ranges::find_if(asked, [&](const auto* one) { return one->id == id; });
  const auto selection = audit::selection_of(flow);
  if (!selection) {
    const inventory::End& end =
        flow.source.kind == inventory::End::Kind::literal ? flow.source : flow.destination;
    return RowQuestion{.selection = {},
                       .literal = end.addresses,
                       .flow = id,
                       .words = "the ranges that the flow itself names"};
  }
  return RowQuestion{.selection = selection, .literal = {}, .flow = id, .words = to_string(*selection)};
}

Result<std::optional<endpoints::Instance>> instance_of(const std::string& word) {
  if (word.empty()) return std::optional<endpoints::Instance>();
  TRY(instance, endpoints::instance_named(word));
  return std::optional(instance);
}

Result<endpoints::Release> release_named(const std::string& word, const ListOptions& options) {
  TRY(instance, instance_of(options.instance));
  return release_at_hand({.which = word, .instance = instance, .store = options.store});
}

Result<endpoints::Release> release_of(const ListOptions& options) {
  return release_named(options.endpoints, options);
}

// A list is taken whole or refused, so each line of a file counts.
void add_input(report::Frame& frame, const endpoints::Release& release, const ListOptions& options) {
  if (release.origin != endpoints::Origin::file) return;
  LineCounts lines;
  lines.total = lines.decides = release.lines;
  frame.inputs.push_back({.file = release.file, .sha256 = release.sha256, .vendor = {}, .lines = lines});
  if (options.instance.empty())
    frame.inferred.push_back(
        fmt::format("{} is taken for a list of {} (--instance)", release.file, to_string(release.instance)));
}

void declare(CLI::App& app, ListOptions& options) {
  app.add_option("--flow", options.flow, "choose the rows of this required flow")->type_name("ID");
  app.add_flag("--all", options.all, "every row");
  app.add_option("--instance", options.instance, "Worldwide, USGovGCCHigh, USGovDoD, China or Germany")
      ->type_name("NAME");
  declare_rules(app, options.rules);
  declare_store(app, options.store.store);
  app.add_flag("--offline", options.store.offline, "never use the network");
}

void declare_endpoints(CLI::App& app, ListOptions& options) {
  app.add_option("--endpoints", options.endpoints,
                 "a list: a version, a file in Microsoft's format, store, service or embedded")
      ->type_name("FILE|VERSION");
}

}  // namespace aclmend::cli
