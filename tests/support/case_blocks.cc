// The questions a case file can ask, one function each; the table stands at the end.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "model/trace.h"
#include "tests/support/case_file.h"

namespace aclmend::test {
namespace {

using model::Context;
using model::Decision;
using model::Policy;

// The words of a question; "…" keeps blanks together.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false, any = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted, any = true;
    else if (c == ' ' && !quoted) {
      if (any) words.push_back(std::exchange(word, {}));
      any = false;
    } else word += c, any = true;
  }
  if (any) words.push_back(word);
  return words;
}

std::string place(const Policy& policy, Span span) {
  return fmt::format("{}:{}", model::file_of(policy, span), model::line_of(policy, span));
}

std::string rule_with_place(const Policy& policy, model::RuleRef ref) {
  return fmt::format("{} ({})", model::rule_name(policy, ref), place(policy, policy.rule(ref).span));
}

// ---- trace --------------------------------------------------------------------------------------------

struct Endpoint {
  Address address;
  std::optional<std::uint16_t> port;
};

// "10.1.1.1", "10.1.1.1:25", "2001:db8::1", "[2001:db8::1]:25"
Result<Endpoint> endpoint(std::string_view word) {
  std::string_view host = word, port;
  if (word.starts_with('[') && word.find(']') != std::string_view::npos) {
    host = word.substr(1, word.find(']') - 1);
    port = word.substr(word.find(']') + 1);
  } else if (std::ranges::count(word, ':') == 1) {
    host = word.substr(0, word.find(':'));
    port = word.substr(word.find(':'));
  }
  const auto address = parse_address(host);
  if (!address) return fail(fmt::format("expected an address, found '{}'", word));
  if (port.empty()) return Endpoint{*address, {}};
  const auto number = parse_decimal<std::uint16_t>(port.substr(1));
  if (!number) return fail(fmt::format("expected a port after ':', found '{}'", word));
  return Endpoint{*address, number};
}

struct TraceQuestion {
  model::TraceQuestion asked;
  std::string ingress;
  const Device* device = nullptr;
  bool with_path = false;
};

Result<const Device*> device_named(const CaseSubject& subject, std::string_view scope) {
  std::string choices;
  for (const Device& device : subject.reading->devices) {
    if (device.scope == scope || (scope.empty() && subject.reading->devices.size() == 1)) return &device;
    choices += " " + device.scope;
  }
  return fail(fmt::format("which device? context{}", choices));
}

Result<model::ConditionId> condition_named(const Policy& policy, std::string_view name) {
  std::string choices;
  for (std::size_t i = 0; i < policy.conditions.size(); ++i) {
    const std::string its = model::to_string(policy.conditions[i]);
    if (its == name) return static_cast<model::ConditionId>(i);
    choices += fmt::format(" '{}'", its);
  }
  return fail(fmt::format("no condition '{}'; there are:{}", name, choices));
}

Result<model::ListId> list_named(const Policy& policy, std::string_view name) {
  const auto found = std::ranges::find(policy.lists, name, &model::RuleList::name);
  if (found == policy.lists.end()) return fail(fmt::format("no list '{}'", name));
  return static_cast<model::ListId>(found - policy.lists.begin());
}

std::optional<model::Dimension> dimension_named(std::string_view word) {
  using enum model::Dimension;
  constexpr std::pair<std::string_view, model::Dimension> names[] = {
      {"ingress", ingress}, {"egress", egress},   {"application", application},
      {"program", program}, {"profile", profile}, {"direction", direction}};
  for (const auto& [name, dimension] : names)
    if (name == word) return dimension;
  return std::nullopt;
}

Result<bool> apply_option(TraceQuestion& question, std::string_view option, std::string_view value) {
  const Policy& policy = question.device->policy;
  if (option == "context") return true;  // chose the device already
  if (option == "chain") {
    TRY(list, list_named(policy, value));
    question.asked.context.chain = list;
    return true;
  }
  if (option == "assume") {
    const std::size_t equals = value.rfind('=');
    const std::string_view state = equals == std::string_view::npos ? "" : value.substr(equals + 1);
    if (state != "on" && state != "off") return fail("expected assume \"CONDITION\"=on or =off");
    TRY(condition, condition_named(policy, value.substr(0, equals)));
    question.asked.context.assumed[condition] = state == "on";
    return true;
  }
  if (option == "icmp-type" || option == "code") {
    const auto number = parse_decimal<std::uint8_t>(value);
    if (!number) return fail(fmt::format("expected a number after {}, found '{}'", option, value));
    (option == "code" ? question.asked.packet.destination_port : question.asked.packet.source_port) = *number;
    return true;
  }
  const auto dimension = dimension_named(option);
  if (!dimension)
    return fail(
        fmt::format("no such word '{}'; there are ingress, egress, chain, context, assume, icmp-type, "
                    "code, application, program, profile, direction, path",
                    option));
  question.asked.context.known[*dimension] = value;
  if (*dimension == model::Dimension::ingress) question.ingress = value;
  return true;
}

