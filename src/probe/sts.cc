#include "probe/sts.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::probe {
namespace {

using Answered = net::DnsAnswer::Status;

constexpr std::size_t longest_policy = 64 * 1024;  // RFC 8461 3.3
constexpr std::uint32_t longest_age = 31'557'600;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// RFC 8461 3.1: "v=STSv1; id=20160831085700Z;"
bool is_sts_record(std::string_view text) { return text.starts_with("v=STSv1;") || text == "v=STSv1"; }

bool has_id(std::string_view text) {
  return std::ranges::any_of(split(text, ';'), [](std::string_view field) {
    field = trimmed(field);
    if (!field.starts_with("id=")) return false;
    field.remove_prefix(3);
    return !field.empty() && field.size() <= 32 && std::ranges::all_of(field, is_alphanumeric);
  });
}

Error bad_line(std::uint32_t line, std::string message) {
  return {.message = std::move(message), .file = "mta-sts.txt", .line = line, .hint = {}};
}

Result<StsPolicy::Mode> mode_named(std::string_view word, std::uint32_t line) {
  using enum StsPolicy::Mode;
  for (const StsPolicy::Mode mode : {none, testing, enforce})
    if (word == to_string(mode)) return mode;
  return fail(bad_line(line, fmt::format("expected mode: enforce, testing or none, found '{}'", word)));
}

Step sts(Status status, std::string text) { return {"mta-sts", status, std::move(text)}; }

}  // namespace

std::string_view to_string(StsPolicy::Mode mode) {
  switch (mode) {
    case StsPolicy::Mode::none: return "none";
    case StsPolicy::Mode::testing: return "testing";
    case StsPolicy::Mode::enforce: return "enforce";
  }
  return "";
}

Result<StsPolicy> read_sts_policy(std::string_view body) {
  if (body.size() > longest_policy) return fail(bad_line(0, "the policy is larger than 64 KiB"));
  StsPolicy policy;
  bool has_version = false, has_mode = false, has_age = false;
  std::uint32_t number = 0;
  for (std::string_view line : split(body, '\n')) {
    ++number;
    line = trimmed(line);
    if (line.empty()) continue;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
      return fail(bad_line(number, fmt::format("expected 'key: value', found '{}'", line.substr(0, 60))));
    const std::string_view key = trimmed(line.substr(0, colon)), value = trimmed(line.substr(colon + 1));
    if (key == "version") {
      if (value != "STSv1")
        return fail(bad_line(number, fmt::format("expected version: STSv1, found '{}'", value)));
      has_version = true;
    } else if (key == "mode" && !has_mode) {
      TRY(mode, mode_named(value, number));
      policy.mode = mode;
      has_mode = true;
    } else if (key == "max_age" && !has_age) {
      const auto age = parse_decimal<std::uint32_t>(value);
      if (!age || *age > longest_age)
        return fail(
            bad_line(number, fmt::format("expected max_age: 0 to {}, found '{}'", longest_age, value)));
      policy.max_age = *age;
      has_age = true;
    } else if (key == "mx" && policy.hosts.size() < 1000) {
      policy.hosts.push_back(lower(value));
    }
  }
  if (!has_version || !has_mode || !has_age)
    return fail(bad_line(0, fmt::format("the policy has no {}", !has_version ? "version"
                                                                : !has_mode  ? "mode"
                                                                             : "max_age")));
  if (policy.hosts.empty() && policy.mode != StsPolicy::Mode::none)
    return fail(bad_line(0, "the policy names no mx"));
  return policy;
}

bool allows(const StsPolicy& policy, std::string_view host) {
  const std::string name = lower(host);
  return std::ranges::any_of(policy.hosts, [&](const std::string& pattern) {
    if (!pattern.starts_with("*.")) return pattern == name;
    const std::size_t dot = name.find('.');
    return dot != std::string::npos && dot > 0 && name.substr(dot) == pattern.substr(1);
  });
}

Sts look_up_sts(const std::string& domain, const Ask& ask, const Fetch& fetch) {
  const net::DnsAnswer answer = ask(fmt::format("_mta-sts.{}", domain), net::RecordType::txt);
  if (answer.status == Answered::failed || answer.status == Answered::timed_out)
    return {sts(Status::unknown, answer.text), {}};
  std::vector<std::string> records;
  for (const net::Record& one : answer.records)
    if (is_sts_record(one.text)) records.push_back(one.text);
  if (records.empty()) return {sts(Status::skipped, "no MTA-STS record"), {}};
  if (records.size() > 1)
    return {sts(Status::skipped, "several MTA-STS records: senders take it for none (RFC 8461 3.1)"), {}};
  if (!has_id(records.front()))
    return {sts(Status::skipped, fmt::format("an MTA-STS record without a valid id: '{}'", records.front())),
            {}};
  const std::string url = fmt::format("https://mta-sts.{}/.well-known/mta-sts.txt", domain);
  const Fetched fetched = fetch(url);
  if (fetched.status != 200)
    return {sts(Status::unknown, fetched.status == 0
                                     ? fmt::format("{}: {}", url, fetched.error)
                                     : fmt::format("{} answers with HTTP {}", url, fetched.status)),
            {}};
  if (!lower(fetched.content_type).starts_with("text/plain"))
    return {sts(Status::unknown,
                fmt::format("{} is of type '{}', text/plain is expected", url, fetched.content_type)),
            {}};
  auto policy = read_sts_policy(fetched.body);
  if (!policy) return {sts(Status::unknown, to_string(policy.error())), {}};
  Step step =
      sts(Status::ok, fmt::format("mode {}, for {} seconds", to_string(policy->mode), policy->max_age));
  return {std::move(step), std::move(*policy)};
}

Step sts_step(const Sts& sts, std::string_view host) {
  if (!sts.policy || sts.policy->mode == StsPolicy::Mode::none || allows(*sts.policy, host)) return sts.step;
  Step step = sts.step;
  const bool is_enforced = sts.policy->mode == StsPolicy::Mode::enforce;
  step.status = is_enforced ? Status::fail : Status::unknown;
  step.text = fmt::format("{}, but the policy does not name {}{}", step.text, host,
                          is_enforced ? ": senders that check it do not deliver there" : "");
  return step;
}

}  // namespace aclmend::probe
