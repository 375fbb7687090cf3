#include "cli/examine.h"

#include <fmt/format.h>

#include "base/text.h"

namespace aclmend::cli {

using inventory::PlannedDevice;
using report::AuditedDevice;

AuditedDevice unreadable(const PlannedDevice& device, const Error& error) {
  AuditedDevice result;
  result.name = device.name;
  result.file = device.files.empty() ? device.name : device.files.front();
  result.audit.error = to_string(error);
  return result;
}

Result<intake::Request> request_for(const AskOptions& options, const PlannedDevice& planned) {
  TRY(request, request_of(options.device));
  request.files = planned.files;
  request.vendor = planned.question.vendor;
  for (const inventory::PlannedSet& set : planned.sets) request.sets.push_back({set.name, set.path});
  for (const Address address : planned.question.local) request.options.local |= AddressSet(address);
  request.options.scope = planned.question.context;
  return request;
}

Result<std::vector<const Device*>> devices_asked(const intake::Intake& intake, const PlannedDevice& planned) {
  std::vector<const Device*> chosen;
  const std::vector<Device>& devices = intake.reading.devices;
  if (!planned.question.context.empty() || devices.size() == 1) {
    TRY(device, intake::device_in(intake, planned.question.context));
    chosen.push_back(device);
  } else {
    for (const Device& device : devices) chosen.push_back(&device);
  }
  return chosen;
}

Result<AuditedDevice> examined(const Asking& asking, const AskOptions& options, const PlannedDevice& planned,
                               const Seat& seat) {
  const intake::Intake& intake = seat.intake;
  const Device& device = seat.device;
  const bool is_one_of_several = seat.one_of == OneOf::several;
  AuditedDevice result;
  result.scope = device.scope;
  result.name = is_one_of_several ? fmt::format("{}/{}", planned.name, device.scope) : planned.name;
  result.vendor = intake.vendor->id;
  result.file = intake.sources.front()->name();
  result.summary = device.summary;
  result.not_examined = device.not_examined;
  for (std::size_t i = 0; i + intake.scripts < intake.reading.ledgers.size(); ++i) {
    const LineCounts counts = intake.reading.ledgers[i].counts();
    result.lines.total += counts.total;
    result.lines.decides += counts.decides;
    result.lines.no_effect += counts.no_effect;
    result.lines.not_supported += counts.not_supported;
    result.lines.partly_understood += counts.partly_understood;
    result.lines.not_understood += counts.not_understood;
  }

  auto asked = question_for(asking, options, planned, {*intake.vendor, device, result.name});
  if (!asked) {
    result.audit.error = asked.error().message;
    return result;
  }
  result.assumed = asked->assumed;
  for (std::size_t i = intake.sources.size() - intake.scripts; i < intake.sources.size(); ++i)
    result.assumed.push_back(fmt::format("{} was typed in", printable(intake.sources[i]->name())));
  if (is_one_of_several) asked->question.only_if_known = true;
  TRY(done, audit::audit(asked->question));
  for (const std::string& text : device.inferred) done.inferred.push_back({text, std::nullopt, ""});
  result.audit = std::move(done);
  return result;
}

}  // namespace aclmend::cli
