#include "probe/dane.h"

#include <fmt/format.h>

#include <algorithm>

namespace aclmend::probe {
namespace {

using net::Record;
using Answered = net::DnsAnswer::Status;

constexpr std::uint8_t trust_anchor = 2, end_entity = 3;  // the usages that SMTP knows (RFC 7672 3.1)

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02X}", static_cast<unsigned char>(byte));
  return text;
}

bool is_usable(const Record& tlsa) {
  return (tlsa.usage == trust_anchor || tlsa.usage == end_entity) && tlsa.selector <= 1 && tlsa.matching <= 2;
}

std::string parameters(const Record& tlsa) {
  return fmt::format("{} {} {}", tlsa.usage, tlsa.selector, tlsa.matching);
}

// Usage 3: the server's own, and neither name nor dates matter. Usage 2: an issuer in the chain, and the name
// does.
bool is_met(const Record& tlsa, std::span<const net::Certificate> chain, const std::string& host) {
  if (tlsa.usage == end_entity) return matches(tlsa, chain.front());
  return net::is_for(chain.front(), host) &&
         std::ranges::any_of(chain.subspan(1), [&](const auto& issuer) { return matches(tlsa, issuer); });
}

Step judged_records(const DaneQuestion& question, std::span<const net::Certificate> chain) {
  std::vector<Record> usable = question.tlsa.records;
  std::erase_if(usable, [](const Record& one) { return !is_usable(one); });
  if (usable.empty())
    return {"dane", Status::ok,
            "none of the TLSA records is of a usage that SMTP knows: TLS is a must, nothing more"};
  if (chain.empty()) return {"dane", Status::skipped, "no certificate to compare the TLSA records with"};
  for (const Record& one : usable)
    if (is_met(one, chain, question.host))
      return {"dane", Status::ok, fmt::format("TLSA {} is met by the certificate", parameters(one))};
  std::string all;
  for (const Record& one : usable) all += (all.empty() ? "" : ", ") + parameters(one);
  return {"dane", Status::fail,
          fmt::format(
              "no TLSA record ({}) is met by the certificate: senders that check DANE, Exchange Online among "
              "them, keep their mail",
              all)};
}

}  // namespace

std::string tlsa_name(std::string_view host, std::uint16_t port) {
  return fmt::format("_{}._tcp.{}", port, host);
}

bool matches(const Record& tlsa, const net::Certificate& certificate) {
  const bool is_key = tlsa.selector == 1;
  switch (tlsa.matching) {
    case 0: return tlsa.data == (is_key ? certificate.key_der : certificate.der);
    case 1: return hex(tlsa.data) == (is_key ? certificate.key_sha256 : certificate.sha256);
    case 2: return hex(tlsa.data) == (is_key ? certificate.key_sha512 : certificate.sha512);
    default: return false;
  }
}

Step dane_step(const DaneQuestion& question, std::span<const net::Certificate> chain) {
  const net::DnsAnswer& tlsa = question.tlsa;
  switch (tlsa.status) {
    case Answered::no_data:
    case Answered::no_such_name: return {"dane", Status::skipped, "no TLSA record"};
    case Answered::failed:
    case Answered::timed_out:
      return {
          "dane", question.is_trusted && question.is_secure ? Status::fail : Status::unknown,
          fmt::format("TLSA record: {}; a sender that checks DANE does not use this host then", tlsa.text)};
    case Answered::answered: break;
  }
  if (!question.is_trusted)
    return {
        "dane", Status::unknown,
        fmt::format(
            "{} TLSA records, not judged: {} is not on this machine, so its word on DNSSEC proves nothing "
            "(--resolver 127.0.0.1, a validating one)",
            tlsa.records.size(), question.resolver)};
  if (!tlsa.is_authenticated || !question.is_secure)
    return {"dane", Status::skipped, "TLSA records that DNSSEC does not vouch for: senders ignore them"};
  return judged_records(question, chain);
}

}  // namespace aclmend::probe