// PROTO SRC[:PORT] > DST[:PORT] [WORD VALUE]… [path]
Result<TraceQuestion> trace_question(const CaseSubject& subject, std::string_view text) {
  std::vector<std::string> words = words_of(text);
  TraceQuestion question;
  if (!words.empty() && words.back() == "path") question.with_path = true, words.pop_back();
  if (words.size() < 4 || words[2] != ">" || words.size() % 2 != 0)
    return fail("expected PROTO SRC[:PORT] > DST[:PORT] and pairs of words");
  const auto protocol = protocol_number(words[0]);
  if (!protocol) return fail(fmt::format("no such protocol '{}'", words[0]));
  TRY(from, endpoint(words[1]));
  TRY(to, endpoint(words[3]));
  constexpr std::uint16_t usual_source_port = 40000;
  const bool has_ports =
      *protocol == protocol::tcp || *protocol == protocol::udp || *protocol == protocol::sctp;
  if (has_ports && !to.port) return fail(fmt::format("{} needs a destination port", words[0]));
  question.asked.packet = {from.address, to.address, *protocol,
                           from.port.value_or(has_ports ? usual_source_port : std::uint16_t{0}),
                           to.port.value_or(std::uint16_t{0})};
  if (has_ports && !from.port) question.asked.source_ports = PortSet(1024, 65535);
  std::string_view scope;
  for (std::size_t i = 4; i < words.size(); i += 2)
    if (words[i] == "context") scope = words[i + 1];
  TRY(device, device_named(subject, scope));
  question.device = device;
  for (std::size_t i = 4; i < words.size(); i += 2)
    if (const auto done = apply_option(question, words[i], words[i + 1]); !done) return fail(done.error());
  return question;
}

std::string verdict_line(const Policy& policy, const Decision& decision) {
  const std::string verdict(model::to_string(decision.verdict));
  if (decision.decider.rule)
    return fmt::format("{} by {}\n", verdict, rule_with_place(policy, *decision.decider.rule));
  if (!decision.decider.stage) return verdict + "\n";
  const auto* stage = std::get_if<model::Stage>(&policy.nodes[*decision.decider.stage]);
  return fmt::format("{}: {}\n", verdict, stage != nullptr ? stage->implicit : "a default");
}

std::string to_text(const Packet& packet) {
  const std::string address = aclmend::to_string(packet.destination);
  return packet.destination.is_v4() ? fmt::format("{}:{}", address, packet.destination_port)
                                    : fmt::format("[{}]:{}", address, packet.destination_port);
}

std::string_view to_text(model::Hop::Outcome outcome) {
  switch (outcome) {
    case model::Hop::Outcome::no_match: return "no match";
    case model::Hop::Outcome::possible: return "possible";
    case model::Hop::Outcome::match: return "match";
  }
  return "";
}

Result<std::string> trace(const CaseSubject& subject, std::string_view words) {
  if (!subject.reading) return to_string(subject.reading.error());
  TRY(question, trace_question(subject, words));
  const Policy& policy = question.device->policy;
  TRY(answer, model::trace(policy, question.asked));
  const Decision& decision = answer.decision;
  std::string out = verdict_line(policy, decision);
  for (const model::OpenCondition& open : decision.conditions) {
    if (decision.verdict != model::Verdict::unknown) break;  // what hung on them came out the same
    out += "  " + model::to_string(policy.conditions[open.condition]);
    out += open.rule ? fmt::format(": {}\n", rule_with_place(policy, *open.rule)) : "\n";
  }
  for (const model::PortAnswer& part : answer.ports)
    if (answer.ports.size() > 1)
      out +=
          fmt::format("  {} from source ports {}\n", model::to_string(part.verdict), to_string(part.ports));
  if (decision.translated) out += fmt::format("translated to {}\n", to_text(*decision.translated));
  if (question.with_path)
    for (const model::Hop& hop : decision.path)
      out += fmt::format("path {}: {}\n", rule_with_place(policy, hop.rule), to_text(hop.outcome));
  return out;
}

