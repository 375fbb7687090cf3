// `aclmend probe HOST…`: live SMTP reachability of mail hosts, from here.
#include "probe/probe.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <thread>

#include "base/clock.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/options.h"
#include "cli/published.h"
#include "net/http.h"
#include "report/probe.h"
#include "store/store.h"

namespace aclmend::cli {
namespace {

using std::chrono::milliseconds;

struct Options {
  std::vector<std::string> hosts;
  std::string address, resolver, bind, own_name, recipient, ca_file, tls_domain, proxy, store,
      fail_on = "error";
  std::uint16_t port = 25;
  double timeout = 0;  // seconds; 0: each step's own
  int repeat = 1;
  double interval = 5;  // seconds
  bool is_smart_host = false, allow_private = false, yes = false, verbose = false, wants_sts = false,
       remember = false;
  OutputOptions output;
};

Result<std::optional<Address>> address_given(std::string_view option, const std::string& text) {
  if (text.empty()) return std::optional<Address>();
  const auto address = parse_address(text);
  if (!address) return fail(fmt::format("expected an address after {}, found '{}'", option, text));
  return std::optional(*address);
}

// "192.0.2.53", "192.0.2.53:5301", "[2001:db8::53]:53"
Result<std::optional<net::Endpoint>> endpoint_given(std::string_view option, std::string_view text) {
  if (text.empty()) return std::optional<net::Endpoint>();
  if (const auto address = parse_address(text)) return std::optional(net::Endpoint{*address, 53});
  const std::size_t colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const auto address = parse_address(host);
    const auto port = parse_decimal<std::uint16_t>(text.substr(colon + 1));
    if (address && port && *port > 0) return std::optional(net::Endpoint{*address, *port});
  }
  return fail(fmt::format("expected an address with or without a port after {}, found '{}'", option, text));
}

// What goes into a command line of SMTP must not end it.
bool is_plain_word(std::string_view text) {
  return !text.empty() && text.size() <= 255 &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::optional<Error> refusal(const Options& options) {
  const auto refused = [](std::string message) { return Error{.message = std::move(message), .file = {}}; };
  for (const std::string& host : options.hosts)
    if (!is_plain_word(host) || host.find_first_of("/@<>[]") != std::string::npos)
      return refused(fmt::format("expected a domain, a host name or an address, found '{}'", host));
  if (!options.own_name.empty() && !is_plain_word(options.own_name))
    return refused(fmt::format("expected a host name after --ehlo, found '{}'", options.own_name));
  const std::string& to = options.recipient;
  if (!to.empty() &&
      (!is_plain_word(to) || std::ranges::count(to, '@') != 1 || to.find_first_of("<>") != std::string::npos))
    return refused(fmt::format("expected a mail address after --try-recipient, found '{}'", to));
  if (!options.address.empty() && options.hosts.size() > 1)
    return refused("--address names where one host is; several hosts are given");
  if (!options.address.empty() && !options.resolver.empty())
    return refused("--address asks nobody for a name: it goes without --resolver");
  if (options.wants_sts && (!options.address.empty() || options.is_smart_host))
    return refused("a policy of MTA-STS is a domain's: --mta-sts goes without --address and --smarthost");
  if (options.timeout < 0 || options.timeout > 600)
    return refused(fmt::format("expected 0.1 to 600 seconds after --timeout, found {}", options.timeout));
  if (options.repeat < 1 || options.repeat > 1000)
    return refused(fmt::format("expected 1 to 1000 after --repeat, found {}", options.repeat));
  if (options.interval < 1 || options.interval > 86400)
    return refused(fmt::format("expected 1 to 86400 seconds after --interval, found {}", options.interval));
  return std::nullopt;
}

milliseconds whole(double seconds) { return milliseconds(static_cast<long long>(seconds * 1000)); }

Result<probe::Question> question_of(const Options& options) {
  if (auto error = refusal(options)) return fail(std::move(*error));
  probe::Question question;
  question.words = options.hosts;
  question.kind = options.is_smart_host ? probe::Word::smart_host : probe::Word::domain;
  TRY(address, address_given("--address", options.address));
  TRY(bind, address_given("--bind", options.bind));
  question.address = address;
  question.port = options.port;
  question.tls_domain = options.tls_domain;
  question.visit.bind = bind;
  question.visit.own_name = options.own_name;
  question.visit.recipient = options.recipient;
  if (options.timeout > 0) {
    question.visit.connect = question.visit.banner = question.visit.reply = whole(options.timeout);
    question.visit.whole = 4 * question.visit.reply;
  }
  question.rounds = options.repeat;
  question.interval = whole(options.interval);
  question.may_be_private = options.allow_private;
  question.may_be_many = options.yes;
  question.now = now();
  return question;
}

// The policy of MTA-STS, with the certificate of its server verified.
probe::Fetch fetch_of(const Options& options) {
  return [ca_file = options.ca_file, proxy = options.proxy](const std::string& url) -> probe::Fetched {
    net::HttpOptions http;
    http.ca_file = ca_file;
    http.largest_body = std::size_t{64} << 10;  // RFC 8461 3.3
    http.most_redirects = 0;                    // none is followed there
    http.proxy = !proxy.empty() ? proxy : environment_proxy(url);
    const auto answer = net::get(url, http);
    if (!answer) return {.status = 0, .content_type = {}, .body = {}, .error = answer.error().message};
    return {
        .status = answer->status, .content_type = answer->content_type, .body = answer->body, .error = {}};
  };
}

// The certificates of the host's last visit: those that share the newest time.
probe::LastSeen last_seen_in(const store::Store& store) {
  return [&store](const std::string& host, std::uint16_t port) {
    std::vector<probe::Seen> seen;
    const auto held = store.certificates(host, port);  // last seen first
    if (!held) return seen;
    for (const store::Certificate& one : *held)
      if (one.last_seen == held->front().last_seen) seen.push_back({one.sha256, one.not_after});
    return seen;
  };
}

// Notes what each host showed. What cannot be kept is said and changes no answer.
void remember(const probe::Report& probe, std::chrono::sys_seconds now, const std::string& path,
              Streams& streams) {
  auto store = open_store(path, store::Mode::read_write);
  if (!store)
    return void(streams.err << fmt::format("aclmend probe: nothing is remembered: {}\n",
                                           printable(to_string(store.error()))));
  const std::string time = iso_time(now);
  for (const probe::HostResult& host : probe.hosts)
    for (const probe::AddressResult& one : host.addresses) {
      if (!one.tls || one.tls->chain.empty()) continue;
      const probe::Link& own = one.tls->chain.front();
      const auto kept = store->saw_certificate({.host = host.name,
                                                .port = probe.port,
                                                .sha256 = own.sha256,
                                                .first_seen = time,
                                                .last_seen = time,
                                                .not_after = iso_time(own.not_after)});
      if (!kept) streams.err << fmt::format("aclmend probe: {}\n", printable(to_string(kept.error())));
    }
}

// A resolver is opened where a name has to be asked for.
Result<probe::Surroundings> surroundings_of(const Options& options) {
  probe::Surroundings around;
  TRY(trust, net::Trust::of(options.ca_file));
  around.trust = std::move(trust);
  around.pause = [](milliseconds time) { std::this_thread::sleep_for(time); };
  const bool asks =
      options.address.empty() && !std::ranges::all_of(options.hosts, [](const std::string& host) {
        return parse_address(host).has_value();
      });
  if (!asks) return around;
  TRY(server, endpoint_given("--resolver", options.resolver));
  TRY(resolver, net::Resolver::open({.server = server}));
  around.resolvers = resolver.servers();
  if (options.wants_sts) around.fetch = fetch_of(options);
  around.ask = [resolver](std::string_view name, net::RecordType type) { return resolver.ask(name, type); };
  return around;
}

int status_of(const probe::Report& probe, std::optional<Severity> least) {
  if (!probe.is_judged) return exit_not_judged;
  const bool has_finding = least && std::ranges::any_of(probe.findings, [&](const probe::Finding& one) {
                             return one.severity >= *least;
                           });
  const bool is_recipient_refused = std::ranges::any_of(probe.hosts, [](const probe::HostResult& host) {
    return std::ranges::any_of(host.addresses, [](const probe::AddressResult& one) {
      const probe::Step* step = probe::step_named(one.steps, "recipient");
      return step != nullptr && step->status == probe::Status::fail;
    });
  });
  return has_finding || (least && is_recipient_refused) ? exit_findings : exit_answered;
}

int run(const Options& options, Streams& streams) {
  const auto least = fail_on(options.fail_on);
  if (!least) return not_judged(streams, least.error());
  const auto question = question_of(options);
  if (!question) return not_judged(streams, question.error());
  auto around = surroundings_of(options);
  if (!around) return not_judged(streams, around.error());
  const auto store = open_store(options.store, store::Mode::read_only);
  if (store) around->last_seen = last_seen_in(*store);
  else
    streams.err << fmt::format("aclmend probe: certificates are not compared: {}\n",
                               printable(to_string(store.error())));
  auto answer = probe::probe(*question, *around);
  if (!answer) return not_judged(streams, answer.error());
  if (options.remember) remember(*answer, question->now, options.store, streams);
  report::ProbeReport report;
  report.probe = std::move(*answer);
  report.detail = options.verbose ? report::Detail::all : report::Detail::usual;
  const int status = exit_status(options.output, status_of(report.probe, *least));
  report.frame.exit = status;
  const Format formats[] = {{"text", [&] { return report::terminal::probe(report); }},
                            {"json", [&] { return report::json::probe(report); }},
                            {"nagios", [&] { return report::nagios::probe(report); }}};
  return emit(streams, options.output, formats, status);
}

std::function<int(Streams&)> define(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("host", options->hosts, "domains (their MX hosts are asked), host names or addresses")
      ->required()
      ->type_name("HOST");
  app.add_flag("--smarthost", options->is_smart_host,
               "the hosts themselves are meant, as in a connector: do not look for MX records");
  app.add_option("--address", options->address, "where the host is, whatever DNS says")->type_name("ADDRESS");
  app.add_option("--port", options->port, "TCP port (default 25)")
      ->check(CLI::Range(1, 65535))
      ->type_name("N");
  app.add_option("--resolver", options->resolver, "DNS resolver to ask (else the system's)")
      ->type_name("ADDRESS[:PORT]");
  app.add_option("--bind", options->bind, "own address to speak from")->type_name("ADDRESS");
  app.add_option("--ehlo", options->own_name, "name to give in EHLO (else the own address)")
      ->type_name("NAME");
  app.add_option("--ca-file", options->ca_file, "authorities to trust, PEM (else the system's)")
      ->type_name("FILE");
  app.add_option("--tls-domain", options->tls_domain,
                 "the connector's TlsDomain, which the certificate must be for, such as *.contoso.com")
      ->type_name("NAME");
  app.add_option("--timeout", options->timeout,
                 "seconds for each step (default: 10 to connect, 60 for the greeting, 30 for a reply)")
      ->type_name("SECONDS");
  app.add_option("--repeat", options->repeat, "ask so many times; what fails once is told")->type_name("N");
  app.add_option("--interval", options->interval, "seconds between (default 5)")->type_name("SECONDS");
  app.add_option("--try-recipient", options->recipient,
                 "also ask, inside TLS, whether this recipient is taken; no mail")
      ->type_name("ADDRESS");
  app.add_flag("--mta-sts", options->wants_sts, "also fetch the domain's MTA-STS policy over HTTPS");
  app.add_option("--proxy", options->proxy, "an HTTP proxy for it (default: HTTPS_PROXY and NO_PROXY)")
      ->type_name("URL");
  app.add_flag("--remember", options->remember,
               "keep the certificates in the store, to tell next time that they changed");
  declare_store(app, options->store);
  app.add_flag("--allow-private", options->allow_private,
               "connect to private addresses that an MX record names");
  app.add_flag("--yes", options->yes, fmt::format("ask more than {} addresses", probe::most_unasked));
  app.add_flag("-v,--verbose", options->verbose, "every step, and what was said");
  app.add_option("--fail-on", options->fail_on, "exit 1 from this severity on: error, warning, note, never")
      ->type_name("WORD");
  declare(app, options->output, "text, json or nagios");
  return [options](Streams& streams) { return run(*options, streams); };
}

}  // namespace

extern const Command probe_command;
const Command probe_command{
    .name = "probe",
    .group = "Outage",
    .summary = "live SMTP: DNS, TCP, greeting, STARTTLS, certificate",
    .examples =
        "Does the mail server answer, and would a sender take its certificate? Asked from here.\n\n"
        "  aclmend probe contoso.com                       every address of every MX host\n"
        "  aclmend probe mail.contoso.com --smarthost      the host that a connector names\n"
        "  aclmend probe mail.contoso.com --address 10.1.1.25 --bind 10.9.0.4\n"
        "  aclmend probe contoso.com --resolver 192.0.2.53 names as another resolver tells them\n"
        "  aclmend probe contoso.com --repeat 10           what fails now and then\n"
        "  aclmend probe contoso.com --remember            next time, tells that the certificate changed\n"
        "  aclmend probe contoso.com --format nagios       one line for monitoring; exit status 0, 1, 2\n\n"
        "It says QUIT before any mail. It speaks for the address it is run from: a firewall that lets\n"
        "Microsoft's ranges in may turn this machine away, and the reverse.\n",
    .define = define,
};

}  // namespace aclmend::cli
