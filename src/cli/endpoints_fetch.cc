// aclmend endpoints fetch: asks Microsoft's web service, and keeps what is new.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/endpoint_lists.h"
#include "inventory/read.h"
#include "report/store.h"

namespace aclmend::cli {
namespace {

using endpoints::Instance;

struct Options {
  std::vector<std::string> instances;
  StoreOptions store;
  ServiceOptions service;
  OutputOptions output;
  bool accept_shrink = false;
  bool force = false;
};

// Named, all, or the inventory's where there is one; else Worldwide.
Result<std::vector<Instance>> instances_of(const std::vector<std::string>& words) {
  if (std::ranges::find(words, "all") != words.end()) {
    std::vector<Instance> all(endpoints::instances().begin(), endpoints::instances().end());
    std::erase(all, Instance::germany);  // the service stopped publishing it in 2020
    return all;
  }
  std::vector<Instance> named;
  for (const std::string& word : words) {
    TRY(instance, endpoints::instance_named(word));
    if (std::ranges::find(named, instance) == named.end()) named.push_back(instance);
  }
  if (!named.empty()) return named;
  const auto path = inventory::find_inventory(".");
  if (!path) return std::vector{Instance::worldwide};
  TRY(source, read_file(*path));
  const auto inventory = inventory::read_inventory(*source);
  if (!inventory) return fail(inventory.error().front());
  TRY(instance, endpoints::instance_named(inventory->endpoints.instance));
  named.push_back(instance);
  return named;
}

// A bar on a terminal while an answer comes; nothing elsewhere, where the report is line enough.
Progress progress_on(Streams& streams) {
  if (!streams.err_is_terminal) return {};
  return [&err = streams.err](std::uint64_t got, std::optional<std::uint64_t> total) {
    constexpr std::uint64_t width = 30;
    if (!total || *total == 0) {
      err << fmt::format("\r{:>9} bytes", with_thousands(got));
    } else {
      const std::uint64_t full = std::min(width, width * got / *total);
      err << fmt::format("\r[{:<{}}] {:>3} %", std::string(full, '#'), width,
                         std::min<std::uint64_t>(100, 100 * got / *total));
    }
    if (total && got >= *total) err << fmt::format("\r{:<{}}\r", "", width + 10);
    err.flush();
  };
}

report::FetchedInstance failed(Instance instance, const Error& error) {
  report::FetchedInstance one;
  one.instance = instance;
  one.outcome = report::FetchOutcome::failed;
  one.reasons = {to_string(error)};
  one.hint = error.hint;
  return one;
}

// What of the watched flow's rows changed; none where one of the lists does not tell.
std::optional<endpoints::Difference> difference_of(const Refreshed& done) {
  auto difference = diff(done.held, *done.fetch.release, endpoints::smtp_selection());
  return difference ? std::optional(std::move(*difference)) : std::nullopt;
}

report::FetchedInstance told(Instance instance, Refreshed done) {
  report::FetchedInstance one;
  one.instance = instance;
  one.version = done.held.version;
  one.remarks = std::move(done.remarks);
  switch (done.fetch.outcome) {
    case endpoints::Fetched::unchanged: break;
    case endpoints::Fetched::fresh:
      one.outcome = report::FetchOutcome::fresh;
      one.was = std::exchange(one.version, done.fetch.latest);
      one.difference = difference_of(done);
      break;
    case endpoints::Fetched::refused:
      one.outcome = report::FetchOutcome::refused;
      one.version = done.in_force.version;
      one.reasons = std::move(done.fetch.reasons);
      one.hint =
          "compare it with Microsoft's announcements; if the ranges have really left: "
          "aclmend endpoints fetch --accept-shrink";
      break;
  }
  return one;
}

report::FetchedInstance fetched(store::Store& store, const endpoints::Client& client, Instance instance,
                                const Options& options) {
  if (!options.force) {
    const auto just_now = asked_just_now(store, instance, now());
    if (!just_now) return failed(instance, just_now.error());
    if (*just_now) {
      report::FetchedInstance one;
      one.instance = instance;
      one.outcome = report::FetchOutcome::asked_just_now;
      const auto held = store.newest(endpoints::to_string(instance));
      if (held && *held) one.version = (*held)->version;
      one.asked = iso_time(**just_now);
      return one;
    }
  }
  auto done = refresh(
      store, client,
      {.instance = instance, .even_unchanged = options.force, .accept_shrink = options.accept_shrink}, now());
  return done ? told(instance, std::move(*done)) : failed(instance, done.error());
}

int run_fetch(const Options& options, Streams& streams) {
  if (options.store.offline)
    return not_judged(streams,
                      {.message = "fetch asks Microsoft's service, and --offline forbids the network",
                       .file = {},
                       .hint = "saved answers come in with: aclmend endpoints import FILE"});
  const auto instances = instances_of(options.instances);
  if (!instances) return not_judged(streams, instances.error());
  auto store = open_store(options.store.store, store::Mode::read_write);
  if (!store) return not_judged(streams, store.error());
  const auto client = client_of(options.service, *store, progress_on(streams));
  if (!client) return not_judged(streams, client.error());
  report::EndpointsFetch report;
  report.flow = inventory::default_flow;
  for (const Instance instance : *instances) {
    report.instances.push_back(fetched(*store, *client, instance, options));
    const report::FetchOutcome outcome = report.instances.back().outcome;
    if (outcome == report::FetchOutcome::failed || outcome == report::FetchOutcome::refused)
      report.frame.exit = exit_not_judged;
  }
  const Format formats[] = {{"text", [&] { return report::terminal::endpoints_fetch(report); }},
                            {"json", [&] { return report::json::endpoints_fetch(report); }}};
  return emit(streams, options.output, formats, report.frame.exit);
}

}  // namespace

void add_fetch(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app =
      endpoints.add_subcommand("fetch", "ask Microsoft's service, keep what is new; exit 2 where it failed");
  app->add_option("--instance", options->instances,
                  "Worldwide (default), USGovGCCHigh, USGovDoD, China, or all (repeatable)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  declare_store(*app, options->store.store);
  app->add_flag("--offline", options->store.offline, "never use the network");
  app->add_flag("--accept-shrink", options->accept_shrink,
                "take a list that lost a family, or more than 30 % of the addresses of a required flow");
  app->add_flag("--force", options->force,
                "ask though it was asked within the hour, and take the list though its version did not move");
  app->add_option("--base-url", options->service.base_url,
                  "a mirror of the service (https, or http on this machine)")
      ->type_name("URL");
  app->add_option("--ca-file", options->service.ca_file, "certificates to trust, PEM")->type_name("FILE");
  app->add_option("--proxy", options->service.proxy, "an HTTP proxy (default: HTTPS_PROXY and NO_PROXY)")
      ->type_name("URL");
  app->add_option("--tries", options->service.tries, "how often each question is asked (default 3)")
      ->type_name("N");
  app->add_option("--timeout", options->service.timeout,
                  "seconds until an answer has to be there (default 60)")
      ->check(CLI::Range(1, 3600))
      ->type_name("SECONDS");
  app->add_flag("--new-request-id", options->service.new_request_id,
                "take another id: the service limits by id");
  declare(*app, options->output, "text or json");
  app->callback([=] { *chosen = [options](Streams& streams) { return run_fetch(*options, streams); }; });
}

}  // namespace aclmend::cli