Result<std::string> verify(const CaseSubject& subject, std::string_view words) {
  if (!subject.reading) return to_string(subject.reading.error());
  TRY(question, trace_question(subject, words));
  std::string out;
  for (const std::string& command :
       subject.vendor.verify(*question.device, question.asked.packet, question.ingress))
    out += command + "\n";
  return out.empty() ? "none" : out;
}

// ---- what the reader said -----------------------------------------------------------------------------

Result<std::string> diagnostics(const CaseSubject& subject, std::string_view) {
  if (!subject.reading) return to_string(subject.reading.error());
  std::string out;
  for (const Diagnostic& one : subject.reading->diagnostics.all()) {
    const Source& source = *subject.sources[one.span.source];
    const Position at = source.position(one.span.begin);
    out +=
        fmt::format("{}:{}:{}: {}: {} [{}]\n", source.name(), at.line, at.column,
                    aclmend::to_string(one.severity), printable(one.message), aclmend::to_string(one.effect));
  }
  return out.empty() ? "none" : out;
}

std::string counts_line(const LineCounts& n) {
  return fmt::format(
      "{} lines: {} decide, {} no effect, {} not supported, {} partly understood, {} not understood\n",
      n.total, n.decides, n.no_effect, n.not_supported, n.partly_understood, n.not_understood);
}

std::string ledger_lines(const Source& source, const Ledger& ledger, std::string_view prefix) {
  std::string out;
  std::string_view rest = source.text();
  for (std::size_t i = 0; i < ledger.lines.size(); ++i) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    while (line.ends_with(' ') || line.ends_with('\r')) line.remove_suffix(1);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    out += fmt::format("{}{:>2} {:<17}|{}{}\n", prefix, i + 1, aclmend::to_string(ledger.lines[i]),
                       line.empty() ? "" : " ", printable(line));
  }
  return out;
}

// A line each; `--- ledger counts` the sums alone.
Result<std::string> ledger(const CaseSubject& subject, std::string_view words) {
  if (!words.empty() && words != "counts")
    return fail(fmt::format("no such word '{}'; there is counts", words));
  if (!subject.reading) return to_string(subject.reading.error());
  const std::size_t count = subject.sources.size() - subject.first_told;
  if (subject.reading->ledgers.size() != count) return fail("not one ledger a source");
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    const Source& source = *subject.sources[subject.first_told + i];
    const Ledger& its = subject.reading->ledgers[i];
    if (its.lines.size() != source.line_count())
      return fail(fmt::format("{} has {} lines, its ledger {}", source.name(), source.line_count(),
                              its.lines.size()));
    const std::string prefix = count == 1 ? "" : source.name() + ":";
    out += words == "counts" ? prefix + counts_line(its.counts()) : ledger_lines(source, its, prefix);
  }
  return out;
}

// What a device says of itself: `--- device [CONTEXT]`.
Result<std::string> device(const CaseSubject& subject, std::string_view words) {
  if (!subject.reading) return to_string(subject.reading.error());
  TRY(its, device_named(subject, words));
  std::string out = fmt::format("summary: {}\n", its->summary);
  for (const std::string& text : its->inferred) out += fmt::format("inferred: {}\n", text);
  for (const std::string& text : its->not_examined) out += fmt::format("not examined: {}\n", text);
  for (const model::Notice& notice : its->policy.notices)
    out += fmt::format("notice: {} ({})\n", notice.text, place(its->policy, notice.span));
  return out;
}

constexpr CaseKind kinds[] = {
    {"trace", trace},   {"verify", verify},      {"diagnostics", diagnostics}, {"ledger", ledger},
    {"device", device}, {"audit", answer_audit}, {"fix", answer_fix},
};

}  // namespace

std::vector<std::string> case_words(std::string_view text) { return words_of(text); }
Result<const Device*> case_device(const CaseSubject& subject, std::string_view scope) {
  if (!subject.reading) return fail(subject.reading.error());
  return device_named(subject, scope);
}
Result<model::ConditionId> case_condition(const model::Policy& policy, std::string_view name) {
  return condition_named(policy, name);
}

std::span<const CaseKind> case_kinds() { return kinds; }

}  // namespace aclmend::test
