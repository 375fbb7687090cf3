// The story of a GET: look up, connect (through a proxy, if one is named), shake hands, ask, read, unpack.
#include "net/http.h"

#include <fmt/format.h>

#include <array>
#include <exception>

#include "base/file.h"
#include "base/text.h"
#include "net/answer_reader.h"
#include "net/deadline.h"
#include "net/http_date.h"
#include "net/proxy.h"
#include "net/resolve.h"
#include "net/url.h"
#include "net/wire.h"

namespace aclmend::net {
namespace {

using Kind = HttpFailure::Kind;
using Refused = std::unexpected<HttpFailure>;

constexpr std::size_t largest_told = std::size_t{64} << 10;  // of the body of an answer that is no success
constexpr int most_interim = 8;

bool is_success(int status) { return status / 100 == 2; }
bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t longest = 200;
  return printable(text.substr(0, longest)) + (text.size() > longest ? "…" : "");
}

HttpFailure usage(std::string message, std::string hint = {}) {
  return {.kind = Kind::usage, .message = std::move(message), .hint = std::move(hint)};
}

// Who is spoken to, for words: "endpoints.office.com:443", "the proxy proxy.example:3128".
struct Conversation {
  Wire& wire;
  std::string peer;
  const HttpOptions& options;
  Deadline whole;
};

HttpFailure told_by(const Conversation& talk, HttpFailure failure) {
  failure.message = fmt::format("{}: {}", talk.peer, failure.message);
  return failure;
}

HttpFailure reading_failure(const Conversation& talk, const AnswerReader& reader, const Wire::Fault& fault,
                            Deadline deadline) {
  std::string where =
      !reader.has_begun() ? "no answer to the request"
      : reader.head() == nullptr
          ? "the header of the answer did not end"
          : fmt::format(
                "the answer stopped after {} {}bytes of its body", with_thousands(reader.body().size()),
                reader.head()->length ? fmt::format("of {} ", with_thousands(*reader.head()->length)) : "");
  switch (fault.kind) {
    case Wire::Fault::Kind::timed_out:
      return {.kind = Kind::timed_out,
              .message = fmt::format("{}: {} {}", talk.peer, where, to_string(deadline)),
              .worth_retrying = true};
    case Wire::Fault::Kind::cut:
    case Wire::Fault::Kind::failed: break;
  }
  return {.kind = fault.kind == Wire::Fault::Kind::cut ? Kind::truncated : Kind::tls,
          .message = fmt::format("{}: {}: {}", talk.peer, where, fault.words),
          .worth_retrying = true};
}

std::optional<HttpFailure> send(const Conversation& talk, std::string_view request) {
  const Deadline deadline = talk.whole.step(talk.options.idle);
  const auto fault = talk.wire.write(request, deadline);
  if (!fault) return std::nullopt;
  const bool is_late = fault->kind == Wire::Fault::Kind::timed_out;
  return HttpFailure{
      .kind = is_late ? Kind::timed_out : Kind::connect,
      .message = is_late ? fmt::format("{}: the request could not be sent {}", talk.peer, to_string(deadline))
                         : fmt::format("{}: the request could not be sent: {}", talk.peer, fault->words),
      .worth_retrying = true};
}

// Reads once, into the reader.
std::optional<HttpFailure> read_more(const Conversation& talk, AnswerReader& reader, Deadline deadline) {
  std::array<char, 16384> part;
  const auto got = talk.wire.read_some(part, deadline);
  if (!got) return reading_failure(talk, reader, got.error(), deadline);
  auto failure = *got == 0 ? reader.end() : reader.take({part.data(), *got});
  if (!failure) return std::nullopt;
  return told_by(talk, std::move(*failure));
}

// ---- through a proxy ----

HttpFailure refused_by_proxy(const Head& head, const Proxy& proxy, const Url& url) {
  const std::string status = shortened(fmt::format("{} {}", head.status, head.reason));
  if (head.status != 407)
    return {.kind = Kind::proxy,
            .message =
                fmt::format("the proxy {} does not connect to {}: {}", shown(proxy), authority(url), status),
            .hint = "ask its owner to permit that destination",
            .worth_retrying = head.status >= 500 || head.status == 429};
  std::vector<std::string> schemes;
  for (const std::string& offer : head.proxy_authentications)
    schemes.push_back(shortened(std::string_view(offer).substr(0, offer.find(' '))));
  const bool has_basic =
      std::ranges::any_of(schemes, [](const auto& scheme) { return lower(scheme) == "basic"; });
  const std::string offers = schemes.empty() ? "" : fmt::format("; it offers {}", fmt::join(schemes, ", "));
  const std::string_view wish = proxy.authorization.empty() ? "asks for a user and password"
                                                            : "does not accept the user and password given";
  return {
      .kind = Kind::proxy,
      .message = fmt::format("the proxy {} {} ({}{})", shown(proxy), wish, status, offers),
      .hint =
          schemes.empty() || has_basic
              ? "HTTPS_PROXY takes them as http://user:password@host:port, special characters as %40 for '@'"
              : "only Basic is spoken here: have the proxy permit this host without, or run a local helper "
                "that logs in"};
}

std::optional<HttpFailure> tunnel(const Conversation& talk, const Proxy& proxy, const Url& url) {
  const std::string place = authority(url);
  std::string request = fmt::format(
      "CONNECT {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: aclmend/" ACLMEND_VERSION "\r\n", place, place);
  if (!proxy.authorization.empty()) request += "Proxy-Authorization: " + proxy.authorization + "\r\n";
  if (auto failure = send(talk, request + "\r\n")) return failure;
  auto reader = std::make_unique<AnswerReader>(talk.options.largest_header, AnswerReader::Body::none);
  const Deadline deadline = talk.whole.step(talk.options.handshake);
  while (reader->head() == nullptr)
    if (auto failure = read_more(talk, *reader, deadline)) return failure;
  if (!is_success(reader->head()->status)) return refused_by_proxy(*reader->head(), proxy, url);
  if (!reader->behind().empty())
    return HttpFailure{
        .kind = Kind::protocol,
        .message = fmt::format("{} sent bytes of its own before the TLS handshake", talk.peer)};
  return std::nullopt;
}

// ---- the answer ----

HttpFailure too_large(const Conversation& talk, std::optional<std::uint64_t> length) {
  return {.kind = Kind::too_large,
          .message = fmt::format("{}: the answer is larger than {} bytes{}", talk.peer,
                                 with_thousands(talk.options.largest_body),
                                 length ? fmt::format(" (it says {})", with_thousands(*length)) : "")};
}

// What makes a success's body one that cannot be taken, as far as the header tells.
std::optional<HttpFailure> unfit(const Conversation& talk, const Head& head, const Url& url) {
  const auto protocol = [&](std::string message) {
    return HttpFailure{.kind = Kind::protocol, .message = fmt::format("{}: {}", talk.peer, message)};
  };
  if (head.length && *head.length > talk.options.largest_body) return too_large(talk, head.length);
  if (head.status == 206) return protocol("a part was sent (206) where the whole was asked for");
  const auto& codings = head.content_encodings;
  const bool is_known = std::ranges::all_of(codings, [](const std::string& coding) {
    return coding == "gzip" || coding == "x-gzip" || coding == "identity";
  });
  if (!is_known || codings.size() > 1)
    return protocol(fmt::format("the content coding is '{}', where gzip or identity was asked for",
                                shortened(fmt::format("{}", fmt::join(codings, ", ")))));
  if (head.ends_with_connection && !url.is_tls)
    return protocol("the answer has neither a length nor chunks: nothing tells whether it is whole");
  return std::nullopt;
}

bool is_packed(const Head& head) {
  return head.content_encodings.size() == 1 && head.content_encodings.front() != "identity";
}

std::expected<std::string, HttpFailure> unpacked(const Conversation& talk, const AnswerReader& reader) {
  if (!is_packed(*reader.head()) || reader.body().empty()) return reader.body();
  auto text = gunzip(reader.body(), talk.options.largest_body);
  if (text) return std::move(*text);
  if (text.error() == GzipFault::too_large)
    return Refused({.kind = Kind::too_large,
                    .message = fmt::format("{}: the answer unpacks to more than {} bytes (it was sent as {})",
                                           talk.peer, with_thousands(talk.options.largest_body),
                                           with_thousands(reader.body().size()))});
  return Refused({.kind = Kind::truncated,
                  .message = fmt::format("{}: the answer's gzip is damaged or cut off", talk.peer),
                  .worth_retrying = true});
}

std::optional<HttpFailure> read_body(const Conversation& talk, AnswerReader& reader) {
  const Head& head = *reader.head();
  while (true) {
    if (reader.body().size() > talk.options.largest_body) return too_large(talk, std::nullopt);
    if (talk.options.progress) talk.options.progress(reader.body().size(), head.length);
    if (reader.is_done()) return std::nullopt;
    if (auto failure = read_more(talk, reader, talk.whole.step(talk.options.idle))) return failure;
  }
}

// The body of an answer that is no success: as much of it as comes, and nothing of what is wrong with it.
std::string told_body(const Conversation& talk, AnswerReader& reader) {
  while (!reader.is_done() && reader.body().size() < largest_told)
    if (read_more(talk, reader, talk.whole.step(talk.options.idle))) break;
  const Head& head = *reader.head();
  if (head.content_encodings.empty() || head.content_encodings.front() == "identity")
    return reader.body().substr(0, largest_told);
  const auto text = gunzip(reader.body(), largest_told);
  return text ? *text : std::string();
}

std::expected<std::unique_ptr<AnswerReader>, HttpFailure> read_header(const Conversation& talk) {
  auto reader = std::make_unique<AnswerReader>(talk.options.largest_header, AnswerReader::Body::read);
  const Deadline deadline = talk.whole.step(talk.options.idle);
  for (int interim = 0;; ++interim) {
    while (reader->head() == nullptr)
      if (auto failure = read_more(talk, *reader, deadline)) return Refused(std::move(*failure));
    if (reader->head()->status >= 200) return reader;
    if (reader->head()->status == 101 || interim == most_interim)
      return Refused({.kind = Kind::protocol,
                      .message = fmt::format("{}: status {} is no answer to a plain request", talk.peer,
                                             reader->head()->status)});
    reader = reader->next_one();
    if (auto failure = reader->take({})) return Refused(told_by(talk, std::move(*failure)));
  }
}

struct Fetched {
  HttpAnswer answer;
  std::string location;
};

std::expected<Fetched, HttpFailure> read_answer(const Conversation& talk, const Url& url) {
  auto read = read_header(talk);
  if (!read) return Refused(std::move(read).error());
  AnswerReader& reader = **read;
  const Head& head = *reader.head();
  Fetched out{.answer{.status = head.status}, .location = head.location};
  out.answer.reason = shortened(head.reason);
  out.answer.content_type = shortened(head.content_type);
  if (!head.retry_after.empty()) {
    const auto now = parse_http_date(head.date);
    out.answer.retry_after = parse_retry_after(
        head.retry_after,
        now.value_or(std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())));
  }
  if (is_redirect(head.status)) return out;
  if (!is_success(head.status)) {
    out.answer.body = told_body(talk, reader);
    return out;
  }
  if (auto failure = unfit(talk, head, url)) return Refused(std::move(*failure));
  if (auto failure = read_body(talk, reader)) return Refused(std::move(*failure));
  auto body = unpacked(talk, reader);
  if (!body) return Refused(std::move(body).error());
  out.answer.body = std::move(*body);
  return out;
}

