// What was gathered for a diagnosis: the facts of all evidence, counted as it streams by, in bounded memory.
// Logs tell of many senders; what counts is which of Microsoft's ranges are among them, and when.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audit/result.h"
#include "base/moment.h"
#include "diagnose/result.h"
#include "evidence/result.h"
#include "probe/result.h"
#include "sets/address_set.h"
#include "vendors/log.h"

namespace aclmend::diagnose {

// An error text, or several that say the same.
struct Deferred {
  Place at;  // of the newest
  std::string source;
  std::string reply, status, text, message, inner;
  std::uint32_t socket_error = 0;
  std::optional<Address> address;  // that was tried: the mail host as the sender sees it
  std::string host;
  std::string sender;                // the server that wrote it
  std::optional<Address> sent_from;  // where a trace tells it
  std::optional<Moment> when;        // of the newest
  bool is_expired = false;           // given up: the message was returned
  bool is_own_servers = false;       // an own server wrote it: the way to Microsoft, not from it
  std::uint64_t count = 1;
};

// What a receive log tells of one range.
struct Seen {
  std::uint64_t connections = 0, records = 0;
  std::optional<Moment> first, last;
  Place first_at, last_at;
  std::int64_t day = 0;           // of the last one, since 1970
  std::uint64_t on_that_day = 0;  // connections
};

struct TlsSigns {
  std::uint64_t not_offered = 0, negotiated = 0, failed = 0, no_certificate = 0;
  Place not_offered_at, negotiated_at, failed_at, no_certificate_at;
  std::optional<Address> not_offered_to, failed_with;
};

// All receive logs together.
struct Received {
  static constexpr std::size_t most_peers = 256;
  std::vector<std::string> files;
  std::optional<Moment> from, until;
  std::vector<Seen> ranges;                        // as Facts::ranges
  std::map<Address, std::uint64_t> private_peers;  // connections of each; at most `most_peers`
  std::uint64_t private_connections = 0, other_connections = 0;
  Place private_at;
  TlsSigns tls;  // of sessions from the ranges
};

// What a firewall's log tells of one range on its way to one destination, TCP 25.
struct Denials {
  static constexpr std::size_t most_sources = 4096, most_rules = 16;
  std::uint64_t attempts = 0;  // denied, each connection once
  std::set<Address> sources;   // of those, up to a number
  std::optional<Moment> first, last;
  Place first_at;
  std::map<std::string, std::uint64_t, std::less<>>
      rules;                       // attempts by the rule or list that the lines name
  std::uint64_t not_by_rules = 0;  // attempts that translation, routing or inspection dropped
  std::uint64_t hinted = 0;        // attempts where only a person's word in the line says "drop"
  std::uint64_t allowed = 0;       // connections let in
};

struct Target {
  Address address;  // as the log has it: public or translated
  std::vector<Denials> ranges;
};

struct FirewallLog {
  static constexpr std::size_t most_targets = 16;
  std::string file, title, vendor;
  std::optional<Moment> from, until;
  std::vector<Target> targets;
  std::uint64_t drops = 0;  // of any opening packet, wherever it goes: what shows that denies are logged
  std::uint64_t late = 0;   // drops from the ranges that concern no opening
  std::vector<std::string> holes;  // what says that lines are missing
  bool has_zone = true;
  bool has_other_targets = false;  // there were more than are kept
};

// The packet that was denied at the moment of the error text.
struct Match {
  Address source, destination;
  Moment time;
  Place at;
};

// How a kind of firewall is asked, for people who run one.
struct Inquiry {
  std::string vendor, title;
  std::string ask;        // the device's own command for the packet of the story
  std::string search;     // what finds denied packets in its log
  std::string send_back;  // commands whose output tells
};

// A firewall that was asked.
struct Firewall {
  std::string name, file, vendor, summary;
  std::optional<Moment> written;
  Place written_at;
  audit::DeviceAudit audit;  // its `error` where it could not be judged
  // What a packet that its rule denies earns the sender.
  enum class Answer : std::uint8_t { unknown, refusal, silence } answer = Answer::unknown;
  std::string answer_because;
  Place answer_at;
  std::string fix;  // the command that mends it
};

struct Facts {
  std::string list;                 // "list 2025120100"
  std::vector<Prefix> ranges;       // required of the flow; the last ones may be `unlisted`
  std::size_t required = 0;         // so many of them; behind them the relay pool
  AddressSet microsoft;             // every published address, and the relay pool
  std::string flow;                 // "eop-inbound-smtp"
  std::vector<Address> to;          // mail hosts that were named
  std::string host;                 // the name that was given, or that the error text has
  std::vector<Deferred> deferrals;  // the most frequent kinds first
  std::optional<Received> received;
  std::vector<FirewallLog> logs;
  std::optional<Match> match;
  std::vector<Firewall> firewalls;
  std::vector<Inquiry> inquiries;
  std::optional<probe::Report> probe;
  std::string probe_error;  // why there is none

  std::uint64_t lines = 0, unread = 0;  // of the evidence
  std::vector<std::string> troubles;    // files that could not be read, or not to their end
  std::vector<std::string> inputs;      // as they were given, for commands to type next
};

// Takes records as they come. Error texts first: the packet of their moment is looked for in the logs.
class Gatherer {
 public:
  explicit Gatherer(Facts& facts);
  ~Gatherer();
  Gatherer(const Gatherer&) = delete;
  Gatherer& operator=(const Gatherer&) = delete;

  void begin(const std::string& file);
  void add(const evidence::Record& record);
  void end(const evidence::Reading& reading);

 private:
  std::size_t range_of(Address address) const;  // ranges.size(): none
  bool is_of_firewall(std::string_view source);
  void add_deferral(const evidence::Record& record);
  void add_received(const evidence::Record& record);
  void add_tls(const evidence::Record& record, TlsSigns& signs);
  void add_firewall(const evidence::Record& record);
  void add_match(const evidence::Record& record);
  Place place(const evidence::Record& record) const;
  void put(Place& at, const evidence::Record& record) const;

  Facts& facts_;
  std::string file_;
  evidence::Attempts attempts_;
  std::size_t log_ = 0;  // index + 1 of the log that is being read; 0: none yet
  std::int64_t match_distance_ = 0;
  const char* last_source_ = nullptr;
  bool is_last_a_firewall_ = false;
};

bool is_private(Address address);  // RFC 1918, 4193, 6598, loopback, link-local

}  // namespace aclmend::diagnose
