#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/text.h"
#include "intake/result.h"

namespace aclmend::intake {
namespace {

using Vendors = std::span<const Vendor* const>;

Error about(const Source& source, std::string message, std::string hint = {}) {
  return {
      .message = std::move(message), .file = source.name(), .line = 0, .column = 0, .hint = std::move(hint)};
}

std::string joined(std::span<const std::string_view> words, std::string_view last_separator) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? last_separator : ", ";
    text += words[i];
  }
  return text;
}

std::string vendor_ids(Vendors vendors) {
  std::vector<std::string_view> ids;
  for (const Vendor* vendor : vendors) ids.push_back(vendor->id);
  return joined(ids, " or ");
}

std::string how_to_export(Vendors vendors) {
  std::string text = "export it so:";
  for (const Vendor* vendor : vendors) text += fmt::format("\n{}: {}", vendor->title, vendor->how_to_export);
  return text + fmt::format("\nor name the vendor: --vendor {}", vendor_ids(vendors));
}

// What people send in place of an export, by its first bytes.
struct Telltale {
  std::string_view start;
  std::string_view what;
};
constexpr Telltale telltales[] = {
    {"PK\x03\x04", "a ZIP archive or an Office document; unpack it, or save it as plain text"},
    {"\xD0\xCF\x11\xE0", "an old Office document; save it as plain text"},
    {"%PDF", "a PDF; export the configuration as text"},
    {"{\\rtf", "a rich-text document; save it as plain text"},
    {"\x89PNG", "a picture; export the configuration as text"},
    {"\xFF\xD8\xFF", "a picture; export the configuration as text"},
    {"\x7F"
     "ELF",
     "a program"},
    {"ElfFile", "a Windows event log, not a configuration"},
    {"BZh", "a bzip2 archive; unpack it (gzip and zstd are read as they are)"},
    {"\xFD"
     "7zXZ",
     "an xz archive; unpack it (gzip and zstd are read as they are)"},
    {"7z\xBC\xAF", "a 7-Zip archive; unpack it"},
    {"#config-version=FG", "a FortiGate configuration, which is not read yet"},
    {"-----BEGIN ", "a certificate or key, not a configuration"},
};

std::string what_it_is(std::string_view text, Vendors vendors) {
  const auto known =
      std::ranges::find_if(telltales, [&](const Telltale& one) { return text.starts_with(one.start); });
  if (known != std::end(telltales)) return fmt::format("this is {}", known->what);
  if (text.find('\0') != std::string_view::npos) return "holds binary data, not the text of a configuration";
  std::vector<std::string_view> titles;
  for (const Vendor* vendor : vendors) titles.push_back(vendor->title);
  return fmt::format("not recognised as an export of {}", joined(titles, " or "));
}

struct Recognised {
  const Vendor* vendor = nullptr;
  std::string form;
};

Result<Recognised> recognised(const Source& source, Vendors vendors) {
  int best = 0;
  std::string form;
  std::vector<const Vendor*> candidates;
  for (const Vendor* vendor : vendors) {
    Recognition one = vendor->recognise(source);
    if (one.confidence <= 0 || one.confidence < best) continue;
    if (one.confidence > best) candidates.clear();
    best = one.confidence;
    form = std::move(one.form);
    candidates.push_back(vendor);
  }
  if (candidates.size() == 1) return Recognised{candidates.front(), std::move(form)};
  if (candidates.empty())
    return fail(about(source, what_it_is(source.text(), vendors), how_to_export(vendors)));
  std::vector<std::string_view> titles;
  for (const Vendor* vendor : candidates) titles.push_back(vendor->title);
  return fail(about(source, fmt::format("may be an export of {}", joined(titles, " or of ")),
                    fmt::format("say which: --vendor {}", vendor_ids(candidates))));
}

Result<Recognised> recognised(std::span<const SourcePtr> sources, Vendors vendors) {
  TRY(first, recognised(*sources.front(), vendors));
  for (const SourcePtr& source : sources.subspan(1)) {
    TRY(other, recognised(*source, vendors));
    if (other.vendor != first.vendor)
      return fail(
          about(*source, fmt::format("is an export of {}, but {} is one of {}: not the same device",
                                     other.vendor->title, sources.front()->name(), first.vendor->title)));
  }
  return first;
}

std::optional<Error> empty_file(std::span<const SourcePtr> sources, Vendors vendors) {
  constexpr std::string_view nothing("\0 \t\r\n", 5);
  for (const SourcePtr& source : sources)
    if (source->text().find_first_not_of(nothing) == std::string_view::npos)
      return about(*source, "is empty", how_to_export(vendors));
  return std::nullopt;
}

// A reader that gives up on a file as a whole says so in a diagnostic: there is no answer then.
std::optional<Error> given_up(const Reading& reading, std::span<const SourcePtr> sources) {
  for (const Diagnostic& one : reading.diagnostics.all()) {
    if (one.effect != Effect::whole_file) continue;
    const Source& source = *sources[one.span.source];
    const Position at = source.position(one.span.begin);
    return Error{.message = one.message, .file = source.name(), .line = at.line, .column = at.column};
  }
  if (reading.devices.empty()) return about(*sources.front(), "holds no firewall");
  return std::nullopt;
}

