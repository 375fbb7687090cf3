#include "net/resolve.h"

#include <fmt/format.h>
#include <netdb.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "base/text.h"

namespace aclmend::net {
namespace {

using Found = std::expected<std::vector<std::string>, std::string>;

Found system_look_up(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int status = ::getaddrinfo(host.c_str(), nullptr, &wanted, &list);
  if (status != 0) return std::unexpected(std::string(::gai_strerror(status)));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(entry->ai_addr, entry->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      addresses.emplace_back(text);
  }
  return addresses;
}

// getaddrinfo() cannot be interrupted: it is asked in a thread that is left behind when the time is over.
std::optional<Found> look_up_within(const std::string& host, const HttpOptions& options, Deadline deadline) {
  struct Question {
    std::mutex mutex;
    std::condition_variable is_answered;
    std::optional<Found> answer;
  };
  const auto question = std::make_shared<Question>();
  std::thread([question, host, look_up = options.look_up] {
    Found found = look_up ? look_up(host) : system_look_up(host);
    const std::lock_guard lock(question->mutex);
    question->answer = std::move(found);
    question->is_answered.notify_one();
  }).detach();
  std::unique_lock lock(question->mutex);
  question->is_answered.wait_until(lock, deadline.end, [&] { return question->answer.has_value(); });
  return question->answer;
}

// RFC 8305: where one family does not work the other is tried second, not fifth.
std::vector<Address> taking_turns(std::span<const Address> addresses) {
  constexpr std::size_t most = 8;
  std::vector<Address> first, second, out;
  for (const Address address : addresses)
    (address.family == addresses.front().family ? first : second).push_back(address);
  for (std::size_t i = 0; i < std::max(first.size(), second.size()); ++i) {
    if (i < first.size()) out.push_back(first[i]);
    if (i < second.size()) out.push_back(second[i]);
  }
  out.resize(std::min(out.size(), most));
  return out;
}

}  // namespace

std::string to_string(Deadline deadline) {
  const auto ms = deadline.limit.count();
  const std::string time = ms % 1000 == 0 ? fmt::format("{} s", ms / 1000) : fmt::format("{} ms", ms);
  return fmt::format("within {}{}", time, deadline.is_of_whole ? ", the limit of the whole request" : "");
}

std::expected<std::vector<Address>, HttpFailure> resolve(const std::string& host, const HttpOptions& options,
                                                         Deadline deadline) {
  constexpr std::string_view hint =
      "is the name right, and has this machine a name server that answers? Behind a "
      "proxy, set HTTPS_PROXY: then the proxy asks";
  const auto found = look_up_within(host, options, deadline);
  if (!found)
    return std::unexpected(HttpFailure{
        .kind = HttpFailure::Kind::timed_out,
        .message = fmt::format("{}: no answer from the name service {}", host, to_string(deadline)),
        .hint = std::string(hint),
        .worth_retrying = true});
  const auto nothing = [&](std::string_view why) {
    return std::unexpected(
        HttpFailure{.kind = HttpFailure::Kind::resolve,
                    .message = fmt::format("{}: the name has no address: {}", host, printable(why)),
                    .hint = std::string(hint),
                    .worth_retrying = true});
  };
  if (!*found) return nothing(found->error());
  std::vector<Address> addresses;
  for (const std::string& text : **found)
    if (const auto address = parse_address(text);
        address && std::ranges::find(addresses, *address) == addresses.end())
      addresses.push_back(*address);
  if (addresses.empty()) return nothing("the name service gave none that can be used");
  return taking_turns(addresses);
}

}  // namespace aclmend::net