// ---- one exchange, and the whole ----

std::optional<HttpFailure> connect(Wire& wire, const std::string& host, std::optional<Address> address,
                                   std::uint16_t port, const std::string& peer, const HttpOptions& options,
                                   Deadline whole, bool is_loopback_only) {
  std::vector<Address> addresses;
  if (address) {
    addresses.push_back(*address);
  } else {
    auto found = resolve(host, options, whole.step(options.resolve));
    if (!found) return std::move(found).error();
    addresses = std::move(*found);
  }
  if (is_loopback_only && !std::ranges::all_of(addresses, is_loopback))
    return usage(
        fmt::format("{} is not this machine: plain http is taken for loopback addresses alone", peer),
        "write https://");
  return wire.connect(addresses, port, peer, whole.step(options.connect));
}

std::expected<Fetched, HttpFailure> exchange(const Url& url, const std::optional<Proxy>& proxy,
                                             const HttpOptions& options, Deadline whole) {
  Wire wire;
  const std::string place = authority(url);
  if (proxy && url.is_tls) {
    const Conversation talk{wire, "the proxy " + shown(*proxy), options, whole};
    if (auto failure =
            connect(wire, proxy->host, proxy->address, proxy->port, talk.peer, options, whole, false))
      return Refused(std::move(*failure));
    if (auto failure = tunnel(talk, *proxy, url)) return Refused(std::move(*failure));
  } else if (auto failure =
                 connect(wire, url.host, url.address, url.port, place, options, whole, !url.is_tls)) {
    return Refused(std::move(*failure));
  }
  if (url.is_tls)
    if (auto failure = wire.start_tls(url, options.ca_file, whole.step(options.handshake)))
      return Refused(std::move(*failure));
  const Conversation talk{wire, place, options, whole};
  const std::string request =
      fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: aclmend/" ACLMEND_VERSION
                  "\r\nAccept: */*\r\nAccept-Encoding: gzip, identity\r\nConnection: close\r\n\r\n",
                  url.target, origin(url).substr(origin(url).find("://") + 3));
  if (auto failure = send(talk, request)) return Refused(std::move(*failure));
  return read_answer(talk, url);
}

