// What a random rule asks: matches, as iptables spells them. Addresses and ports are drawn from a small
// stock, so that rules meet, and each end of what was asked is remembered for the packets.
#pragma once
#include <string>
#include <vector>

#include "tests/oracle/iptables/dice.h"
#include "tests/oracle/iptables/plan.h"

namespace aclmend::oracle {

struct Invention;

enum class Service : std::uint8_t { other, tcp, with_ports };

struct Where {
  bool takes_in = true;   // -i may be asked
  bool takes_out = true;  // -o
  bool is_raw = false;
  bool is_arrival = true;  // mac and policy may be asked
};

struct RuleWords {
  std::vector<std::string> groups;  // each keeps its words together
  Service service = Service::other;
};

class Words {
 public:
  Words(Dice& dice, Invention& made, const Plan& plan);

  std::string sets();  // an `ipset save`; to be asked first
  RuleWords rule(const Where& where);
  std::string passing_target();
  std::uint16_t port();
  Address host();
  Address own();
  Prefix prefix(int shortest);

 private:
  struct Set {
    std::string name;
    std::size_t dimensions = 1;
    bool has_nomatch = false;
    bool has_interface = false;
  };

  bool is_decidable() const;
  bool is_v6() const;
  Address noted(Address address);
  std::uint16_t noted(std::uint16_t port);
  std::string negation(std::size_t share);
  std::string address_text();
  std::string range_text();
  std::string ports_text(char parted);
  std::string interface_text();
  std::string addresses();
  std::string interfaces(const Where& where);
  std::string service(RuleWords& words);
  std::string ports(std::string_view protocol);
  std::string icmp();
  std::string multiport();
  std::string tcp_flags();
  std::string conntrack(const Where& where, Service service);
  std::string mark();
  std::string set_match();
  std::string address_type();
  std::string quoted();
  std::string open_match(const Where& where);
  std::string extra(const Where& where, Service service);
  std::string elements(const Set& set, std::string_view type);
  std::string set_port();

  Dice& dice_;
  Invention& made_;
  const Plan& plan_;
  std::vector<Address> stock_;
  std::vector<std::uint16_t> port_stock_;
  std::vector<Set> sets_;
};

}  // namespace aclmend::oracle
