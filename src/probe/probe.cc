#include "probe/probe.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>

#include "base/text.h"
#include "probe/dane.h"
#include "probe/judge.h"

namespace aclmend::probe {
namespace {

// Calls f(0) … f(count - 1), up to most_at_once of them at the same time.
void at_once(std::size_t count, const std::function<void(std::size_t)>& f) {
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) f(i);
  };
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(count, most_at_once); ++i) threads.emplace_back(work);
  work();
}

// A mail host with what was asked of DNS beside its addresses.
struct Host {
  MailHost mail;
  net::DnsAnswer tlsa;
};

bool is_on_this_machine(const net::Endpoint& endpoint) {
  static const auto v4 = parse_prefix("127.0.0.0/8"), v6 = parse_prefix("::1/128");
  return v4->contains(endpoint.address) || v6->contains(endpoint.address);
}

std::vector<Host> hosts_of(const std::string& word, const Question& question, const Surroundings& around) {
  std::vector<Host> hosts;
  if (question.address) {
    MailHost named;
    named.result.name = named.result.asked = word;
    named.addresses = {*question.address};
    named.is_named = true;
    hosts.push_back({std::move(named), {}});
    return hosts;
  }
  const bool has_name = !parse_address(word);
  std::optional<Sts> sts;
  if (has_name && question.kind == Word::domain && around.fetch)
    sts = look_up_sts(word, around.ask, around.fetch);
  for (MailHost& mail : mail_hosts(word, question.kind, around.ask)) {
    Host host{std::move(mail), {}};
    if (sts) host.mail.result.steps.push_back(sts_step(*sts, host.mail.result.name));
    if (has_name && !host.mail.addresses.empty())
      host.tlsa = around.ask(tlsa_name(host.mail.result.name, question.port), net::RecordType::tlsa);
    hosts.push_back(std::move(host));
  }
  return hosts;
}

// One address of one host, and what is found there.
struct Call {
  const Host* host = nullptr;
  Address address;
  AddressResult result;
};

void add_dane(AddressResult& result, const Host& host, const Visit& visit, const Question& question,
              const Surroundings& around) {
  const bool was_asked = !question.address && !parse_address(host.mail.result.name);
  Step step{"dane", Status::skipped, ""};
  if (was_asked) {
    std::vector<net::Certificate> chain;
    if (visit.tls)
      for (const std::string& der : visit.tls->chain)
        if (auto one = net::read_certificate(der)) chain.push_back(std::move(*one));
    const bool is_trusted =
        !around.resolvers.empty() && std::ranges::all_of(around.resolvers, is_on_this_machine);
    step = dane_step({host.mail.result.name, host.tlsa, host.mail.is_secure, is_trusted,
                      around.resolvers.empty() ? "" : net::to_string(around.resolvers.front())},
                     chain);
  }
  const auto quit = std::ranges::find(result.steps, std::string_view("quit"), &Step::id);
  result.steps.insert(quit, std::move(step));
}

AddressResult not_allowed(Address address) {
  AddressResult result;
  result.address = address;
  result.steps.push_back(
      {"tcp", Status::unknown, "not asked: a private address that an MX record names (--allow-private)"});
  return result;
}

AddressResult called(const Call& call, const Question& question, const Surroundings& around) {
  const MailHost& mail = call.host->mail;
  const bool is_literal = parse_address(mail.result.name).has_value();
  if (is_private(call.address) && !mail.is_named && !question.may_be_private)
    return not_allowed(call.address);
  VisitOptions options = question.visit;
  options.server_name = is_literal ? "" : mail.result.name;
  const Visit seen = visit({call.address, question.port}, options);
  AddressResult result = judged(
      call.address, seen,
      {is_literal ? "" : mail.result.name, question.tls_domain, &around.trust, question.now, &options});
  add_dane(result, *call.host, seen, question, around);
  if (is_private(call.address) && !is_literal && !question.address)
    result.remarks.emplace_back(
        "a private address: this is the inside view, senders on the internet see another");
  return result;
}

// Of several rounds the first that failed is shown: a fault that comes and goes is the one that is looked
// for.
void merge(AddressResult& shown, AddressResult&& next) {
  const int tries = shown.tries + 1;
  const int failures = shown.failures + (has_failed(next) ? 1 : 0);
  if (shown.failures == 0) shown = std::move(next);
  shown.tries = tries;
  shown.failures = failures;
}

// Several hosts may share an address: they take turns, with a breath between.
void call_all(std::vector<Call>& calls, const Question& question, const Surroundings& around) {
  std::map<Address, std::vector<Call*>> by_address;
  for (Call& call : calls) by_address[call.address].push_back(&call);
  std::vector<std::vector<Call*>> turns;
  for (auto& [address, group] : by_address) turns.push_back(std::move(group));
  for (int round = 0; round < question.rounds; ++round) {
    if (round > 0) around.pause(question.interval);
    at_once(turns.size(), [&](std::size_t i) {
      for (Call* call : turns[i]) {
        if (call != turns[i].front()) around.pause(breath);
        AddressResult result = called(*call, question, around);
        if (round == 0) {
          result.failures = has_failed(result) ? 1 : 0;
          call->result = std::move(result);
        } else {
          merge(call->result, std::move(result));
        }
      }
    });
  }
}

}  // namespace

Result<Report> probe(const Question& question, const Surroundings& around) {
  std::vector<std::vector<Host>> found(question.words.size());
  at_once(found.size(), [&](std::size_t i) { found[i] = hosts_of(question.words[i], question, around); });
  std::vector<Host> hosts;
  for (auto& some : found) std::ranges::move(some, std::back_inserter(hosts));
  std::vector<Call> calls;
  for (const Host& host : hosts)
    for (const Address& address : host.mail.addresses) calls.push_back({&host, address, {}});
  if (calls.size() > most_unasked && !question.may_be_many)
    return fail(Error{.message = fmt::format("{} addresses would be asked, at most {} are without --yes",
                                             calls.size(), most_unasked),
                      .file = {},
                      .hint = "a probe is meant for the mail hosts of a domain, not for ranges"});
  call_all(calls, question, around);

  Report report;
  report.port = question.port;
  if (!question.address)
    for (const net::Endpoint& one : around.resolvers) report.resolvers.push_back(net::to_string(one));
  std::size_t at = 0;
  for (Host& host : hosts) {
    for (std::size_t i = 0; i < host.mail.addresses.size(); ++i)
      host.mail.result.addresses.push_back(std::move(calls[at++].result));
    report.hosts.push_back(std::move(host.mail.result));
  }
  report.findings = findings(report.hosts, question.port, around.last_seen, question.now);
  report.is_judged = is_judged(report.hosts);
  return report;
}

}  // namespace aclmend::probe