// Where a redirect leads, if that is followed: the same host, never from TLS to none.
std::expected<Url, HttpFailure> redirected(const Url& from, int status, const std::string& location) {
  const auto refuse = [&](std::string_view why) {
    return Refused({.kind = Kind::redirect,
                    .message = fmt::format("{}: it redirects ({}) to '{}': {}", authority(from), status,
                                           shortened(location), why)});
  };
  if (location.empty()) return refuse("no place is named");
  const bool is_path = location.starts_with('/') && !location.starts_with("//");
  const auto to = parse_url(is_path                      ? origin(from) + location
                            : location.starts_with("//") ? (from.is_tls ? "https:" : "http:") + location
                                                         : location);
  if (!to) return refuse(fmt::format("that is not followed: {}", to.error()));
  if (to->host != from.host)
    return refuse(fmt::format("another host, {} and not {}, is not followed", to->host, from.host));
  if (from.is_tls && !to->is_tls) return refuse("from https to http is not followed");
  return *to;
}

std::expected<HttpAnswer, HttpFailure> follow(Url url, const HttpOptions& options) {
  if (auto wrong = check_ca_file(options.ca_file)) return Refused(std::move(*wrong));
  std::optional<Proxy> proxy;
  if (!options.proxy.empty()) {
    auto parsed = parse_proxy(options.proxy);
    if (!parsed) return Refused(usage("the proxy's URL is not understood: " + parsed.error()));
    proxy = std::move(*parsed);
  }
  const Deadline whole = Deadline::in(options.whole);
  for (int redirects = 0;; ++redirects) {
    auto fetched = exchange(url, proxy, options, whole);
    if (!fetched) return Refused(std::move(fetched).error());
    const int status = fetched->answer.status;
    if (!is_redirect(status)) return std::move(fetched->answer);
    auto next = redirected(url, status, fetched->location);
    if (!next) return Refused(std::move(next).error());
    if (redirects >= options.most_redirects)
      return Refused(
          {.kind = Kind::redirect,
           .message = fmt::format("{}: more than {} redirects", authority(url), options.most_redirects)});
    url = std::move(*next);
  }
}

}  // namespace

std::expected<HttpAnswer, HttpFailure> get(std::string_view text, const HttpOptions& options) {
  auto url = parse_url(text);
  if (!url) return Refused(usage("the URL is not understood: " + url.error()));
  if (!url->is_tls && url->host != "localhost" && !(url->address && is_loopback(*url->address)))
    return Refused(usage(fmt::format("{}: plain http is taken for loopback addresses alone", origin(*url)),
                         "write https://"));
  try {
    return follow(std::move(*url), options);
  } catch (const std::exception& exception) {  // of Asio, and memory that ran out
    return Refused({.kind = Kind::protocol,
                    .message = fmt::format("the request failed: {}", shortened(exception.what()))});
  }
}

}  // namespace aclmend::net
