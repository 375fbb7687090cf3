#include "net/dns.h"

#include <ares.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <random>

#include "base/text.h"

namespace aclmend::net {
namespace {

using std::chrono::steady_clock;
using Status = DnsAnswer::Status;

constexpr int edns_size = 1232;  // DNS flag day 2020: larger datagrams are cut up on the way
constexpr std::size_t most_records = 200;
constexpr std::size_t most_servers = 3;  // as many as resolv.conf(5) may name
constexpr std::size_t longest_alias_chain = 8;

struct EndChannel {
  void operator()(ares_channel channel) const { ::ares_destroy(channel); }
};
using Channel = std::unique_ptr<std::remove_pointer_t<ares_channel>, EndChannel>;

// c-ares wants to be told once before the first thread.
int begin_library() {
  static std::once_flag once;
  static int status = ARES_SUCCESS;
  std::call_once(once, [] { status = ::ares_library_init(ARES_LIB_INIT_ALL); });
  return status;
}

Result<Channel> open_channel(const ResolverOptions& options) {
  if (const int status = begin_library(); status != ARES_SUCCESS) return fail(::ares_strerror(status));
  ares_options set{};
  set.timeout = static_cast<int>(options.timeout.count());
  set.tries = options.tries;
  set.ednspsz = edns_size;
  set.flags = ARES_FLAG_EDNS | ARES_FLAG_NOCHECKRESP;  // SERVFAIL and its like are read here
  ares_channel raw = nullptr;
  const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ | ARES_OPT_FLAGS;
  if (const int status = ::ares_init_options(&raw, &set, mask); status != ARES_SUCCESS)
    return fail(fmt::format("the system's resolver settings cannot be read: {}", ::ares_strerror(status)));
  Channel channel(raw);
  if (options.server) {
    const std::string server = to_string(*options.server);
    if (const int status = ::ares_set_servers_ports_csv(raw, server.c_str()); status != ARES_SUCCESS)
      return fail(fmt::format("{} cannot be asked: {}", server, ::ares_strerror(status)));
  }
  return channel;
}

std::vector<Endpoint> servers_of(const Channel& channel) {
  std::vector<Endpoint> servers;
  ares_addr_port_node* first = nullptr;
  if (::ares_get_servers_ports(channel.get(), &first) != ARES_SUCCESS) return servers;
  for (const ares_addr_port_node* one = first; one != nullptr; one = one->next) {
    Endpoint endpoint;
    if (one->family == AF_INET) {
      endpoint.address = Address::v4(ntohl(one->addr.addr4.s_addr));
    } else {
      V6 number = 0;
      for (const auto byte : one->addr.addr6._S6_un._S6_u8) number = number << 8 | byte;
      endpoint.address = Address::v6(number);
    }
    endpoint.port = one->udp_port == 0 ? std::uint16_t{53} : static_cast<std::uint16_t>(one->udp_port);
    servers.push_back(endpoint);
  }
  ::ares_free_data(first);
  return servers;
}

// ---- one exchange

struct Received {
  bool is_done = false;
  int status = ARES_SUCCESS;
  std::string message;
};

void receive(void* place, int status, int, unsigned char* bytes, int length) {
  auto* received = static_cast<Received*>(place);
  received->is_done = true;
  received->status = status;
  if (bytes != nullptr && length > 0)
    received->message.assign(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

// A query with the AD bit set: "tell me whether DNSSEC vouches" (RFC 6840 5.7).
Result<std::string> query_for(const std::string& name, RecordType type) {
  unsigned char* bytes = nullptr;
  int length = 0;
  std::random_device random;
  const int status =
      ::ares_create_query(name.c_str(), 1, static_cast<int>(type), static_cast<unsigned short>(random()), 1,
                          &bytes, &length, edns_size);
  if (status != ARES_SUCCESS) return fail(::ares_strerror(status));
  std::string query(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  ::ares_free_string(bytes);
  query[3] = static_cast<char>(query[3] | 0x20);
  return query;
}

void wait_and_process(const Channel& channel, steady_clock::time_point until) {
  ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
  const int wanted = ::ares_getsock(channel.get(), sockets, ARES_GETSOCK_MAXNUM);
  std::vector<pollfd> polled;
  for (int i = 0; i < ARES_GETSOCK_MAXNUM; ++i) {
    short events = 0;
    if (ARES_GETSOCK_READABLE(wanted, i)) events = POLLIN;
    if (ARES_GETSOCK_WRITABLE(wanted, i)) events = static_cast<short>(events | POLLOUT);
    if (events != 0) polled.push_back({sockets[i], events, 0});
  }
  const auto left = std::max(until - steady_clock::now(), steady_clock::duration::zero());
  timeval most{std::chrono::duration_cast<std::chrono::seconds>(left).count(),
               std::chrono::duration_cast<std::chrono::microseconds>(left % std::chrono::seconds(1)).count()};
  timeval store{};
  const timeval* next = ::ares_timeout(channel.get(), &most, &store);
  ::poll(polled.data(), polled.size(), static_cast<int>(next->tv_sec * 1000 + next->tv_usec / 1000 + 1));
  if (polled.empty()) ::ares_process_fd(channel.get(), ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  for (const pollfd& one : polled) {
    const auto has = [&](short events) { return (one.revents & (events | POLLERR | POLLHUP)) != 0; };
    ::ares_process_fd(channel.get(), has(POLLIN) ? one.fd : ARES_SOCKET_BAD,
                      (one.events & POLLOUT) != 0 && has(POLLOUT) ? one.fd : ARES_SOCKET_BAD);
  }
}

DnsAnswer not_answered(Status status, std::string text) {
  DnsAnswer answer;
  answer.status = status;
  answer.text = std::move(text);
  return answer;
}

// ---- reading a message

// A cursor over the message that says once and for all when the bytes do not suffice.
class Bytes {
 public:
  explicit Bytes(std::string_view message) : message_(message) {}
  bool is_broken() const { return is_broken_; }
  std::size_t at() const { return at_; }
  void go_to(std::size_t at) { at_ = at; }

  unsigned number(int bytes) {
    unsigned value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(next());
    return value;
  }
  std::string_view take(std::size_t count) {
    if (is_broken_ || message_.size() - at_ < count) {
      is_broken_ = true;
      return {};
    }
    at_ += count;
    return message_.substr(at_ - count, count);
  }
  // Lower case, without the last dot; what is no letter, digit, `-` or `_` comes out escaped by c-ares.
  std::string name() {
    char* text = nullptr;
    long length = 0;
    const auto* start = reinterpret_cast<const unsigned char*>(message_.data());
    if (is_broken_ || at_ >= message_.size() ||
        ::ares_expand_name(start + at_, start, static_cast<int>(message_.size()), &text, &length) !=
            ARES_SUCCESS) {
      is_broken_ = true;
      return {};
    }
    std::string out = lower(text);
    ::ares_free_string(text);
    if (out.ends_with('.') && !out.ends_with("\\.")) out.pop_back();
    at_ += static_cast<std::size_t>(length);
    return out;
  }

 private:
  char next() {
    const std::string_view one = take(1);
    return one.empty() ? '\0' : one[0];
  }
  std::string_view message_;
  std::size_t at_ = 0;
  bool is_broken_ = false;
};

V6 address_number(std::string_view bytes) {
  V6 number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::string joined_strings(Bytes& bytes, std::size_t end) {
  std::string text;
  while (!bytes.is_broken() && bytes.at() < end) text += bytes.take(bytes.number(1));
  return text;
}

// One record of the answer; none where it is of no type that we know, or malformed.
std::optional<Record> read_record(Bytes& bytes) {
  Record record;
  record.owner = bytes.name();
  const unsigned type = bytes.number(2);
  const unsigned record_class = bytes.number(2);
  bytes.number(4);  // its time to live
  const unsigned length = bytes.number(2);
  const std::size_t end = bytes.at() + length;
  Bytes inside = bytes;
  bytes.take(length);
  if (bytes.is_broken() || record_class != 1) return std::nullopt;
  record.type = static_cast<RecordType>(type);
  switch (record.type) {
    case RecordType::a:
      if (length != 4) return std::nullopt;
      record.address = Address::v4(static_cast<V4>(address_number(inside.take(4))));
      break;
    case RecordType::aaaa:
      if (length != 16) return std::nullopt;
      record.address = Address::v6(address_number(inside.take(16)));
      break;
    case RecordType::cname: record.target = inside.name(); break;
    case RecordType::mx:
      record.preference = static_cast<std::uint16_t>(inside.number(2));
      record.target = inside.name();
      break;
    case RecordType::txt: record.text = joined_strings(inside, end); break;
    case RecordType::tlsa:
      if (length < 3) return std::nullopt;
      record.usage = static_cast<std::uint8_t>(inside.number(1));
      record.selector = static_cast<std::uint8_t>(inside.number(1));
      record.matching = static_cast<std::uint8_t>(inside.number(1));
      record.data = inside.take(length - 3);
      break;
    default: return std::nullopt;
  }
  if (inside.is_broken() || inside.at() > end) return std::nullopt;
  return record;
}

std::string without_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return lower(name);
}

// Follows the aliases from the name asked for, then keeps what stands at their end.
void keep_what_was_asked(DnsAnswer& answer, std::vector<Record> all, std::string name, RecordType type) {
  while (type != RecordType::cname) {
    const auto alias = std::ranges::find_if(
        all, [&](const Record& one) { return one.type == RecordType::cname && one.owner == name; });
    if (alias == all.end() || answer.aliases.size() == longest_alias_chain) break;
    name = alias->target;
    answer.aliases.push_back(name);
  }
  for (Record& one : all)
    if (one.type == type && one.owner == name) answer.records.push_back(std::move(one));
}

DnsAnswer asked_of(const ResolverOptions& options, const std::string& name, RecordType type) {
  const auto channel = open_channel(options);
  if (!channel) return not_answered(Status::failed, channel.error().message);
  const auto query = query_for(name, type);
  if (!query)
    return not_answered(Status::no_such_name, fmt::format("no name for DNS: {}", query.error().message));
  Received received;
  ::ares_send(channel->get(), reinterpret_cast<const unsigned char*>(query->data()),
              static_cast<int>(query->size()), receive, &received);
  const auto until = steady_clock::now() + 2 * options.tries * options.timeout;
  while (!received.is_done) {
    if (steady_clock::now() >= until) ::ares_cancel(channel->get());
    else wait_and_process(*channel, until);
  }
  switch (received.status) {
    case ARES_SUCCESS: return read_dns_message(received.message, name, type);
    case ARES_ETIMEOUT:
    case ARES_ECANCELLED: return not_answered(Status::timed_out, "the resolver did not answer");
    case ARES_ECONNREFUSED:
      return not_answered(Status::timed_out, "no resolver listens there (connection refused)");
    default: return not_answered(Status::failed, ::ares_strerror(received.status));
  }
}

}  // namespace

std::string_view to_string(RecordType type) {
  switch (type) {
    case RecordType::a: return "A";
    case RecordType::cname: return "CNAME";
    case RecordType::mx: return "MX";
    case RecordType::txt: return "TXT";
    case RecordType::aaaa: return "AAAA";
    case RecordType::tlsa: return "TLSA";
  }
  return "?";
}

DnsAnswer read_dns_message(std::string_view message, std::string_view name, RecordType type) {
  Bytes bytes(message);
  bytes.number(2);
  const unsigned flags = bytes.number(2);
  const unsigned questions = bytes.number(2), answers = bytes.number(2);
  bytes.number(4);
  for (unsigned i = 0; i < questions && !bytes.is_broken(); ++i) bytes.name(), bytes.number(4);
  if (bytes.is_broken() || (flags & 0x8000) == 0 || questions > 1)
    return not_answered(Status::failed, "the resolver's answer makes no sense");
  const unsigned code = flags & 0xF;
  if (code == 3) return not_answered(Status::no_such_name, "there is no such name (NXDOMAIN)");
  if (code == 2) return not_answered(Status::failed, "the resolver failed (SERVFAIL)");
  if (code == 5) return not_answered(Status::failed, "the resolver refused (REFUSED)");
  if (code != 0)
    return not_answered(Status::failed, fmt::format("the resolver answered with error {}", code));
  std::vector<Record> all;
  for (unsigned i = 0; i < answers && !bytes.is_broken() && all.size() < most_records; ++i)
    if (auto record = read_record(bytes)) all.push_back(std::move(*record));
  if (bytes.is_broken()) return not_answered(Status::failed, "the resolver's answer is cut off");
  DnsAnswer answer;
  answer.is_authenticated = (flags & 0x20) != 0;
  keep_what_was_asked(answer, std::move(all), without_dot(name), type);
  answer.status = answer.records.empty() ? Status::no_data : Status::answered;
  if (answer.records.empty()) answer.text = fmt::format("no {} record", to_string(type));
  return answer;
}

Result<Resolver> Resolver::open(const ResolverOptions& options) {
  TRY(channel, open_channel(options));
  Resolver resolver;
  resolver.options_ = options;
  resolver.servers_ = servers_of(channel);
  if (resolver.servers_.size() > most_servers) resolver.servers_.resize(most_servers);
  if (resolver.servers_.empty()) return fail("this machine names no DNS resolver (--resolver ADDRESS)");
  return resolver;
}

// A resolver that fails or is silent is passed over for the next, as the system's own library does.
DnsAnswer Resolver::ask(std::string_view name, RecordType type) const {
  DnsAnswer answer;
  for (const Endpoint& server : servers_) {
    ResolverOptions options = options_;
    options.server = server;
    answer = asked_of(options, without_dot(name), type);
    if (answer.status != Status::failed && answer.status != Status::timed_out) break;
  }
  return answer;
}

}  // namespace aclmend::net
