// From a word to the addresses that mail for it would be delivered to: MX, A, AAAA, implicit and null MX,
// aliases (RFC 5321 5.1, RFC 7505). DNS is passed in.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/dns.h"
#include "probe/result.h"

namespace aclmend::probe {

using Ask = std::function<net::DnsAnswer(std::string_view name, net::RecordType type)>;

inline constexpr std::size_t most_mail_hosts = 20;  // of one domain
inline constexpr std::size_t most_addresses = 16;   // of one host and family

struct MailHost {
  HostResult result;  // its name, and the steps of DNS
  std::vector<Address> addresses;
  bool is_named = false;   // by the user: not by somebody's MX record
  bool is_open = false;    // DNS did not answer: what mail would do is not known
  bool is_secure = false;  // the resolver says of every answer on the way that DNSSEC vouches for it
};

enum class Word : std::uint8_t {
  domain,
  smart_host
};  // a smart host's own addresses are meant, whatever MX it has

std::vector<MailHost> mail_hosts(const std::string& word, Word kind, const Ask& ask);

// Loopback, link-local, private or of no use on the internet.
bool is_private(Address address);

}  // namespace aclmend::probe
