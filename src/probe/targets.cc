#include "probe/targets.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/text.h"

namespace aclmend::probe {
namespace {

using net::DnsAnswer;
using net::Record;
using net::RecordType;
using Answered = DnsAnswer::Status;
using std::chrono::steady_clock;

std::chrono::milliseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - start);
}

bool is_unanswered(const DnsAnswer& answer) {
  return answer.status == Answered::failed || answer.status == Answered::timed_out;
}

MailHost host_named(std::string name, const std::string& asked) {
  MailHost host;
  host.result.name = std::move(name);
  host.result.asked = asked;
  return host;
}

std::string addresses_text(const std::vector<Address>& addresses) {
  std::string text;
  for (const Address& address : addresses) text += (text.empty() ? "" : ", ") + to_string(address);
  return text;
}

void take_addresses(MailHost& host, const DnsAnswer& answer) {
  for (const Record& record : answer.records) {
    const auto of_family = std::ranges::count(host.addresses, record.address.family, &Address::family);
    if (std::ranges::find(host.addresses, record.address) != host.addresses.end()) continue;
    if (static_cast<std::size_t>(of_family) < most_addresses) host.addresses.push_back(record.address);
  }
  if (answer.records.size() > most_addresses)
    host.result.remarks.push_back(
        fmt::format("{} of its {} addresses are asked", most_addresses, answer.records.size()));
}

// Adds dns.address: both families, told in one step.
void look_up_addresses(MailHost& host, const Ask& ask) {
  const auto start = steady_clock::now();
  const DnsAnswer v4 = ask(host.result.name, RecordType::a);
  const DnsAnswer v6 = ask(host.result.name, RecordType::aaaa);
  Step step{"dns.address", Status::ok, {}, since(start)};
  take_addresses(host, v4);
  take_addresses(host, v6);
  std::ranges::sort(host.addresses);
  if (is_unanswered(v4) || is_unanswered(v6)) {
    const DnsAnswer& bad = is_unanswered(v4) ? v4 : v6;
    step.status = Status::unknown;
    step.text = fmt::format("{} record: {}", is_unanswered(v4) ? "A" : "AAAA", bad.text);
    host.is_open = true;
  } else if (host.addresses.empty()) {
    step.status = Status::fail;
    step.text = v4.status == Answered::no_such_name ? v4.text : "it has neither an A nor an AAAA record";
  } else {
    step.text = addresses_text(host.addresses);
  }
  const std::vector<std::string>& aliases = v4.aliases.empty() ? v6.aliases : v4.aliases;
  if (!aliases.empty()) step.text += fmt::format(" (alias of {})", aliases.back());
  if (!aliases.empty() && host.result.preference)
    host.result.remarks.emplace_back(
        "the MX record names an alias (CNAME), which it must not (RFC 5321 5.1); most senders follow it");
  const auto vouched = [](const DnsAnswer& answer) {
    return answer.records.empty() || answer.is_authenticated;
  };
  host.is_secure = host.is_secure && vouched(v4) && vouched(v6);
  host.result.steps.push_back(std::move(step));
}

MailHost host_of(const Record& mx, const std::string& asked, const Step& lookup, bool is_secure,
                 const Ask& ask) {
  MailHost host = host_named(mx.target, asked);
  host.result.preference = mx.preference;
  host.is_named = mx.target == lower(asked);
  host.is_secure = is_secure;
  host.result.steps.push_back(lookup);
  if (mx.target.empty()) {
    host.result.name = asked;
    host.result.steps.push_back(
        {"dns.address", Status::fail, "null MX (RFC 7505): this domain says that it takes no mail"});
  } else if (parse_address(mx.target)) {
    host.result.steps.push_back({"dns.address", Status::fail,
                                 "the MX record names an address; a host name is expected (RFC 5321 5.1)"});
  } else {
    look_up_addresses(host, ask);
  }
  return host;
}

std::vector<MailHost> hosts_of(const DnsAnswer& answer, const std::string& asked, Step lookup,
                               const Ask& ask) {
  std::vector<Record> records = answer.records;
  std::ranges::sort(records, {}, [](const Record& one) { return std::tuple(one.preference, one.target); });
  std::vector<std::string> remarks;
  if (records.size() > 1 && std::erase_if(records, [](const Record& one) { return one.target.empty(); }) > 0)
    remarks.emplace_back("a null MX stands beside others (RFC 7505 3): the domain contradicts itself");
  if (records.empty()) records.emplace_back();  // nothing but null MX records
  lookup.text = fmt::format("{} MX {}", records.size(), records.size() == 1 ? "record" : "records");
  if (records.size() > most_mail_hosts) {
    remarks.push_back(
        fmt::format("the first {} of {} MX records are asked", most_mail_hosts, records.size()));
    records.resize(most_mail_hosts);
  }
  std::vector<MailHost> hosts;
  for (const Record& one : records)
    hosts.push_back(host_of(one, asked, lookup, answer.is_authenticated, ask));
  hosts.front().result.remarks.insert(hosts.front().result.remarks.begin(), remarks.begin(), remarks.end());
  return hosts;
}

}  // namespace

std::vector<MailHost> mail_hosts(const std::string& word, Word kind, const Ask& ask) {
  const std::string asked = word.ends_with('.') ? word.substr(0, word.size() - 1) : word;
  MailHost own = host_named(lower(asked), asked);
  own.is_named = true;
  own.is_secure = true;
  if (const auto address = parse_address(asked)) {
    own.addresses = {*address};
    own.is_secure = false;
    return {own};
  }
  if (kind == Word::smart_host) {
    look_up_addresses(own, ask);
    return {own};
  }
  const auto start = steady_clock::now();
  const DnsAnswer answer = ask(asked, RecordType::mx);
  Step lookup{"dns.mx", Status::ok, answer.text, since(start)};
  switch (answer.status) {
    case Answered::answered: return hosts_of(answer, asked, lookup, ask);
    case Answered::no_data:
      lookup.text = "no MX record: mail goes to the name's own addresses (RFC 5321 5.1)";
      own.is_secure = answer.is_authenticated;
      own.result.steps.push_back(lookup);
      look_up_addresses(own, ask);
      break;
    case Answered::no_such_name:
      lookup.status = Status::fail;
      own.result.steps.push_back(lookup);
      break;
    case Answered::failed:
    case Answered::timed_out:  // not the same as "no MX": senders wait and try again
      lookup.status = Status::unknown;
      own.is_open = true;
      own.result.steps.push_back(lookup);
      break;
  }
  return {own};
}

bool is_private(Address address) {
  constexpr V6 mapped = V6{0xffff} << 32;
  if (!address.is_v4() && address.number >> 32 == mapped >> 32)
    address = Address::v4(static_cast<V4>(address.number));
  constexpr const char* ranges[] = {"0.0.0.0/8",      "10.0.0.0/8",    "100.64.0.0/10",  "127.0.0.0/8",
                                    "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
                                    "::/127",         "fc00::/7",      "fe80::/10",      "ff00::/8"};
  return std::ranges::any_of(ranges, [&](const char* range) {
    const auto prefix = parse_prefix(range);
    return prefix && prefix->contains(address);
  });
}

}  // namespace aclmend::probe
