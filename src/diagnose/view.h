// What the steps and the causes see in the facts alike.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diagnose/gather.h"

namespace aclmend::diagnose {

// "02:11:31 UTC, 20 Nov"; without "UTC" where the clock names no zone.
std::string clock_text(const Moment& moment);
std::string day_text(std::int64_t day);  // "20 Nov"

// "edge-after.cfg:2457": the last part of the path.
std::string short_place(const Place& place);
std::string short_name(const std::string& file);

std::string ranges_text(const AddressSet& set);  // "52.100.0.0/14 104.47.0.0/17 and 3 more"
std::string plural(std::uint64_t count, std::string_view what);

// The mail host as the sender sees it, and as the firewalls translate it.
AddressSet mail_hosts(const Facts& facts);
// The required ranges that a mail host of these families can be asked for.
AddressSet required(const Facts& facts);

// ---- what Exchange saw

struct Arrivals {
  bool is_known = false;          // there is a receive log, and it tells who the senders are
  bool is_hidden = false;         // every connection comes from a few private addresses
  AddressSet seen;                // ranges that arrive, to the end of the log
  AddressSet gone;                // that came before, and no more
  AddressSet not_yet;             // that did not come, in a log too short to say anything
  AddressSet never;               // that did not come in the time of the log
  std::uint64_t connections = 0;  // from the ranges
};
Arrivals arrivals(const Facts& facts);

// ---- what the firewalls' logs tell

struct Denied {
  AddressSet ranges;   // from which opening packets to the mail host were denied
  AddressSet allowed;  // from which some were let in, and none denied
  std::uint64_t attempts = 0, hinted = 0, not_by_rules = 0;
  std::size_t sources = 0;
  std::optional<Moment> first;
  Place first_at;
  std::string rule;                  // that most of the lines name
  std::vector<Address> other_hosts;  // denied on the way to these; not known to be the mail host
  bool is_cut = false;               // there were more destinations than were looked at
};
Denied denied(const Facts& facts);

// Does a log reach over the moment of the error text? None: nothing to compare.
std::optional<bool> covers_the_error(const FirewallLog& log, const Facts& facts);

// ---- what the rules say

// The flow's own checks of a firewall that is asked for the mail host.
std::vector<const audit::Check*> checks_of(const Firewall& firewall, const Facts& facts);
AddressSet blocked(const Firewall& firewall, const Facts& facts);
AddressSet permitted(const Firewall& firewall, const Facts& facts);
AddressSet unknown(const Firewall& firewall, const Facts& facts);
// What stops these packets there, the widest first.
std::vector<const audit::Finding*> findings_of(const Firewall& firewall, const Facts& facts);
// Every firewall was judged, and those that are asked let all required packets in.
bool all_open(const Facts& facts);
// Those whose rules stop required packets.
std::vector<const Firewall*> blocking(const Facts& facts);

}  // namespace aclmend::diagnose
