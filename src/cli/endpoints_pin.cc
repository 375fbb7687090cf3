// aclmend endpoints pin: the release that an inventory rests on, moved in a change of its own.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/endpoint_lists.h"
#include "inventory/pin.h"
#include "inventory/read.h"
#include "report/endpoints.h"

namespace aclmend::cli {
namespace {

struct Options {
  std::string version, inventory, store;
  bool latest = false;
  bool dry_run = false;
};

struct Pinned {
  std::string path, text, before, after;
  report::EndpointsDiff change;  // of the SMTP rows; its releases are those before and after
};

// The name of a release as an inventory pins it.
std::string pin_of(const endpoints::Release& release) {
  return release.version.empty() ? release.as_of : release.version;
}

Result<Pinned> pinned(const Options& options) {
  if (options.latest == !options.version.empty())
    return fail("expected a version such as 2025120100, or --latest");
  const auto path =
      options.inventory.empty() ? inventory::find_inventory(".") : std::optional(options.inventory);
  if (!path) return fail("no aclmend.yaml was found from here upwards: --inventory FILE");
  TRY(source, read_file(*path));
  const auto inventory = inventory::read_inventory(*source);
  if (!inventory) return fail(inventory.error().front());
  const inventory::Endpoints& said = inventory->endpoints;
  TRY(instance, endpoints::instance_named(said.instance));
  StoreOptions store;
  store.store = options.store;
  const auto opened = [&](const std::string& which) {
    return release_at_hand({.which = which, .instance = instance, .store = store});
  };
  TRY(after, opened(options.version));  // nothing known of the version: refused here
  TRY(before, opened(said.pin.empty() ? "embedded" : said.pin));
  Pinned pinned;
  pinned.path = *path;
  pinned.after = pin_of(after);
  pinned.before = said.pin.empty() ? "not pinned" : said.pin;
  if (after.origin == endpoints::Origin::file || pinned.after.empty())
    return fail(
        fmt::format("'{}' is no version that an inventory can pin: import the file first "
                    "(aclmend endpoints import)",
                    options.version));
  TRY(difference, diff(before, after, endpoints::smtp_selection()));
  pinned.change.before = std::move(before);
  pinned.change.after = std::move(after);
  pinned.change.asked = to_string(endpoints::smtp_selection());
  pinned.change.flow = inventory::default_flow;
  pinned.change.difference = std::move(difference);
  auto text = inventory::repinned(*source, pinned.after);
  if (!text) return fail(text.error().front());
  pinned.text = std::move(*text);
  return pinned;
}

int run_pin(const Options& options, Streams& streams) {
  const auto done = pinned(options);
  if (!done) return not_judged(streams, done.error());
  if (!options.dry_run)
    if (const auto written = write_file(done->path, done->text, Permissions::as_they_were); !written)
      return not_judged(streams, written.error());
  streams.out << printable(fmt::format("{}: pin {} -> {}{}", done->path, done->before, done->after,
                                       options.dry_run ? " (not written: --dry-run)" : ""))
              << "\n"
              << report::terminal::endpoints_diff(done->change);
  return exit_answered;
}

}  // namespace

void add_pin(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("pin", "move the inventory's pin to another release");
  app->add_option("version", options->version, "a release that is held or built in")->type_name("VERSION");
  app->add_flag("--latest", options->latest, "the newest at hand");
  app->add_option("--inventory", options->inventory, "aclmend.yaml to change")->type_name("FILE");
  app->add_flag("--dry-run", options->dry_run, "say what would change, write nothing");
  declare_store(*app, options->store);
  app->callback([=] { *chosen = [options](Streams& streams) { return run_pin(*options, streams); }; });
}

}  // namespace aclmend::cli
