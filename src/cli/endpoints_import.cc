// aclmend endpoints import: saved answers of the service into the store, one by one or a folder of them.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>

#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/endpoint_lists.h"
#include "endpoints/import.h"
#include "report/store.h"

namespace aclmend::cli {
namespace {

using endpoints::Changes;
using endpoints::Imported;
using endpoints::Instance;
using endpoints::Release;

struct Options {
  std::vector<std::string> paths;
  std::string instance, version, store;
  OutputOptions output;
};

struct Read {
  SourcePtr source;
  Imported imported;
};

// The *.json below a folder, in the order of their paths; anything else is a file.
Result<std::vector<std::string>> files_of(const std::vector<std::string>& paths) {
  constexpr std::size_t most = 10'000;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    for (std::filesystem::recursive_directory_iterator at(path, error), end; !error && at != end;
         at.increment(error))
      if (at->is_regular_file(error) && at->path().extension() == ".json")
        found.push_back(at->path().string());
    if (error)
      return fail(Error{.message = fmt::format("cannot be read: {}", error.message()), .file = path});
    if (found.empty()) return fail(Error{.message = "the folder holds no *.json", .file = path});
    std::ranges::sort(found);
    files.insert(files.end(), found.begin(), found.end());
    if (files.size() > most) return fail(fmt::format("more than {} files at once", most));
  }
  return files;
}

std::string_view outcome_word(store::Put put) {
  switch (put) {
    case store::Put::added: return "added";
    case store::Put::there_already: return "there-already";
    case store::Put::beside: return "beside";
  }
  return "";
}

store::Held held_of(const Release& release, const Source& source, Time now) {
  store::Held held;
  held.instance = endpoints::to_string(release.instance);
  held.version = release.version;
  held.as_of = release.as_of;
  held.origin = "file";
  held.source = source.name();
  held.first_seen = iso_time(now);
  held.completeness = endpoints::to_string(release.completeness);
  held.body = source.text();
  return held;
}

class Import {
 public:
  Import(store::Store& store, Time now) : store_(store), now_(now) {}

  // All lists in one transaction; then the changes, which may lead from one of them to the next.
  Result<bool> take(std::vector<Read>& all) {
    std::vector<store::Held> releases;
    for (const Read& one : all)
      if (const auto* release = std::get_if<Release>(&one.imported.is))
        releases.push_back(held_of(*release, *one.source, now_));
    TRY(puts, store_.put_releases(releases));
    std::size_t next = 0;
    for (const Read& one : all)
      if (const auto* release = std::get_if<Release>(&one.imported.is))
        report.lists.push_back({.file = one.source->name(),
                                .instance = release->instance,
                                .kind = "list",
                                .version = release->version.empty() ? release->as_of : release->version,
                                .outcome = std::string(outcome_word(puts[next++])),
                                .how = fmt::format("instance from {}, version from {}",
                                                   one.imported.instance_from, one.imported.version_from),
                                .remarks = release->remarks});
    for (const Read& one : all)
      if (const auto* changes = std::get_if<Changes>(&one.imported.is)) {
        TRY(is_taken, take(*changes, one));
        (void)is_taken;
      }
    return true;
  }

  report::EndpointsImport report;
  bool is_doubtful = false;  // changes did not lead where they should

 private:
  Result<bool> take(const Changes& changes, const Read& read) {
    TRY(held, everything_held(changes.instance));
    const auto made = endpoints::replay(held, changes);
    store::HeldChanges kept;
    kept.instance = endpoints::to_string(changes.instance);
    kept.from = changes.from;
    kept.to = changes.to;
    if (made && !made->empty() && kept.from.empty()) kept.from = made->front().before;
    if (kept.to.empty() && !changes.records.empty()) kept.to = changes.records.back().version;
    kept.origin = "file";
    kept.source = read.source->name();
    kept.first_seen = iso_time(now_);
    kept.body = read.source->text();
    report::ImportedList line{.file = read.source->name(),
                              .instance = changes.instance,
                              .kind = "changes",
                              .version = kept.to,
                              .outcome = {},
                              .how = fmt::format("instance from {}", read.imported.instance_from),
                              .remarks = changes.remarks};
    if (kept.from.empty() || kept.to.empty()) {
      line.outcome = "there-already";
      line.remarks.emplace_back("it tells of no change, so there is nothing to keep");
      report.lists.push_back(std::move(line));
      return true;
    }
    TRY(put, store_.put_changes(kept));
    line.outcome = outcome_word(put);
    if (!made) line.remarks.push_back(to_string(made.error()));
    report.lists.push_back(std::move(line));
    if (!made) return true;
    for (const endpoints::Made& one : *made) {
      TRY(is_taken, take(one, read));
      (void)is_taken;
    }
    return true;
  }

