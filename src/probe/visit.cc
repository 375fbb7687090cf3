#include "probe/visit.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace aclmend::probe {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds farewell{2'000};  // nobody needs the answer to QUIT
constexpr std::size_t most_said = 200;
constexpr std::size_t longest_said = 500;

milliseconds since(steady_clock::time_point start) {
  return std::chrono::duration_cast<milliseconds>(steady_clock::now() - start);
}

milliseconds limit(Stage stage, const VisitOptions& options) {
  switch (stage) {
    case Stage::greeting: return options.banner;
    case Stage::quit: return std::min(farewell, options.reply);
    case Stage::ehlo:
    case Stage::helo:
    case Stage::starttls:
    case Stage::handshake:
    case Stage::ehlo_in_tls:
    case Stage::mail:
    case Stage::rcpt:
    case Stage::rset:
    case Stage::done: break;
  }
  return options.reply;
}

std::string literal(Address own) {
  return own.is_v4() ? fmt::format("[{}]", to_string(own)) : fmt::format("[IPv6:{}]", to_string(own));
}

// The conversation with its clock.
class Talk {
 public:
  Talk(net::Stream stream, const VisitOptions& options, Visit& visit)
      : stream_(std::move(stream)),
        options_(options),
        visit_(visit),
        dialog_({options.own_name.empty() ? literal(stream_.local()) : options.own_name, options.recipient}),
        end_(steady_clock::now() + options.whole) {
    begin_stage();
  }

  void run() {
    Action action{Action::Kind::read};
    while (action.kind != Action::Kind::end) {
      auto next = act(action);
      if (!next) {
        if (dialog_.stage() != Stage::quit) visit_.failure = std::move(next.error());
        break;
      }
      action = std::move(*next);
    }
    visit_.took[static_cast<std::size_t>(stage_)] = since(start_);
    visit_.stage = stage_;
    visit_.heard = dialog_.heard();
    visit_.repeated_packets = stream_.repeated_packets();
    stream_.close();
  }

 private:
  net::Stream::Outcome<Action> act(const Action& action) {
    switch (action.kind) {
      case Action::Kind::send: return sent(action.bytes);
      case Action::Kind::start_tls: return secured();
      case Action::Kind::read: return read();
      case Action::Kind::end: break;
    }
    return Action{Action::Kind::end};
  }

  net::Stream::Outcome<Action> read() {
    const auto bytes = stream_.receive(until_);
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty())
      return std::unexpected(
          net::Failure{net::Failure::Kind::closed, "the other side closed the connection"});
    note(Said::Who::server, *bytes);
    Action next = dialog_.receive(*bytes);
    if (dialog_.stage() != stage_ && dialog_.stage() != Stage::done) begin_stage();
    return next;
  }

  net::Stream::Outcome<Action> sent(const std::string& bytes) {
    note(Said::Who::client, bytes);
    if (const auto done = stream_.send(bytes, until_); !done) return std::unexpected(done.error());
    return Action{Action::Kind::read};
  }

  net::Stream::Outcome<Action> secured() {
    auto facts = stream_.start_tls(options_.server_name, until_);
    if (!facts) return std::unexpected(facts.error());
    note(Said::Who::remark, fmt::format("{} {}", facts->version, facts->cipher));
    visit_.tls = std::move(*facts);
    Action next = dialog_.secured();
    begin_stage();
    return next;
  }

  // The time of the stage before is over, that of the next begins.
  void begin_stage() {
    const auto now = steady_clock::now();
    if (dialog_.stage() != stage_) visit_.took[static_cast<std::size_t>(stage_)] = since(start_);
    stage_ = dialog_.stage();
    start_ = now;
    until_ = std::min(now + limit(stage_, options_), end_);
  }

  void note(Said::Who who, std::string_view bytes) {
    for (std::string_view line : split(bytes, '\n')) {
      line = trimmed(line);
      if (line.empty() || visit_.transcript.size() >= most_said) continue;
      visit_.transcript.push_back({who, visit_.tls.has_value(), std::string(line.substr(0, longest_said))});
    }
  }

  net::Stream stream_;
  const VisitOptions& options_;
  Visit& visit_;
  Dialog dialog_;
  Stage stage_ = Stage::greeting;
  steady_clock::time_point start_ = steady_clock::now();
  net::Until until_{};
  net::Until end_;
};

}  // namespace

Visit visit(const net::Endpoint& to, const VisitOptions& options) {
  Visit visit;
  const auto start = steady_clock::now();
  auto stream = net::Stream::connect(to, options.bind, start + options.connect);
  visit.connecting = since(start);
  if (!stream) {
    visit.failure = std::move(stream.error());
    return visit;
  }
  visit.from = stream->local();
  Talk(std::move(*stream), options, visit).run();
  return visit;
}

}  // namespace aclmend::probe
