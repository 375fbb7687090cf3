// The entries that nearly all of a long list is made of, read in one go: half of an audit's time was the way
// of their words through the whole grammar (ace.cc).
//
//   {permit|deny} {tcp|udp|ip} ADDRESS ADDRESS [eq P | range P P] [log]
//   ADDRESS: any, any4, any6, host A, A MASK, object O, object-group G
//
// One blank between words, every name known where its kind matters, nothing odd. What is not just so is left
// to the grammar: a plain entry is what parse_ace makes of the same words, or none.
#include <cstring>

#include "vendors/cisco_asa/ace.h"
#include "vendors/cisco_asa/names.h"

namespace aclmend::cisco_asa {
namespace {

class PlainEntry {
 public:
  PlainEntry(std::string_view text, const Configuration& configuration)
      : at_(text.data()), end_(text.data() + text.size()), configuration_(configuration) {}

  // Reads on; false: the entry is not a plain one.
  bool action(Ace& ace);
  bool protocol(Ace& ace);
  bool source(Ace& ace) { return address(ace.source); }
  bool destination(Ace& ace) {
    const bool may_hold_ports = ace.protocol == Ace::Protocol::number;
    return (!may_hold_ports || !is_next(" object-group ") || is_group_of_addresses()) &&
           address(ace.destination);
  }
  bool service(Ace& ace);
  bool end(Ace& ace) {
    if (take(" log")) ace.log = Ace::Log::on;
    return at_ == end_;
  }

  std::optional<AddressPlace> only_address() {
    AddressPlace place;
    return address(place) && at_ == end_ ? std::optional(place) : std::nullopt;
  }

 private:
  template <std::size_t N>
  bool is_next(const char (&words)[N]) const {
    return static_cast<std::size_t>(end_ - at_) >= N - 1 && std::memcmp(at_, words, N - 1) == 0;
  }
  template <std::size_t N>
  bool take(const char (&words)[N]) {
    if (!is_next(words)) return false;
    at_ += N - 1;
    return true;
  }
  bool is_at_word_end() const { return at_ == end_ || *at_ == ' '; }
  std::string_view word() {
    const char* begin = at_;
    while (at_ != end_ && *at_ != ' ' && *at_ != '\t') ++at_;
    return {begin, static_cast<std::size_t>(at_ - begin)};
  }
  std::optional<V4> number() {
    const ScannedV4 scanned = scan_v4({at_, static_cast<std::size_t>(end_ - at_)});
    at_ += scanned.length;
    return scanned.length != 0 && is_at_word_end() ? std::optional(scanned.number) : std::nullopt;
  }
  bool address(AddressPlace& place);
  bool named(AddressPlace& place, AddressPlace::Kind kind) {
    place.kind = kind;
    place.name = word();
    return !place.name.empty() && !place.name.ends_with(')');
  }
  bool is_group_of_addresses() const;

  const char* at_;
  const char* end_;
  const Configuration& configuration_;
};

bool PlainEntry::action(Ace& ace) {
  ace.is_permit = take("permit");
  return ace.is_permit || take("deny");
}

bool PlainEntry::protocol(Ace& ace) {
  ace.protocol = Ace::Protocol::number;
  if (take(" tcp ")) ace.number = protocol::tcp;
  else if (take(" udp ")) ace.number = protocol::udp;
  else if (take(" ip ")) ace.protocol = Ace::Protocol::ip;
  else return false;
  --at_;  // every address begins with its blank
  return true;
}

bool PlainEntry::address(AddressPlace& place) {
  using enum AddressPlace::Kind;
  if (take(" any")) {
    place.kind = take("4") ? any4 : take("6") ? any6 : any;
    return is_at_word_end();
  }
  if (take(" object-group ")) return named(place, group);
  if (take(" object ")) return named(place, object);
  const bool is_host = take(" host ");
  if (!is_host && !take(" ")) return false;
  const auto network = number();
  if (!network) return false;
  place = {v4, 32, *network, *network, {}, {}};
  if (is_host) return true;
  const auto mask = take(" ") ? number() : std::nullopt;
  const auto length = mask ? netmask_length(*mask) : std::nullopt;
  if (!length || (*network & ~*mask) != 0) return false;
  place.length = static_cast<std::uint8_t>(*length);
  return true;
}

// The group whose name is next: not of ports, which may stand in its place.
bool PlainEntry::is_group_of_addresses() const {
  PlainEntry ahead = *this;
  ahead.take(" object-group ");
  const NameEntry* known = cisco_asa::named(configuration_, ahead.word());
  return known != nullptr && known->is_group &&
         configuration_.groups[known->index].type == GroupType::network;
}

bool PlainEntry::service(Ace& ace) {
  if (ace.protocol != Ace::Protocol::number) return true;
  const PortTable table = ace.number == protocol::tcp ? PortTable::tcp : PortTable::udp;
  const bool is_range = take(" range ");
  if (!is_range && !take(" eq ")) return true;
  const auto first = port_number(word(), table);
  const auto last = is_range ? (take(" ") ? port_number(word(), table) : std::nullopt) : first;
  if (!first || !last || *first > *last) return false;
  ace.destination_port = {PortPlace::Kind::range, *first, *last, {}};
  return true;
}

}  // namespace

std::optional<AddressPlace> plain_address(std::string_view words, const Configuration& configuration) {
  return PlainEntry(words, configuration).only_address();
}

std::optional<Ace> plain_ace(std::string_view words, const Configuration& configuration) {
  std::optional<Ace> plain(std::in_place);
  PlainEntry entry(words, configuration);
  plain->reach = Ace::Reach::all;
  if (!entry.action(*plain) || !entry.protocol(*plain) || !entry.source(*plain) ||
      !entry.destination(*plain) || !entry.service(*plain) || !entry.end(*plain))
    plain.reset();
  return plain;
}

}  // namespace aclmend::cisco_asa
