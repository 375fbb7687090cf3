#include "cli/gathering.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "base/digest.h"
#include "base/file.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/examine.h"
#include "cli/frame.h"
#include "probe/probe.h"
#include "report/terminal/layout.h"

namespace aclmend::cli {
namespace {

using diagnose::Facts;
using diagnose::Firewall;
using inventory::PlannedDevice;

std::int64_t micros_now() {
  using std::chrono::microseconds;
  return std::chrono::duration_cast<microseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<Lines> lines_of(const OutageInput& input) {
  if (input.text) return Lines::over(input.name, *input.text);
  return Lines::open(input.name);
}

// "version:" and "devices:" or "mail:" at the beginnings of lines.
bool is_inventory(std::string_view head) {
  bool has_version = false, has_more = false;
  for (const std::string_view line : split(head, '\n')) {
    has_version = has_version || line.starts_with("version:");
    has_more = has_more || line.starts_with("devices:") || line.starts_with("mail:") ||
               line.starts_with("endpoints:");
  }
  return has_version && has_more;
}

// Error texts before logs, whatever the order they were named in.
bool is_of_texts(std::string_view head) {
  Lines lines = Lines::over("", std::string(head.substr(0, 64 << 10)));
  const evidence::Reading reading = evidence::read(lines, {}, {});
  return std::ranges::any_of(reading.sources, [](const evidence::SourceCount& source) {
    return source.source == "deferral" || source.source == "ndr" || source.source == "message-trace" ||
           source.source == "queue";
  });
}

// Of what to export the part that may leave the device, where the vendor names one: behind a line with a
// colon.
std::string may_leave(std::string_view how_to_export) {
  const std::size_t at = how_to_export.find(":\n");
  return std::string(at == std::string_view::npos ? how_to_export : how_to_export.substr(at + 2));
}

class Work {
 public:
  Work(const GatherOptions& options, Streams& streams) : options_(options), streams_(streams) {}

  Result<Gathered> run(const std::vector<OutageInput>& inputs) {
    GatherOptions with_files = options_;
    for (const OutageInput& input : inputs) {
      if (input.kind == InputKind::configuration) with_files.ask.device.files.push_back(input.name);
      if (input.kind == InputKind::inventory) with_files.ask.flow.inventory = input.name;
      if (!input.text) result_.facts.inputs.push_back(input.name);
    }
    ask_ = with_files.ask;
    TRY(asking, asking_of(ask_, NoDevice::is_fine));
    if (auto error = put_list(asking)) return fail(std::move(*error));
    put_inquiries();
    std::vector<Opened> texts, logs;
    open_evidence(inputs, texts, logs);
    diagnose::Gatherer gatherer(facts());
    for (Opened& one : texts) read_one(*one.input, one.lines, gatherer);
    for (const PlannedDevice& planned : asking.devices)
      if (auto error = audit_one(asking, with_mail_host(planned), inputs)) return fail(std::move(*error));
    put_local();
    for (Opened& one : logs) read_one(*one.input, one.lines, gatherer);
    put_host();
    put_commands();
    return std::move(result_);
  }

 private:
  Facts& facts() { return result_.facts; }

  void say(const Error& error) {
    not_judged(streams_, error);
    result_.has_unread_input = true;
  }

  // ---- the list in force

  std::optional<Error> put_list(const Asking& asking) {
    constexpr std::string_view flow_id = "eop-inbound-smtp";
    const auto flow = std::ranges::find(asking.flows, flow_id, &inventory::Flow::id);
    if (flow == asking.flows.end()) return Error{.message = "there is no flow eop-inbound-smtp", .file = {}};
    const endpoints::Release& release = asking.list.release;
    const auto required = audit::required_of(
        *flow, release, [&](const endpoints::Selection& selection) { return asking.list.coming(selection); });
    if (!required) return required.error();
    Facts& all = facts();
    all.flow = flow_id;
    all.list = release.version.empty() ? "list of " + release.as_of : "list " + release.version;
    all.ranges = required->now.prefixes();
    all.required = all.ranges.size();
    const std::vector<Prefix> pool = endpoints::relay_pool().prefixes();
    all.ranges.insert(all.ranges.end(), pool.begin(), pool.end());
    all.microsoft = endpoints::addresses(std::span<const endpoints::Row>(release.rows)) | required->now |
                    endpoints::relay_pool();
    for (const std::string& text : ask_.flow.to)
      if (const auto address = parse_address(text)) all.to.push_back(*address);
    all.host = options_.host;
    return std::nullopt;
  }

  // How each kind of firewall is asked; the packet is one of the first range.
  void put_inquiries() {
    Facts& all = facts();
    for (const Vendor* vendor : all_vendors())
      all.inquiries.push_back(
          {std::string(vendor->id), std::string(vendor->title), "", "", may_leave(vendor->how_to_export)});
    for (const auto formats : evidence::vendor_logs())
      for (const evidence::LogFormat& format : formats) {
        if (format.search.empty()) continue;
        auto known = std::ranges::find(all.inquiries, format.vendor, &diagnose::Inquiry::vendor);
        if (known == all.inquiries.end()) {
          const std::string title(format.title.substr(0, format.title.find(" log")));
          all.inquiries.push_back({std::string(format.vendor), title, "", "", ""});
          known = all.inquiries.end() - 1;
        }
        known->search = format.search;
      }
  }

  // The device's own command for the packet of the story, once it is known which one that is.
  void put_commands() {
    Facts& all = facts();
    Packet packet;
    if (all.match) packet.source = all.match->source;
    else if (!all.ranges.empty())
      packet.source = Address{all.ranges[0].address.family, all.ranges[0].address.number + 1};
    for (const Firewall& firewall : all.firewalls)
      for (const audit::Finding& finding : firewall.audit.findings)
        if (!all.match && finding.flow == all.flow && finding.witness)
          packet.source = finding.witness->source;
    std::optional<Address> host;
    if (!all.to.empty()) host = all.to.front();
    for (const diagnose::Deferred& deferred : all.deferrals)
      if (!host && deferred.address && !all.microsoft.contains(*deferred.address)) host = deferred.address;
    std::string ingress = "outside";
    for (const Firewall& firewall : all.firewalls)
      for (const audit::Check& check : firewall.audit.checks) {
        if (!host) host = check.destination;
        if (!check.ingress.empty()) ingress = check.ingress;
      }
    if (!host) return;
    packet.destination = *host;
    packet.protocol = protocol::tcp;
    packet.source_port = 40000;
    packet.destination_port = 25;
    for (diagnose::Inquiry& inquiry : all.inquiries)
      for (const Vendor* vendor : all_vendors()) {
        if (vendor->id != inquiry.vendor || vendor->editing == nullptr) continue;
        const auto commands = vendor->verify(Device{}, packet, ingress);
        if (commands.size() == 1) inquiry.ask = commands.front();
      }
  }

  // ---- configurations

  Result<intake::Intake> intake_of(const PlannedDevice& planned, const std::vector<OutageInput>& inputs) {
    TRY(request, request_for(ask_, planned));
    for (const OutageInput& input : inputs)
      if (input.text && planned.files == std::vector<std::string>{input.name})
        return intake::read_sources({std::make_shared<const Source>(input.name, *input.text)}, request.vendor,
                                    request.options);
    return intake::read_device(request);
  }

  std::optional<Error> audit_one(const Asking& asking, const PlannedDevice& planned,
                                 const std::vector<OutageInput>& inputs) {
    const auto intake = intake_of(planned, inputs);
    if (!intake) {
      put_unreadable(planned, intake.error());
      return std::nullopt;
    }
    const auto chosen = devices_asked(*intake, planned);
    if (!chosen) {
      put_unreadable(planned, chosen.error());
      return std::nullopt;
    }
    for (const Device* device : *chosen) {
      auto audited = examined(asking, ask_, planned,
                              {*intake, *device, chosen->size() > 1 ? OneOf::several : OneOf::one});
      if (!audited) return audited.error();
      put_names(device->policy);
      put_firewall(planned, *intake, *device, std::move(*audited));
    }
    add_reading(result_.frame, *intake, options_.wants_digests ? Digests::wanted : Digests::left_out);
    result_.diagnostics += diagnostics_text(*intake);
    return std::nullopt;
  }

  void put_unreadable(const PlannedDevice& planned, const Error& error) {
    const report::AuditedDevice device = unreadable(planned, error);
    Firewall& firewall = facts().firewalls.emplace_back();
    firewall.name = device.name;
    firewall.file = device.file;
    firewall.audit.error = error.message;
    say(error);
  }

  void put_firewall(const PlannedDevice& planned, const intake::Intake& intake, const Device& device,
                    report::AuditedDevice audited) {
    Firewall& firewall = facts().firewalls.emplace_back();
    firewall.name = audited.name;
    firewall.file = audited.file;
    firewall.vendor = audited.vendor;
    firewall.summary = audited.summary;
    firewall.audit = std::move(audited.audit);
    for (const audit::Inference& inference : firewall.audit.inferred)
      result_.frame.inferred.push_back(inference.what);
    for (const std::string& assumed : audited.assumed) result_.frame.assumed.push_back(assumed);
    if (device.written) {
      firewall.written = device.written->time;
      firewall.written_at = place(device, device.written->span);
    }
    if (!firewall.audit.error.empty()) {
      say({.message = firewall.audit.error, .file = firewall.file});
      return;
    }
    put_answer(firewall, *intake.vendor, device);
    const bool is_blocked = std::ranges::any_of(firewall.audit.checks, [&](const audit::Check& check) {
      return check.flow == facts().flow && check.status == audit::Status::fail;
    });
    if (is_blocked && planned.files.size() == 1 && ask_.flow.inventory.empty() &&
        intake.vendor->editing != nullptr) {
      AskOptions alone = ask_;
      alone.device.files.clear();
      firewall.fix = "aclmend fix " + for_a_shell(firewall.file) + as_typed(alone);
    }
  }

  static diagnose::Place place(const Device& device, Span span) {
    const SourcePtr& source = device.policy.sources[span.source];
    return {source->name(), source->position(span.begin).line,
            std::string(trimmed(source->line_at(span.begin)))};
  }

  void put_answer(Firewall& firewall, const Vendor& vendor, const Device& device) {
    if (vendor.on_deny == nullptr) return;
    for (const audit::Check& check : firewall.audit.checks) {
      if (check.flow != facts().flow || check.status != audit::Status::fail) continue;
      const auto denied = std::ranges::find(check.stretches, audit::Status::fail, &audit::Stretch::status);
      if (denied == check.stretches.end()) continue;
      const OnDeny answer = vendor.on_deny(
          device, denied->by ? std::string_view(denied->by->text) : std::string_view(), check.ingress);
      switch (answer.denial) {
        case Denial::unknown: return;
        case Denial::refusal: firewall.answer = Firewall::Answer::refusal; break;
        case Denial::silence: firewall.answer = Firewall::Answer::silence; break;
      }
      firewall.answer_because = answer.because;
      if (answer.span) firewall.answer_at = place(device, *answer.span);
      else if (denied->by) firewall.answer_at = {denied->by->file, denied->by->line, denied->by->text};
      else firewall.answer_at = {firewall.file, 0, {}};
      return;
    }
  }

  // Names that a firewall prints in its log in place of an address.
  void put_names(const model::Policy& policy) {
    constexpr std::size_t most = 100'000;
    for (const model::AddressGroup& group : policy.groups) {
      if (group.name.empty() || names_.size() >= most || group.addresses.is_open()) continue;
      const AddressSet& set = group.addresses.certain;
      const auto lowest = set.lowest();
      if (lowest && AddressSet(*lowest) == set) names_.emplace(group.name, *lowest);
    }
  }

  // ---- evidence

  struct Opened {
    const OutageInput* input;
    Lines lines;
  };

  void open_evidence(const std::vector<OutageInput>& inputs, std::vector<Opened>& texts,
                     std::vector<Opened>& logs) {
    evidence_options_.now = micros_now();
    evidence_options_.zone = options_.zone;
    evidence_options_.context.address_of = [this](std::string_view name) -> std::optional<Address> {
      const auto found = names_.find(name);
      return found == names_.end() ? std::nullopt : std::optional(found->second);
    };
    for (const OutageInput& input : inputs) {
      if (input.kind != InputKind::evidence) continue;
      auto lines = lines_of(input);
      if (!lines) {
        say(lines.error());
        continue;
      }
      auto& group = is_of_texts(lines->head()) ? texts : logs;
      group.push_back({&input, std::move(*lines)});
    }
  }

  // Which addresses stand on the near side: some logs do not tell who opened a connection.
  void put_local() {
    AddressSet& local = evidence_options_.context.local;
    for (const Address address : facts().to) local |= AddressSet(address);
    for (const Firewall& firewall : facts().firewalls)
      for (const audit::Check& check : firewall.audit.checks) {
        if (check.destination) local |= AddressSet(*check.destination);
        if (check.translated_to) local |= AddressSet(*check.translated_to);
      }
  }

  void put_host() {
    for (const diagnose::Deferred& deferred : facts().deferrals)
      if (facts().host.empty() && !deferred.is_own_servers) facts().host = deferred.host;
  }

  // The mail host that the error texts name, where nobody named another: a firewall that does not know it is
  // not asked.
  PlannedDevice with_mail_host(PlannedDevice planned) {
    constexpr std::size_t most = 8;
    if (!planned.question.to.empty()) return planned;
    for (const diagnose::Deferred& deferred : facts().deferrals) {
      const auto& address = deferred.address;
      if (!address || deferred.is_own_servers || facts().microsoft.contains(*address)) continue;
      std::vector<Address>& to = planned.question.to;
      if (to.size() < most && std::ranges::find(to, *address) == to.end()) to.push_back(*address);
    }
    if (!planned.question.to.empty()) planned.asked = inventory::Asked::if_it_knows_the_mail_host;
    return planned;
  }

  void read_one(const OutageInput& input, Lines& lines, diagnose::Gatherer& gatherer) {
    constexpr std::size_t columns = 200;
    gatherer.begin(lines.name());
    const evidence::Handlers handlers{.record = [&](const evidence::Record& record) { gatherer.add(record); },
                                      .unread =
                                          [&](const evidence::Unread& one) {
                                            if (!options_.shows_unread) return;
                                            streams_.err << fmt::format(
                                                "{}:{}: {}: {}\n", printable(input.name), one.line,
                                                one.reason, report::terminal::shortened(one.text, columns));
                                          }};
    const evidence::Reading reading = evidence::read(lines, evidence_options_, handlers);
    gatherer.end(reading);
    put_input(input, reading);
    if (!reading.is_recognised()) {
      say({.message = "is nothing that is read as evidence",
           .file = input.name,
           .line = 0,
           .column = 0,
           .hint = "read are: error texts (450 4.4.316 …), message traces, Exchange's logs, firewalls' logs\n"
                   "and configurations; --show-unread prints what was not read"});
    } else if (!reading.trouble.empty() && !reading.trouble.ends_with("cut off")) {
      say({.message = reading.trouble, .file = input.name});
    }
  }

  void put_input(const OutageInput& input, const evidence::Reading& reading) {
    report::InputFile file;
    file.file = input.name;
    if (options_.wants_digests) {
      if (input.text) file.sha256 = sha256_hex(*input.text);
      else if (auto digest = file_sha256(input.name)) file.sha256 = std::move(*digest);
      else file.sha256 = sha256_hex(std::string_view());  // a pipe: it was read away
    }
    file.lines.total = static_cast<std::uint32_t>(reading.lines);
    file.lines.decides =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(reading.records(), reading.lines));
    std::uint64_t not_read = 0;
    for (const auto* counts : {&reading.unread, &reading.damaged})
      for (const evidence::ReasonCount& one : *counts) not_read += one.count;
    file.lines.not_understood = static_cast<std::uint32_t>(not_read);
    const std::uint64_t rest = reading.lines - std::min(reading.lines, file.lines.decides + not_read);
    file.lines.no_effect = static_cast<std::uint32_t>(rest);
    result_.frame.inputs.push_back(std::move(file));
  }

  const GatherOptions& options_;
  Streams& streams_;
  AskOptions ask_;
  evidence::Options evidence_options_;
  std::map<std::string, Address, std::less<>> names_;
  Gathered result_;
};

bool is_plain_host(std::string_view text) {
  return !text.empty() && text.size() <= 255 && std::ranges::all_of(text, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == ':';
  });
}

// "mail.contoso.com:2525": another port, for a server behind a forwarding of one's own.
struct HostAndPort {
  std::string host;
  std::uint16_t port = 25;
};
HostAndPort parted(const std::string& word) {
  const std::size_t colon = word.rfind(':');
  if (colon == std::string::npos || word.find(':') != colon) return {word};
  const auto port = parse_decimal<std::uint16_t>(std::string_view(word).substr(colon + 1));
  return port && *port > 0 ? HostAndPort{word.substr(0, colon), *port} : HostAndPort{word};
}

Result<probe::Report> probed(const std::string& word) {
  using std::chrono::milliseconds;
  const HostAndPort target = parted(word);
  probe::Question question;
  question.words = {target.host};
  question.kind = probe::Word::smart_host;
  question.port = target.port;
  question.visit.connect = milliseconds(10'000);
  question.visit.banner = question.visit.reply = milliseconds(20'000);
  question.visit.whole = milliseconds(45'000);
  question.now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  probe::Surroundings around;
  TRY(trust, net::Trust::of(""));
  around.trust = std::move(trust);
  around.pause = [](milliseconds time) { std::this_thread::sleep_for(time); };
  if (!parse_address(target.host)) {
    TRY(resolver, net::Resolver::open({}));
    around.resolvers = resolver.servers();
    around.ask = [resolver](std::string_view name, net::RecordType type) { return resolver.ask(name, type); };
  }
  return probe::probe(question, around);
}

}  // namespace

Result<bool> recognise(OutageInput& input) {
  if (input.kind != InputKind::unknown) return true;
  TRY(lines, lines_of(input));
  const std::string_view head = lines.head();
  if (evidence::is_evidence(head)) input.kind = InputKind::evidence;
  else if (is_inventory(head)) input.kind = InputKind::inventory;
  else input.kind = InputKind::configuration;
  return true;
}

Result<Gathered> gathered(const std::vector<OutageInput>& inputs, const GatherOptions& options,
                          Streams& streams) {
  return Work(options, streams).run(inputs);
}

void probe_from_here(Facts& facts, const std::string& host) {
  if (!is_plain_host(host)) {
    facts.probe_error =
        host.empty() ? "no name of a mail host in what was given" : "not a host name: not asked";
    return;
  }
  auto report = probed(host);
  if (report) facts.probe = std::move(*report);
  else facts.probe_error = report.error().message;
}

}  // namespace aclmend::cli
