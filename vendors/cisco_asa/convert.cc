// A configuration → one device: the parts in order, and what is said beside the rules.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/cisco_asa/lowering.h"
#include "vendors/cisco_asa/meaning.h"

namespace aclmend::cisco_asa {
namespace {

std::string_view product_name(Product product) {
  switch (product) {
    case Product::asa: return "Cisco ASA";
    case Product::pix: return "Cisco PIX";
    case Product::fwsm: return "Cisco FWSM";
  }
  return "";
}

std::string_view form_name(Form form) {
  switch (form) {
    case Form::running: return "running configuration";
    case Form::show_access_list: return "show access-list";
    case Form::tech_support: return "show tech-support";
    case Form::part: return "lines of a configuration";
  }
  return "";
}

// "02:11:45.123 UTC Fri Nov 20 2026" → "2026-11-20 02:11:45 UTC"; any other form stays as it is.
std::string as_date(const std::string& written) {
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const std::vector<std::string_view> words = split(written, ' ');
  if (words.size() != 6 || words[3].size() != 3) return written;
  const std::size_t month = months.find(words[3]);
  const auto day = parse_decimal<std::uint8_t>(words[4]);
  if (month == std::string_view::npos || month % 3 != 0 || !day) return written;
  return fmt::format("{}-{:02}-{:02} {} {}", words[5], month / 3 + 1, *day,
                     words[0].substr(0, words[0].find('.')), words[1]);
}

// The zone's word is a human's choice, but for UTC.
std::optional<Written> written(const Header& header) {
  ScannedMoment scanned = scan_iso(as_date(header.written));
  if (scanned.length == 0) return std::nullopt;
  const auto words = split(header.written, ' ');
  if (words.size() > 1 && (words[1] == "UTC" || words[1] == "GMT")) scanned.moment.offset = 0;
  return Written{scanned.moment, header.written_span};
}

std::string summary(const Header& header) {
  std::string text(product_name(header.product));
  if (!header.version.empty()) text += " " + header.version;
  text += fmt::format(", {}", form_name(header.form));
  if (!header.written.empty()) text += ", written " + as_date(header.written);
  return printable(text);
}

// What the version decides, and what is assumed where the file does not tell it.
void settle_version(Lowering& lowering) {
  const Era era = era_of(lowering.from);
  lowering.any_is_v4 = era.any_is_v4;
  lowering.maps_after_lists = era.has_old_addresses;
  if (!lowering.from.header.version.empty()) return;
  lowering.inferred.push_back(lowering.maps_after_lists
                                  ? "no version in the file: its translations are those of a release before "
                                    "8.3, so lists hold mapped addresses"
                                  : "no version in the file: taken as 9.x, where `any` is IPv4 and IPv6, and "
                                    "lists hold real addresses");
}

void notice(Lowering& lowering, model::NoticeKind kind, Span span, std::string text) {
  lowering.policy.notices.push_back({kind, span, std::move(text)});
}

void say_what_is_missing(Lowering& lowering) {
  const Configuration& from = lowering.from;
  const bool is_whole = !from.header.version.empty() && from.header.form != Form::show_access_list;
  std::string missing;
  const auto lacks = [&](std::string_view what) {
    missing += fmt::format("{}{}", missing.empty() ? "" : ", ", what);
  };
  if (!is_whole) {
    if (from.bindings.empty()) lacks("access-group");
    if (from.ports.empty()) lacks("interface");
    if (from.nats.empty() && !from.has_new_nat && !from.old_nat_lines) lacks("nat");
  }
  if (from.is_cut_off) lacks("everything after the file's sudden end");
  if (missing.empty()) return;
  const Span where = from.lists.empty() || from.lists.front().entries.empty()
                         ? from.header.span
                         : from.lists.front().entries.front().place.span();
  notice(lowering, model::NoticeKind::part_missing, where,
         fmt::format("this export is a part; not in it: {}", missing));
}

void say_what_is_beside(Lowering& lowering) {
  const Configuration& from = lowering.from;
  for (const model::Notice& one : from.notices) lowering.policy.notices.push_back(one);
  if (!from.smtp_inspections.empty())
    notice(lowering, model::NoticeKind::smtp_inspected, from.smtp_inspections.front(),
           "SMTP inspection is on and may strip STARTTLS");
  if (from.is_transparent && !from.ethertype_denies.empty())
    notice(lowering, model::NoticeKind::not_modelled, from.ethertype_denies.front(),
           "an ethertype list may stop IP as well in transparent mode");
  if (!from.established.empty())
    notice(lowering, model::NoticeKind::not_modelled, from.established.front().span(),
           "`established` lets in connections that belong to earlier ones");
}

}  // namespace

Device convert(const Configuration& configuration, Account& account, const ReadOptions&) {
  Device device;
  device.policy.sources.assign(account.sources.begin(), account.sources.end());
  Lowering lowering{configuration, account, device.policy, {}};
  settle_version(lowering);
  lower_interfaces(lowering);
  AddressBook addresses(lowering);
  ServiceBook services(lowering);
  const LoweredLists lists = lower_lists(lowering, addresses, services);
  const LoweredNat nat = lower_nat(lowering, addresses, services);
  lower_path(lowering, addresses, lists, nat);
  say_what_is_missing(lowering);
  say_what_is_beside(lowering);
  device.summary = summary(configuration.header);
  device.written = written(configuration.header);
  device.inferred = std::move(lowering.inferred);
  device.not_examined = {"routing", "shun and threat-detection state", "IPS modules", "connection limits"};
  return device;
}

}  // namespace aclmend::cisco_asa
