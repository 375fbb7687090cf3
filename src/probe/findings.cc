#include "probe/findings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "net/certificate.h"

namespace aclmend::probe {
namespace {

using audit::Code;

// What a failed step is, and what to do about it.
struct Meaning {
  std::string_view step;
  Code code;
  std::string_view hint;
};
constexpr Meaning meanings[] = {
    {"dns.mx", Code::no_connection, "mend the domain's MX records"},
    {"dns.address", Code::no_connection, "mend the MX record, or the host's A and AAAA records"},
    {"mta-sts", Code::certificate_invalid,
     "add the host to mta-sts.txt and change the id of the _mta-sts record"},
    {"tcp", Code::no_connection,
     "ask the firewall: aclmend audit with its export; then whether the server listens at all"},
    {"banner", Code::no_connection, "look at the server's own log for this connection"},
    {"ehlo", Code::no_connection, "look at the server's own log for this connection"},
    {"starttls", Code::starttls_missing,
     "on Exchange: the certificate of the receive connector; on the way: SMTP inspection"},
    {"tls.handshake", Code::starttls_missing, "Exchange Online needs TLS 1.2 or 1.3"},
    {"tls.chain", Code::certificate_invalid,
     "install the intermediate certificates, or a certificate of a public authority"},
    {"tls.name", Code::certificate_invalid,
     "add the name to the certificate, or change TlsDomain of the connector"},
    {"tls.validity", Code::certificate_invalid,
     "renew it, enable it for SMTP, run the Hybrid Configuration Wizard"},
    {"tls.key", Code::certificate_invalid, "have it issued anew with a key and signature of today"},
    {"ehlo.tls", Code::starttls_missing, "look at the server's own log for this connection"},
    {"dane", Code::certificate_invalid,
     "publish the TLSA record of the certificate in use, or take the records out"},
};

const Meaning* meaning_of(std::string_view step) {
  const auto found = std::ranges::find(meanings, step, &Meaning::step);
  return found == std::end(meanings) ? nullptr : found;
}

bool has_v4(const HostResult& host) {
  return std::ranges::any_of(host.addresses, [](const AddressResult& one) { return one.address.is_v4(); });
}

class Gathering {
 public:
  void add(Code code, const HostResult& host, const Address* address, std::string_view step, std::string text,
           std::string_view hint) {
    Severity severity = audit::text_of(code).severity.value_or(Severity::error);
    if (address != nullptr && !address->is_v4() && has_v4(host)) severity = Severity::warning;
    auto finding = std::ranges::find_if(all_, [&](const Finding& one) {
      return one.code == code && one.host == host.name && one.step == step && one.explanation == text &&
             one.severity == severity;
    });
    if (finding == all_.end()) {
      all_.push_back({code, severity, host.name, {}, step, std::move(text), std::string(hint)});
      finding = all_.end() - 1;
    }
    if (address != nullptr && std::ranges::find(finding->addresses, *address) == finding->addresses.end())
      finding->addresses.push_back(*address);
  }
  std::vector<Finding> sorted() && {
    std::ranges::stable_sort(all_, std::ranges::greater{}, &Finding::severity);
    return std::move(all_);
  }

 private:
  std::vector<Finding> all_;
};

void add_failures(Gathering& gathering, const HostResult& host, const std::vector<Step>& steps,
                  const Address* address) {
  for (const Step& step : steps) {
    if (step.status != Status::fail) continue;
    if (const Meaning* meaning = meaning_of(step.id))
      gathering.add(meaning->code, host, address, step.id, step.text, meaning->hint);
  }
}

void add_certificate(Gathering& gathering, const HostResult& host, const AddressResult& result,
                     const std::vector<Seen>& last, std::chrono::sys_seconds now) {
  if (!result.tls || result.tls->chain.empty()) return;
  const Link& own = result.tls->chain.front();
  if (!last.empty() && std::ranges::find(last, own.sha256, &Seen::sha256) == last.end())
    gathering.add(
        Code::certificate_changed, host, &result.address, "tls.handshake",
        fmt::format("another certificate than last time: now SHA-256 {}, until {}; then {}, until {}",
                    own.sha256, iso_date(own.not_after), last.front().sha256,
                    last.front().until.substr(0, 10)),
        "compare TlsCertificateName of the connectors with " + result.tls->exchange_name);
  if (own.not_after > now && own.not_after - now < soon)
    gathering.add(Code::certificate_changed, host, &result.address, "tls.validity",
                  fmt::format("the certificate ends on {}, in {} days", iso_date(own.not_after),
                              std::chrono::floor<std::chrono::days>(own.not_after - now).count()),
                  "renew it, enable it for SMTP, run the Hybrid Configuration Wizard");
}

bool is_left_open(const HostResult& host, const AddressResult& result) {
  const Step* tcp = step_named(result.steps, "tcp");
  if (tcp != nullptr && tcp->status == Status::unknown) return result.address.is_v4() || !has_v4(host);
  const Step* chain = step_named(result.steps, "tls.chain");
  return chain != nullptr && chain->status == Status::unknown;
}

}  // namespace

std::vector<Finding> findings(const std::vector<HostResult>& hosts, std::uint16_t port,
                              const LastSeen& last_seen, std::chrono::sys_seconds now) {
  Gathering gathering;
  for (const HostResult& host : hosts) {
    add_failures(gathering, host, host.steps, nullptr);
    const std::vector<Seen> last = last_seen ? last_seen(host.name, port) : std::vector<Seen>{};
    for (const AddressResult& one : host.addresses) {
      add_failures(gathering, host, one.steps, &one.address);
      add_certificate(gathering, host, one, last, now);
    }
  }
  return std::move(gathering).sorted();
}

bool is_judged(const std::vector<HostResult>& hosts) {
  return std::ranges::none_of(hosts, [](const HostResult& host) {
    const bool is_unanswered = std::ranges::any_of(host.steps, [](const Step& step) {
      return step.id.starts_with("dns.") && step.status == Status::unknown;
    });
    return is_unanswered || std::ranges::any_of(host.addresses, [&](const AddressResult& one) {
             return is_left_open(host, one);
           });
  });
}

}  // namespace aclmend::probe
