// What a probe hands out: for each mail host its addresses, for each address the steps in their order with
// what was seen, and the findings. A probe speaks for the address it was asked from, and for no other.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/codes.h"
#include "base/diagnostic.h"
#include "sets/address.h"

namespace aclmend::probe {

enum class Status : std::uint8_t { ok, fail, unknown, skipped };
std::string_view to_string(Status status);

// ids: dns.mx dns.address mta-sts (of a host); tcp banner ehlo starttls tls.handshake tls.chain tls.name
// tls.validity tls.key ehlo.tls dane recipient quit (of an address)
struct Step {
  std::string_view id;
  Status status = Status::skipped;
  std::string text;  // what was seen; bytes of the server's may stand in it
  std::chrono::milliseconds took{0};
};

struct Link {  // one certificate of the chain as sent
  std::string subject, issuer, serial, key, signature, sha1, sha256;
  std::chrono::sys_seconds not_before{}, not_after{};
};

struct Tls {
  std::string version, cipher, key_exchange;
  std::vector<Link> chain;         // the server's own first
  std::vector<std::string> names;  // that its certificate is for
  std::string exchange_name;       // <I>…<S>…
  std::int64_t days_left = 0;      // of the server's own; negative: it has ended
};

struct Said {  // a line of the transcript
  enum class Who : std::uint8_t { client, server, remark } who = Who::remark;
  bool is_in_tls = false;
  std::string text;
};

struct AddressResult {
  Address address;
  std::optional<Address> from;  // the own address it was asked from, once there was a connection
  std::vector<Step> steps;
  std::optional<Tls> tls;
  std::vector<std::string> capabilities;  // the words of the last EHLO reply, at most 128
  std::vector<std::string> remarks;
  std::vector<Said> transcript;
  int tries = 1;
  int failures = 0;  // of these tries; with any, the steps are those of the first that failed
};

struct HostResult {
  std::string name;                         // the mail host
  std::string asked;                        // the word it came from
  std::optional<std::uint16_t> preference;  // of its MX record; none: asked for itself
  std::vector<Step> steps;
  std::vector<AddressResult> addresses;
  std::vector<std::string> remarks;
};

struct Finding {
  audit::Code code = audit::Code::no_connection;
  Severity severity = Severity::error;
  std::string host;
  std::vector<Address> addresses;  // none: about the name
  std::string_view step;
  std::string explanation;
  std::string hint;
};

// A certificate that a host showed before.
struct Seen {
  std::string sha256;  // upper-case hexadecimal
  std::string until;   // "2027-05-02T23:59:59Z"
};

struct Report {
  std::uint16_t port = 25;
  std::vector<std::string> resolvers;  // "10.255.255.53:53"; none: DNS was not asked
  std::vector<HostResult> hosts;
  std::vector<Finding> findings;
  bool is_judged = true;  // no name or address was left open that mail would use
};

const Step* step_named(const std::vector<Step>& steps, std::string_view id);
bool has_failed(const AddressResult& result);         // in any step

}  // namespace aclmend::probe