  // A list that the changes make is kept, unless one is held or some record did not fit.
  Result<bool> take(const endpoints::Made& made, const Read& read) {
    report::ImportedList line{.file = read.source->name(),
                              .instance = made.release.instance,
                              .kind = "made",
                              .version = made.release.version,
                              .outcome = "there-already",
                              .how = {},
                              .remarks = {}};
    for (const endpoints::NotApplied& one : made.not_applied)
      line.remarks.push_back(fmt::format("{}: {}", title(one.record), one.reason));
    for (const endpoints::RowDifference& one : made.differences)
      line.remarks.push_back(fmt::format("differs from the list held: row {}: {}", one.row, one.what));
    is_doubtful = is_doubtful || !line.remarks.empty();
    if (!made.is_held && made.not_applied.empty()) {
      const std::string body = endpoints::encode(made.release);
      store::Held held = held_of(made.release, Source(read.source->name(), body), now_);
      held.origin = "changes";
      TRY(put, store_.put_release(held));
      line.outcome = outcome_word(put);
    } else if (!made.is_held) {
      line.outcome = "refused";
    }
    report.lists.push_back(std::move(line));
    return true;
  }

  Result<std::vector<Release>> everything_held(Instance instance) const {
    TRY(list, store_.releases(endpoints::to_string(instance)));
    std::vector<Release> releases;
    for (const store::Held& one : list) {
      if (one.version.empty()) continue;
      TRY(held, store_.release(one.instance, one.version));
      TRY(release, release_of(store_, *held));
      releases.push_back(std::move(release));
    }
    return releases;
  }

  store::Store& store_;
  Time now_;
};

void add_input(report::Frame& frame, const Source& source) {
  const std::uint32_t lines = source.line_count();
  frame.inputs.push_back({.file = source.name(),
                          .sha256 = source.sha256(),
                          .vendor = {},
                          .lines = {.total = lines, .decides = lines}});
}

int run_import(const Options& options, Streams& streams) {
  const auto instance = instance_of(options.instance);
  if (!instance) return not_judged(streams, instance.error());
  if (!options.version.empty() && !endpoints::is_version(options.version))
    return not_judged(
        streams, {.message = fmt::format("expected ten digits such as 2025120100 after --version, found '{}'",
                                         options.version),
                  .file = {}});
  const auto files = files_of(options.paths);
  if (!files) return not_judged(streams, files.error());
  if (!options.version.empty() && files->size() > 1)
    return not_judged(streams, {.message = "--version goes with one file", .file = {}});
  auto store = open_store(options.store, store::Mode::read_write);
  if (!store) return not_judged(streams, store.error());

  Import import(*store, now());
  report::Frame& frame = import.report.frame;
  std::vector<Read> all;
  const auto refuse = [&](const Error& error) {  // the others are taken all the same
    frame.diagnostics.push_back(
        {Severity::error, error.file, error.line, error.column, error.message, Effect::whole_file});
    not_judged(streams, error);
    frame.exit = exit_not_judged;
  };
  for (const std::string& file : *files) {
    const auto source = read_file(file);
    if (!source) {
      refuse(source.error());
      continue;
    }
    auto imported = endpoints::recognise(**source, {*instance, options.version});
    if (!imported) {
      refuse(imported.error());
      continue;
    }
    add_input(frame, **source);
    all.push_back({*source, std::move(*imported)});
  }
  if (const auto done = import.take(all); !done) return not_judged(streams, done.error());
  if (import.is_doubtful && frame.exit == exit_answered) frame.exit = exit_findings;
  frame.exit = exit_status(options.output, frame.exit);
  const Format formats[] = {{"text", [&] { return report::terminal::endpoints_import(import.report); }},
                            {"json", [&] { return report::json::endpoints_import(import.report); }}};
  return emit(streams, options.output, formats, frame.exit);
}

}  // namespace

void add_import(CLI::App& endpoints, const Chosen& chosen) {
  const auto options = std::make_shared<Options>();
  CLI::App* app = endpoints.add_subcommand("import", "saved answers into the store: lists and changes");
  app->add_option("path", options->paths, "files, or folders of *.json")->required()->type_name("FILE|DIR");
  app->add_option("--instance", options->instance, "whose lists they are, where they do not say")
      ->type_name("NAME");
  app->add_option("--version", options->version, "of the one list, where its name does not say: ten digits")
      ->type_name("VERSION");
  declare_store(*app, options->store);
  declare(*app, options->output, "text or json");
  app->callback([=] { *chosen = [options](Streams& streams) { return run_import(*options, streams); }; });
}

}  // namespace aclmend::cli
