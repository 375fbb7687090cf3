#include "probe/judge.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/text.h"
#include "probe/inspection.h"

namespace aclmend::probe {
namespace {

using net::Failure;
using std::chrono::milliseconds;

std::string seconds(milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000)
                                  : fmt::format("{:.1f} s", static_cast<double>(time.count()) / 1000);
}

milliseconds took(const Visit& visit, Stage stage) { return visit.took[static_cast<std::size_t>(stage)]; }

// Microsoft's deferral texts name Windows' numbers.
std::string_view windows_number(Failure::Kind kind) {
  switch (kind) {
    case Failure::Kind::refused: return "10061";
    case Failure::Kind::timed_out: return "10060";
    case Failure::Kind::reset: return "10054";
    case Failure::Kind::unreachable: return "10065";
    case Failure::Kind::closed:
    case Failure::Kind::tls:
    case Failure::Kind::local: break;
  }
  return "";
}

std::string with_details(std::string text, const Failure& failure) {
  if (failure.icmp) text += fmt::format("; {}", net::to_string(*failure.icmp));
  if (const auto number = windows_number(failure.kind); !number.empty())
    text += fmt::format(" (socket error {} in Microsoft's texts)", number);
  return text;
}

// The steps of one address as they are added. After one that failed the rest is skipped.
class Steps {
 public:
  void add(std::string_view id, Status status, std::string text, milliseconds time = milliseconds(0)) {
    steps_.push_back({id, status, std::move(text), time});
  }
  std::vector<Step> all() && {
    constexpr std::string_view order[] = {"tcp",           "banner",    "ehlo",     "starttls",
                                          "tls.handshake", "tls.chain", "tls.name", "tls.validity",
                                          "tls.key",       "ehlo.tls"};
    for (const std::string_view id : order)
      if (step_named(steps_, id) == nullptr) add(id, Status::skipped, "");
    std::ranges::stable_sort(steps_, {},
                             [&](const Step& step) { return std::ranges::find(order, step.id) - order; });
    return std::move(steps_);
  }

