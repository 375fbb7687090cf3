// What a visit means, step by step. No sockets and no clock: the time is passed in.
#pragma once
#include "net/certificate.h"
#include "net/dns.h"
#include "probe/result.h"
#include "probe/visit.h"

namespace aclmend::probe {

struct Judgement {
  std::string name;        // that the certificate must be for; empty: an address alone was asked for
  std::string tls_domain;  // the connector's TlsDomain, where it is another name; may begin with "*."
  const net::Trust* trust = nullptr;
  std::chrono::sys_seconds now{};
  const VisitOptions* limits = nullptr;  // for "no answer within 10 s"
};

AddressResult judged(Address address, const Visit& visit, const Judgement& judgement);

// The certificate is for a name that the TlsDomain of a connector allows: the name itself, or for
// "*.contoso.com" any name in that domain, the wildcard included.
bool is_for_tls_domain(const net::Certificate& certificate, std::string_view tls_domain);

}  // namespace aclmend::probe
