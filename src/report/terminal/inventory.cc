#include "report/inventory.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/terminal/layout.h"

namespace aclmend::report::terminal {
namespace {

using inventory::Asked;
using inventory::Each;
using inventory::Endpoints;

std::string listed(const std::vector<Address>& addresses) {
  std::vector<std::string> words;
  for (const Address address : addresses) words.push_back(to_string(address));
  return fmt::format("{}", fmt::join(words, " "));
}

std::string plural(std::size_t number, std::string_view word) {
  return fmt::format("{} {}{}", number, word, number == 1 ? "" : "s");
}

std::string list_in_force(const Endpoints& endpoints) {
  std::string text = fmt::format("Microsoft 365 {}", endpoints.instance);
  switch (endpoints.from) {
    case Endpoints::From::unsaid: break;
    case Endpoints::From::pin: text += fmt::format(", pinned at {}", endpoints.pin); break;
    case Endpoints::From::store: text += ", from the store"; break;
    case Endpoints::From::service: text += ", from the service"; break;
    case Endpoints::From::file: text += fmt::format(", from {}", endpoints.file); break;
  }
  if (endpoints.max_age) text += fmt::format(", checked within {} days", endpoints.max_age->count());
  return text;
}

std::string mail_host(const inventory::Mail& mail) {
  if (mail.hosts.empty()) return mail.name;
  return mail.name.empty() ? listed(mail.hosts) : fmt::format("{} ({})", listed(mail.hosts), mail.name);
}

// What is known of a device beforehand, in the words of the file.
std::vector<std::string> known(const inventory::PlannedDevice& device) {
  const inventory::Question& question = device.question;
  std::vector<std::string> words;
  const auto add = [&](std::string_view key, const std::string& value) {
    if (!value.empty()) words.push_back(fmt::format("{} {}", key, value));
  };
  if (device.each != Each::none) add("each", std::string(to_string(device.each)));
  add("to", listed(question.to));
  add("ingress", question.ingress);
  add("egress", question.egress);
  add("direction", question.direction);
  add("local", listed(question.local));
  add("vendor", question.vendor);
  add("vsys", question.vsys);
  add("device-group", question.device_group);
  add("context", question.context);
  add("profile", question.profile);
  add("program", question.program);
  add("flows", fmt::format("{}", fmt::join(question.flows, " ")));
  for (const inventory::PlannedSet& set : device.sets)
    add("set", set.name.empty() ? set.path : fmt::format("{}={}", set.name, set.path));
  for (const inventory::PlannedAssumption& assumption : device.assumptions)
    add("assume",
        fmt::format("{}={} ({})", assumption.condition, assumption.holds ? "on" : "off", assumption.reason));
  return words;
}

std::string device_lines(const inventory::PlannedDevice& device) {
  std::string head = device.name;
  if (device.files != std::vector{device.name}) head += fmt::format("   {}", fmt::join(device.files, " "));
  std::string out = with_place(head, place(device.place.file, device.place.line));
  out += labelled("asked", device.asked == Asked::always ? "always" : "if it knows the mail host");
  if (const auto words = known(device); !words.empty())
    out += labelled("known", fmt::format("{}", fmt::join(words, ", ")));
  return out;
}

std::string head(const InventoryReport& report) {
  const auto by_glob = static_cast<std::size_t>(
      std::ranges::count(report.plan.devices, true, &inventory::PlannedDevice::came_by_glob));
  const std::size_t named = report.plan.devices.size() - by_glob;
  std::string out =
      with_place(fmt::format("{}   {} named, {} by globs, {} skipped", report.file, plural(named, "device"),
                             by_glob, plural(report.plan.skipped.size(), "file")),
                 "");
  out += labelled("list", list_in_force(report.inventory->endpoints));
  if (const std::string host = mail_host(report.inventory->mail); !host.empty())
    out += labelled("mail host", host);
  if (!report.inventory->rules.empty())
    out += labelled("flows", fmt::format("also those in {}", report.inventory->rules));
  return out;
}

std::string verdict(const InventoryReport& report) {
  const auto count = [&](Severity severity) {
    return static_cast<std::size_t>(
        std::ranges::count(report.frame.diagnostics, severity, &Remark::severity));
  };
  const std::string counts =
      fmt::format("{}, {}, {}", plural(count(Severity::error), "error"),
                  plural(count(Severity::warning), "warning"), plural(count(Severity::note), "note"));
  if (!report.inventory) return with_place(fmt::format("{}   cannot be used: {}", report.file, counts), "");
  return report.frame.diagnostics.empty() ? "ok\n" : counts + "\n";
}

}  // namespace

std::string inventory_show(const InventoryReport& report) {
  if (!report.inventory) return verdict(report);
  std::string out = head(report);
  for (const inventory::PlannedDevice& device : report.plan.devices) out += "\n" + device_lines(device);
  if (!report.plan.skipped.empty()) out += "\nskipped\n";
  for (const inventory::SkippedFile& skipped : report.plan.skipped)
    out += with_place(fmt::format("  {}: {}", skipped.file, skipped.reason),
                      place(skipped.place.file, skipped.place.line));
  return out;
}

std::string inventory_check(const InventoryReport& report) {
  return report.inventory ? head(report) + verdict(report) : verdict(report);
}

}  // namespace aclmend::report::terminal