 private:
  std::vector<Step> steps_;
};

// ---- connection and words

void add_tcp(Steps& steps, const Visit& visit, const Judgement& judgement) {
  if (visit.from) {
    steps.add("tcp", Status::ok, fmt::format("connected from {}", to_string(*visit.from)), visit.connecting);
    return;
  }
  const Failure& failure = *visit.failure;
  const bool is_silence = failure.kind == Failure::Kind::timed_out && !failure.icmp;
  steps.add("tcp", failure.kind == Failure::Kind::local ? Status::unknown : Status::fail,
            with_details(is_silence ? fmt::format("no answer within {}: dropped on the way, or nobody there",
                                                  seconds(judgement.limits->connect))
                                    : failure.text,
                         failure),
            visit.connecting);
}

// Why a stage has no reply: it made no sense, or the connection failed there.
std::optional<std::string> trouble(const Visit& visit, Stage stage, const Judgement& judgement) {
  if (!visit.heard.fault.empty() && visit.heard.fault_at == stage) return visit.heard.fault;
  if (!visit.failure || visit.stage != stage) return std::nullopt;
  const Failure& failure = *visit.failure;
  const milliseconds limit = stage == Stage::greeting ? judgement.limits->banner : judgement.limits->reply;
  if (failure.kind == Failure::Kind::timed_out)
    return with_details(fmt::format("{} did not come within {}", to_string(stage),
                                    seconds(std::min(limit, judgement.limits->whole))),
                        failure);
  return with_details(fmt::format("{} instead of {}", failure.text, to_string(stage)), failure);
}

std::string greeting_meaning(const Reply& banner) {
  if (banner.code == 421)
    return ": the server closes at once: overload, a limit of connections, or maintenance";
  if (banner.code == 554) return ": the server does not serve this address (its policy or a block list)";
  return banner.code / 100 == 4 ? ": not now" : ": the server turns mail away";
}

bool add_banner(Steps& steps, const Visit& visit, const Judgement& judgement) {
  const milliseconds time = took(visit, Stage::greeting);
  if (const auto why = trouble(visit, Stage::greeting, judgement)) {
    steps.add("banner", Status::fail, *why, time);
    return false;
  }
  if (!visit.heard.banner) return false;
  const Reply& banner = *visit.heard.banner;
  const bool is_open = banner.code == 220;
  steps.add("banner", is_open ? Status::ok : Status::fail,
            first_line(banner) + (is_open ? "" : greeting_meaning(banner)), time);
  return is_open;
}

std::string keywords(const Reply& ehlo) {
  std::string text;
  for (std::size_t i = 1; i < ehlo.lines.size(); ++i)
    text += fmt::format("{}{}", i == 1 ? "" : ", ", trimmed(ehlo.lines[i]));
  return text.empty() ? "no keywords" : text;
}

std::string_view refusal_meaning(int code) {
  return code / 100 == 5 ? ": EHLO is refused, so there can be no STARTTLS" : ": not now";
}

bool add_ehlo(Steps& steps, const Visit& visit, const Judgement& judgement) {
  const milliseconds time = took(visit, Stage::ehlo);
  if (const auto why = trouble(visit, Stage::ehlo, judgement)) {
    steps.add("ehlo", Status::fail, *why, time);
    return false;
  }
  if (!visit.heard.ehlo) return false;
  const bool is_taken = visit.heard.ehlo->code / 100 == 2;
  steps.add("ehlo", is_taken ? Status::ok : Status::fail,
            is_taken
                ? keywords(*visit.heard.ehlo)
                : fmt::format("{}{}", first_line(*visit.heard.ehlo), refusal_meaning(visit.heard.ehlo->code)),
            time);
  return is_taken;
}

bool add_starttls(Steps& steps, const Visit& visit, const Judgement& judgement) {
  const milliseconds time = took(visit, Stage::starttls);
  const Heard& heard = visit.heard;
  if (!offers(*heard.ehlo, "STARTTLS")) {
    steps.add("starttls", Status::fail,
              is_starttls_masked(heard)
                  ? "not offered: a firewall on the way wrote over a keyword of its length"
                  : "not offered");
    return false;
  }
  if (const auto why = trouble(visit, Stage::starttls, judgement)) {
    steps.add("starttls", Status::fail, *why, time);
    return false;
  }
  if (!heard.starttls) return false;
  if (heard.starttls->code != 220) {
    steps.add("starttls", Status::fail, first_line(*heard.starttls) + ": offered, but refused", time);
    return false;
  }
  if (!heard.after_starttls.empty())
    steps.add("starttls", Status::fail,
              fmt::format(
                  "bytes in plain text followed the 220 that begins TLS, as an attacker injects them; thrown "
                  "away: '{}'",
                  heard.after_starttls),
              time);
  else steps.add("starttls", Status::ok, first_line(*heard.starttls), time);
  return true;
}

// ---- TLS

Link link_of(const net::Certificate& one) {
  return {one.subject, one.issuer, one.serial,     one.key,      one.signature,
          one.sha1,    one.sha256, one.not_before, one.not_after};
}

std::vector<net::Certificate> certificates_of(const net::TlsFacts& facts, std::vector<std::string>& remarks) {
  std::vector<net::Certificate> chain;
  for (const std::string& der : facts.chain) {
    auto one = net::read_certificate(der);
    if (one) chain.push_back(std::move(*one));
    else remarks.push_back(one.error().message);
  }
  return chain;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t most = 6;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), most); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most) text += fmt::format(" and {} more", names.size() - most);
  return text.empty() ? "no name" : text;
}

