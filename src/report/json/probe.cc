// probe (docs/schema/probe.schema.json). `ms` is the one thing that differs from run to run.
#include "report/probe.h"

#include "base/clock.h"
#include "report/json/document.h"

namespace aclmend::report::json {
namespace {

using namespace aclmend::probe;

Json to_json(const Step& step) {
  return {
      {"id", step.id}, {"status", to_string(step.status)}, {"text", step.text}, {"ms", step.took.count()}};
}

Json to_json(const Link& one) {
  return {{"subject", one.subject},
          {"issuer", one.issuer},
          {"serial", one.serial},
          {"not_before", iso_time(one.not_before)},
          {"not_after", iso_time(one.not_after)},
          {"key", one.key},
          {"signature", one.signature},
          {"sha1", one.sha1},
          {"sha256", one.sha256}};
}

Json to_json(const AddressResult& one);
Json to_json(const HostResult& host);
Json to_json(const Finding& finding);

template <class T>
Json list(const std::vector<T>& values) {
  Json array = Json::array();
  for (const T& value : values) array.push_back(to_json(value));
  return array;
}

Json texts(const std::vector<Address>& addresses) {
  Json array = Json::array();
  for (const Address& address : addresses) array.push_back(to_string(address));
  return array;
}

Json to_json(const std::optional<Tls>& tls) {
  if (!tls) return nullptr;
  const bool has_own = !tls->chain.empty();
  const auto of_own = [&](const std::string& text) { return has_own ? Json(text) : Json(nullptr); };
  const Link own = has_own ? tls->chain.front() : Link{};
  return {{"version", tls->version},
          {"cipher", tls->cipher},
          {"key_exchange", tls->key_exchange.empty() ? Json(nullptr) : Json(tls->key_exchange)},
          {"chain", list(tls->chain)},
          {"names", tls->names},
          {"not_after", of_own(iso_time(own.not_after))},
          {"sha1", of_own(own.sha1)},
          {"sha256", of_own(own.sha256)},
          {"tls_certificate_name", of_own(tls->exchange_name)}};
}

Json to_json(const AddressResult& one) {
  return {{"ip", to_string(one.address)},
          {"from", one.from ? Json(to_string(*one.from)) : Json(nullptr)},
          {"steps", list(one.steps)},
          {"tls", to_json(one.tls)},
          {"capabilities", one.capabilities},
          {"remarks", one.remarks},
          {"tries", one.tries},
          {"failures", one.failures}};
}

Json to_json(const HostResult& host) {
  return {{"name", host.name},
          {"asked", host.asked},
          {"preference", host.preference ? Json(*host.preference) : Json(nullptr)},
          {"steps", list(host.steps)},
          {"addresses", list(host.addresses)},
          {"remarks", host.remarks}};
}

Json to_json(const Finding& finding) {
  const audit::CodeText& code = audit::text_of(finding.code);
  return {{"code", code.id},      {"slug", code.slug},
          {"title", code.title},  {"severity", aclmend::to_string(finding.severity)},
          {"host", finding.host}, {"addresses", texts(finding.addresses)},
          {"step", finding.step}, {"explanation", finding.explanation},
          {"hint", finding.hint}};
}

}  // namespace

std::string probe(const ProbeReport& report) {
  const Json body = {{"port", report.probe.port},
                     {"vantage",
                      {{"from", vantage_addresses(report.probe)},
                       {"resolvers", report.probe.resolvers},
                       {"statement", vantage_statement}}},
                     {"hosts", list(report.probe.hosts)},
                     {"findings", list(report.probe.findings)}};
  return document("probe", body, report.frame);
}

}  // namespace aclmend::report::json
