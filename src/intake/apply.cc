#include <fmt/format.h>

#include <algorithm>

#include "base/file.h"
#include "intake/result.h"

namespace aclmend::intake {
namespace {

// A script that is plainly another vendor's: its own words say so, and none of this vendor's.
const Vendor* other_vendor_of(const Source& script, const Vendor& vendor) {
  constexpr int sure = 60;
  if (vendor.recognise(script).confidence > 0) return nullptr;
  const auto found = std::ranges::find_if(all_vendors(), [&](const Vendor* one) {
    return one != &vendor && one->recognise(script).confidence >= sure;
  });
  return found == all_vendors().end() ? nullptr : *found;
}

bool is_of_a_script(const Diagnostic& one, const Intake& intake) {
  return one.span.source + intake.scripts >= intake.sources.size();
}

}  // namespace

Result<Intake> apply(const Intake& intake, const Device& device, std::span<const std::string> paths) {
  std::vector<SourcePtr> scripts;
  for (const std::string& path : paths) {
    TRY(script, read_file(path));
    scripts.push_back(std::move(script));
  }
  return apply(intake, device, std::move(scripts));
}

Result<Intake> apply(const Intake& intake, const Device& device, std::vector<SourcePtr> scripts) {
  const Vendor& vendor = *intake.vendor;
  if (vendor.editing == nullptr)
    return fail(fmt::format("commands cannot be applied to the configuration of a {}", vendor.title));
  for (const SourcePtr& script : scripts)
    if (const Vendor* other = other_vendor_of(*script, vendor))
      return fail({.message = fmt::format("this is a {}'s, the device is a {}", other->title, vendor.title),
                   .file = script->name()});
  TRY(after, vendor.editing->apply(device, scripts));
  Intake result{intake.sources, intake.vendor, intake.form, std::move(after),
                intake.scripts + scripts.size()};
  result.sources.insert(result.sources.end(), scripts.begin(), scripts.end());
  Reading& reading = result.reading;
  reading.ledgers.insert(reading.ledgers.begin(), intake.reading.ledgers.begin(),
                         intake.reading.ledgers.end());
  for (const Diagnostic& one : intake.reading.diagnostics.all())  // behind those that the change earned
    reading.diagnostics.add(one.severity, one.span, one.message, one.effect);
  return result;
}

bool has_script_errors(const Intake& intake) {
  return std::ranges::any_of(intake.reading.diagnostics.all(), [&](const Diagnostic& one) {
    return one.severity == Severity::error && is_of_a_script(one, intake);
  });
}

}  // namespace aclmend::intake