void add_name(Steps& steps, const net::Certificate& own, const Judgement& judgement) {
  if (!judgement.tls_domain.empty()) {
    const bool is_right = is_for_tls_domain(own, judgement.tls_domain);
    steps.add("tls.name", is_right ? Status::ok : Status::fail,
              fmt::format("it is for {}{} TlsDomain {}", listed(own.names),
                          is_right ? ", as asked by" : ", not for", judgement.tls_domain));
  } else if (judgement.name.empty()) {
    steps.add("tls.name", Status::skipped,
              fmt::format("it is for {}; no name was asked for", listed(own.names)));
  } else if (net::is_for(own, judgement.name)) {
    steps.add("tls.name", Status::ok, fmt::format("it is for {}", judgement.name));
  } else {
    steps.add("tls.name", Status::fail,
              fmt::format("it is for {}, not for {}", listed(own.names), judgement.name));
  }
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

void add_certificate(Steps& steps, std::span<const net::Certificate> chain, const Judgement& judgement) {
  using enum net::Fault::Kind;
  const net::Certificate& own = chain.front();
  std::vector<std::string> of_chain, of_dates, of_key;
  for (const net::Fault& fault : judgement.trust->faults(chain, judgement.now)) {
    const bool is_date = fault.kind == expired || fault.kind == not_yet_valid;
    (fault.kind == weak ? of_key : is_date && fault.depth == 0 ? of_dates : of_chain).push_back(fault.text);
  }
  const std::string count =
      fmt::format("{} {} sent", chain.size(), chain.size() == 1 ? "certificate" : "certificates");
  if (judgement.trust->is_empty())
    steps.add("tls.chain", Status::unknown,
              count + ", but this machine trusts no authority (--ca-file, or install ca-certificates)");
  else if (of_chain.empty())
    steps.add("tls.chain", Status::ok, fmt::format("{}, issued by {}", count, own.issuer));
  else steps.add("tls.chain", Status::fail, joined(of_chain));
  add_name(steps, own, judgement);
  const auto days = std::chrono::floor<std::chrono::days>(own.not_after - judgement.now).count();
  if (of_dates.empty())
    steps.add("tls.validity", Status::ok, fmt::format("until {}, {} days", iso_date(own.not_after), days));
  else steps.add("tls.validity", Status::fail, joined(of_dates));
  if (of_key.empty()) steps.add("tls.key", Status::ok, fmt::format("{}, {}", own.key, own.signature));
  else steps.add("tls.key", Status::fail, joined(of_key));
}

void add_tls(Steps& steps, AddressResult& result, const Visit& visit, const Judgement& judgement) {
  const milliseconds time = took(visit, Stage::handshake);
  if (!visit.tls) {
    if (visit.stage != Stage::handshake || !visit.failure) return;
    const Failure& failure = *visit.failure;
    steps.add(
        "tls.handshake", Status::fail,
        failure.kind == Failure::Kind::tls ? failure.text : *trouble(visit, Stage::handshake, judgement),
        time);
    return;
  }
  const net::TlsFacts& facts = *visit.tls;
  steps.add("tls.handshake", Status::ok,
            fmt::format("{} {}{}{}", facts.version, facts.cipher, facts.key_exchange.empty() ? "" : " ",
                        facts.key_exchange),
            time);
  const auto chain = certificates_of(facts, result.remarks);
  Tls tls{facts.version, facts.cipher, facts.key_exchange, {}, {}, {}, 0};
  for (const net::Certificate& one : chain) tls.chain.push_back(link_of(one));
  if (!chain.empty()) {
    tls.names = chain.front().names;
    tls.exchange_name = net::exchange_name(chain.front());
    tls.days_left = std::chrono::floor<std::chrono::days>(chain.front().not_after - judgement.now).count();
    add_certificate(steps, chain, judgement);
  } else {
    steps.add("tls.chain", Status::fail, "the server sent no certificate that can be read");
  }
  result.tls = std::move(tls);
  const milliseconds again = took(visit, Stage::ehlo_in_tls);
  if (const auto why = trouble(visit, Stage::ehlo_in_tls, judgement))
    steps.add("ehlo.tls", Status::fail, *why, again);
  else if (visit.heard.ehlo_in_tls) {
    const Reply& ehlo = *visit.heard.ehlo_in_tls;
    steps.add("ehlo.tls", ehlo.code / 100 == 2 ? Status::ok : Status::fail,
              ehlo.code / 100 == 2 ? keywords(ehlo) : first_line(ehlo), again);
  }
}

// ---- beside the steps

void add_remarks(AddressResult& result, const Visit& visit) {
  const Heard& heard = visit.heard;
  for (std::string& sign : signs_of_inspection(heard)) result.remarks.push_back(std::move(sign));
  if (!heard.out_of_turn.empty())
    result.remarks.push_back(
        fmt::format("the server spoke out of turn; thrown away: '{}'", heard.out_of_turn));
  if (visit.repeated_packets > 0)
    result.remarks.push_back(
        fmt::format("{} packets had to be sent again: there is loss on the way", visit.repeated_packets));
  const auto has_bare_lf = [](const std::optional<Reply>& reply) { return reply && reply->has_bare_lf; };
  if (has_bare_lf(heard.banner) || has_bare_lf(heard.ehlo))
    result.remarks.emplace_back("lines end with LF alone, not with CR LF");
}

void add_recipient(std::vector<Step>& steps, const Visit& visit, const Judgement& judgement) {
  if (judgement.limits->recipient.empty()) return;
  const Heard& heard = visit.heard;
  const std::optional<Reply>& last = heard.rcpt ? heard.rcpt : heard.mail;
  Step step{"recipient", Status::skipped, "asked inside TLS alone", took(visit, Stage::rcpt)};
  if (last) {
    const int kind = last->code / 100;
    step.status = kind == 2 && heard.rcpt ? Status::ok : kind == 4 ? Status::unknown : Status::fail;
    step.text = first_line(*last) + (kind == 4 ? ": not now, perhaps greylisting" : "");
  }
  for (const Stage stage : {Stage::mail, Stage::rcpt})
    if (const auto why = trouble(visit, stage, judgement)) step.status = Status::unknown, step.text = *why;
  steps.push_back(std::move(step));
}

bool has_quit(const Visit& visit) { return visit.stage == Stage::quit; }

}  // namespace

