// Questions to a DNS resolver, and its answers as records. One question, one channel: nothing is shared, so
// any thread may ask.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/stream.h"

namespace aclmend::net {

enum class RecordType : std::uint16_t { a = 1, cname = 5, mx = 15, txt = 16, aaaa = 28, tlsa = 52 };
std::string_view to_string(RecordType type);  // "MX"

struct Record {
  RecordType type = RecordType::a;
  std::string owner;             // lower case, without the last dot
  std::uint16_t preference = 0;  // MX
  std::string target;            // MX, CNAME: lower case, without the last dot; "": the root
  Address address;               // A, AAAA
  std::string text;              // TXT: its strings joined
  std::uint8_t usage = 0, selector = 0, matching = 0;  // TLSA
  std::string data;                                    // TLSA: the association, raw
};

struct DnsAnswer {
  enum class Status : std::uint8_t {
    answered,      // there are records of the type asked for
    no_data,       // the name exists, the type does not
    no_such_name,  // NXDOMAIN
    failed,        // SERVFAIL, REFUSED, an answer that makes no sense
    timed_out,
  };
  Status status = Status::failed;
  std::string text;                  // why not answered, one clause
  std::vector<Record> records;       // of the type asked for, at the end of the chain of aliases
  std::vector<std::string> aliases;  // the CNAMEs that led there, in order
  bool is_authenticated = false;     // the resolver says that DNSSEC vouches for it (AD)
};

// The records of a DNS message, as an answer to this question. For tests and the fuzzer as well: it is the
// reader of hostile bytes.
DnsAnswer read_dns_message(std::string_view message, std::string_view name, RecordType type);

struct ResolverOptions {
  std::optional<Endpoint> server;           // none: the system's
  std::chrono::milliseconds timeout{3000};  // of each try
  int tries = 2;
};

class Resolver {
 public:
  static Result<Resolver> open(const ResolverOptions& options);
  const std::vector<Endpoint>& servers() const { return servers_; }
  DnsAnswer ask(std::string_view name, RecordType type) const;

 private:
  ResolverOptions options_;
  std::vector<Endpoint> servers_;
};

}  // namespace aclmend::net
