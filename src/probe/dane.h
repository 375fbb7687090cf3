// TLSA records against the certificates that a server sent (RFC 6698, RFC 7672). They bind only where DNSSEC
// vouches for every answer on the way, and that is believed of a validating resolver on this machine alone:
// the AD bit of another can be forged on the way here.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "net/certificate.h"
#include "net/dns.h"
#include "probe/result.h"

namespace aclmend::probe {

std::string tlsa_name(std::string_view host, std::uint16_t port);  // "_25._tcp.mail.contoso.com"

struct DaneQuestion {
  std::string host;
  net::DnsAnswer tlsa;
  bool is_secure = false;   // the answers that led to the host
  bool is_trusted = false;  // the resolver stands on this machine
  std::string resolver;     // as reports name it
};

// Whether this certificate, or one of the chain, is what the record says.
bool matches(const net::Record& tlsa, const net::Certificate& certificate);

// The step `dane`; an empty chain: TLS did not come about.
Step dane_step(const DaneQuestion& question, std::span<const net::Certificate> chain);

}  // namespace aclmend::probe