std::string_view to_string(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::fail: return "fail";
    case Status::unknown: return "unknown";
    case Status::skipped: return "skipped";
  }
  return "";
}

const Step* step_named(const std::vector<Step>& steps, std::string_view id) {
  const auto found = std::ranges::find(steps, id, &Step::id);
  return found == steps.end() ? nullptr : &*found;
}

bool has_failed(const AddressResult& result) {
  return std::ranges::any_of(result.steps, [](const Step& step) { return step.status == Status::fail; });
}

bool is_for_tls_domain(const net::Certificate& certificate, std::string_view tls_domain) {
  if (!tls_domain.starts_with("*.")) return net::is_for(certificate, tls_domain);
  const std::string end = lower(tls_domain.substr(1));
  return std::ranges::any_of(certificate.names,
                             [&](const std::string& name) { return lower(name).ends_with(end); });
}

AddressResult judged(Address address, const Visit& visit, const Judgement& judgement) {
  AddressResult result;
  result.address = address;
  result.from = visit.from;
  Steps steps;
  add_tcp(steps, visit, judgement);
  if (visit.from && add_banner(steps, visit, judgement) && add_ehlo(steps, visit, judgement) &&
      add_starttls(steps, visit, judgement))
    add_tls(steps, result, visit, judgement);
  result.steps = std::move(steps).all();
  add_recipient(result.steps, visit, judgement);
  result.steps.push_back({"quit", has_quit(visit) ? Status::ok : Status::skipped,
                          has_quit(visit) ? "said QUIT before any mail" : "", took(visit, Stage::quit)});
  const std::optional<Reply>& ehlo = visit.heard.ehlo_in_tls ? visit.heard.ehlo_in_tls : visit.heard.ehlo;
  if (ehlo)
    for (std::size_t i = 1; i < ehlo->lines.size(); ++i)
      result.capabilities.emplace_back(trimmed(ehlo->lines[i]));
  add_remarks(result, visit);
  result.transcript = visit.transcript;
  return result;
}

}  // namespace aclmend::probe