// A script that is plainly another vendor's: its own words say so, and none of this vendor's.
const Vendor* other_vendor_of(const Source& script, const Vendor& vendor) {
  constexpr int sure = 60;
  if (vendor.recognise(script).confidence > 0) return nullptr;
  const auto found = std::ranges::find_if(all_vendors(), [&](const Vendor* one) {
    return one != &vendor && one->recognise(script).confidence >= sure;
  });
  return found == all_vendors().end() ? nullptr : *found;
}

std::optional<Error> unfit_script(std::span<const SourcePtr> scripts, const Vendor& vendor) {
  if (!scripts.empty() && vendor.editing == nullptr)
    return Error{
        .message = fmt::format("commands cannot be applied to the configuration of a {}", vendor.title),
        .file = scripts.front()->name()};
  for (const SourcePtr& script : scripts)
    if (const Vendor* other = other_vendor_of(*script, vendor))
      return Error{.message = fmt::format("this is a {}'s, the device is a {}", other->title, vendor.title),
                   .file = script->name()};
  return std::nullopt;
}

}  // namespace

Result<const Vendor*> vendor_named(std::string_view id, Vendors vendors) {
  std::vector<std::string_view> ids;
  for (const Vendor* vendor : vendors) {
    if (vendor->id == id) return vendor;
    ids.push_back(vendor->id);
  }
  const auto near = nearest(id, ids);
  return fail(fmt::format("no vendor '{}'; there are {}{}", id, joined(ids, " and "),
                          near ? fmt::format(" (did you mean {}?)", *near) : ""));
}

Result<Intake> read_sources(std::vector<SourcePtr> sources, std::string_view vendor,
                            const ReadOptions& options, Vendors vendors) {
  Recognised known;
  if (sources.empty()) return fail("no file to read");
  if (!vendor.empty()) {
    TRY(named, vendor_named(vendor, vendors));
    known.vendor = named;
  }
  const auto expected = known.vendor != nullptr ? Vendors(&known.vendor, 1) : vendors;
  if (auto error = empty_file(sources, expected)) return fail(std::move(*error));
  if (known.vendor == nullptr) {
    TRY(found, recognised(sources, vendors));
    known = std::move(found);
  } else {
    known.form = known.vendor->recognise(*sources.front()).form;
  }
  if (!options.sets.empty() && !known.vendor->takes_sets)
    return fail(
        Error{.message = fmt::format("a {} asks for no lists in files of their own", known.vendor->title),
              .file = options.sets.front().source->name()});
  if (auto error = unfit_script(options.scripts, *known.vendor)) return fail(std::move(*error));
  auto reading = known.vendor->read(sources, options);
  if (!reading) {
    Error error = std::move(reading).error();
    if (error.file.empty()) error.file = sources.front()->name();
    if (error.hint.empty()) error.hint = how_to_export(Vendors(&known.vendor, 1));
    return fail(std::move(error));
  }
  for (const SetFile& set : options.sets) sources.push_back(set.source);
  sources.insert(sources.end(), options.scripts.begin(), options.scripts.end());
  if (auto error = given_up(*reading, sources)) return fail(std::move(*error));
  Intake intake{std::move(sources), known.vendor, std::move(known.form), std::move(*reading)};
  if (options.scripts.empty()) return intake;
  TRY(device, device_in(intake, options.scope));
  (void)device;
  intake.scripts = options.scripts.size();
  return intake;
}

Result<Intake> read_device(const Request& request) {
  std::vector<SourcePtr> sources;
  for (const std::string& path : request.files) {
    TRY(source, read_file(path));
    sources.push_back(std::move(source));
  }
  ReadOptions options = request.options;
  for (const NamedFile& set : request.sets) {
    TRY(source, read_file(set.path));
    options.sets.push_back({set.name, std::move(source)});
  }
  for (const std::string& path : request.scripts) {
    TRY(script, read_file(path));
    options.scripts.push_back(std::move(script));
  }
  return read_sources(std::move(sources), request.vendor, options);
}

bool has_script_errors(const Intake& intake) {
  return std::ranges::any_of(intake.reading.diagnostics.all(), [&](const Diagnostic& one) {
    return one.severity == Severity::error && one.span.source + intake.scripts >= intake.sources.size();
  });
}

Result<const Device*> device_in(const Intake& intake, std::string_view scope) {
  const std::vector<Device>& devices = intake.reading.devices;
  const std::string& file = intake.sources.front()->name();
  if (scope.empty() && devices.size() == 1) return &devices.front();
  std::vector<std::string_view> scopes;
  for (const Device& device : devices) {
    if (!scope.empty() && device.scope == scope) return &device;
    if (!device.scope.empty()) scopes.push_back(device.scope);
  }
  if (scope.empty())
    return fail({.message = fmt::format("holds {} firewalls: which one?", devices.size()),
                 .file = file,
                 .line = 0,
                 .column = 0,
                 .hint = fmt::format("--context {}", joined(scopes, " or "))});
  if (scopes.empty())
    return fail({.message = fmt::format("has no context '{}', it is one firewall", scope), .file = file});
  const auto near = nearest(scope, scopes);
  return fail({.message = fmt::format("has no context '{}'; there are {}{}", scope, joined(scopes, " and "),
                                      near ? fmt::format(" (did you mean {}?)", *near) : ""),
               .file = file});
}

}  // namespace aclmend::intake
