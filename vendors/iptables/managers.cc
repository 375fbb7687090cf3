// Programs that write rules: docker, kube-proxy, ufw, firewalld, fail2ban, shorewall, CSF. What is typed into
// their chains is gone at their next run; most leave a chain to the administrator.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "vendors/iptables/edit.h"

namespace aclmend::iptables {
namespace {

enum class Manager : std::uint8_t { none, docker, kubernetes, ufw, firewalld, fail2ban, shorewall, csf };

bool begins_with(std::string_view text, std::initializer_list<std::string_view> beginnings) {
  return std::ranges::any_of(beginnings, [&](std::string_view one) { return text.starts_with(one); });
}

// Who writes the chain, by how it is called.
Manager manager_of(std::string_view chain) {
  if (chain == "DOCKER-USER") return Manager::none;
  if (chain == "DOCKER" || chain.starts_with("DOCKER-")) return Manager::docker;
  if (begins_with(chain, {"KUBE-", "cali-", "CILIUM_", "OLD_CILIUM_", "FLANNEL-", "CNI-", "WEAVE"}))
    return Manager::kubernetes;
  if (begins_with(chain, {"ufw-", "ufw6-"})) return Manager::ufw;
  if (begins_with(chain, {"f2b-", "fail2ban-"})) return Manager::fail2ban;
  if (begins_with(chain, {"IN_", "FWD_", "FWDI_", "FWDO_", "PRE_", "POST_"}) ||
      begins_with(chain, {"INPUT_ZONES", "INPUT_direct", "FORWARD_IN_ZONES", "FORWARD_OUT_ZONES",
                          "FORWARD_direct", "PREROUTING_ZONES", "PREROUTING_direct", "OUTPUT_direct"}))
    return Manager::firewalld;
  if (begins_with(chain, {"net2", "net-", "loc2", "fw2", "smurfs", "~log", "shorewall", "dynamic"}))
    return Manager::shorewall;
  if (begins_with(chain,
                  {"LOCALINPUT", "LOCALOUTPUT", "ALLOWIN", "DENYIN", "ALLOWOUT", "DENYOUT", "LOGDROPIN"}))
    return Manager::csf;
  return Manager::none;
}

// A rule that calls the chain.
struct Caller {
  std::uint32_t chain = 0;
  std::size_t number = 1;
};
std::optional<Caller> caller_of(const IptablesDocument& document, const Chains& chains,
                                std::uint32_t called) {
  for (std::uint32_t i = 0; i < chains.chains.size(); ++i)
    for (std::size_t r = 0; r < chains.chains[i].rules.size(); ++r)
      if (document.called_by(chains.chains[i].rules[r]) == called) return Caller{i, r + 1};
  return std::nullopt;
}

// Up to the first chain that no program writes: what stands before the call there comes first.
Result<Site> before_the_call(const IptablesDocument& document, const Chains& chains, std::uint32_t chain) {
  Site site{chain, 1, {}};
  for (int depth = 0; depth < 64; ++depth) {
    const auto caller = caller_of(document, chains, site.chain);
    if (!caller) return fail(fmt::format("nothing calls {}", printable(chains.chains[chain].name)));
    site.chain = caller->chain;
    site.number = caller->number;
    if (manager_of(chains.chains[site.chain].name) == Manager::none) return site;
  }
  return fail("chains call each other without end");
}

bool has_rules_in(const Half& half, Table table, std::string_view chain) {
  const auto& chains = half[table];
  return chains && chains->named(chain) != nullptr;
}

}  // namespace

Result<Site> site_for(const IptablesDocument& document, Family family, Table table, std::uint32_t chain,
                      std::size_t number) {
  const Chains& chains = *document.half(family)[table];
  const std::string& name = chains.chains[chain].name;
  const Site asked{chain, number, {}};
  const auto at = [&](std::uint32_t where, std::size_t rule, std::string note) {
    return Site{where, rule, {std::move(note)}};
  };
  const auto user = [&](std::string_view of_v4, std::string_view of_v6) {
    return chains.index_of(family == Family::ipv4 ? of_v4 : of_v6);
  };
  switch (manager_of(name)) {
    case Manager::docker:
      if (const auto users = chains.index_of("DOCKER-USER"))
        return at(
            *users, 1,
            fmt::format("{} is docker's own and is made anew at its start: DOCKER-USER is yours", name));
      return fail(
          fmt::format("{} is docker's own and is made anew at its start, and there is no DOCKER-USER", name));
    case Manager::ufw: {
      const bool is_forward = name.find("forward") != std::string::npos;
      const auto users = is_forward ? user("ufw-user-forward", "ufw6-user-forward")
                                    : user("ufw-user-input", "ufw6-user-input");
      if (users && *users != chain)
        return at(
            *users, 1,
            fmt::format("{} is ufw's own: its rules of yours stand in {}", name, chains.chains[*users].name));
      return asked;
    }
    case Manager::firewalld: {
      // "IN_public_deny" → "IN_public_allow".
      std::string allow = name;
      for (const std::string_view end : {"_log", "_deny", "_allow", "_pre", "_post"})
        if (allow.ends_with(end)) allow.resize(allow.size() - end.size());
      if (const auto users = chains.index_of(allow + "_allow"))
        return at(*users, chains.chains[*users].rules.size() + 1,
                  fmt::format("{} is firewalld's: the permits of this zone stand in {}_allow", name, allow));
      return before_the_call(document, chains, chain);
    }
    case Manager::fail2ban:
    case Manager::kubernetes: {
      TRY(site, before_the_call(document, chains, chain));
      site.notes.push_back(
          manager_of(name) == Manager::fail2ban
              ? fmt::format("{0} is fail2ban's: a banned address is let go by `fail2ban-client unban "
                            "ADDRESS`; the rule stands before the call of {0}",
                            printable(name))
              : fmt::format("{0} is written by kube-proxy or the network plugin: the rule stands before the "
                            "call of it",
                            printable(name)));
      return site;
    }
    case Manager::none:
    case Manager::shorewall:
    case Manager::csf: break;
  }
  // A base chain of ufw's or firewalld's machine: their calls stand there, and the rest is yours to lose.
  if (name == "INPUT" && table == Table::filter) {
    if (const auto users = user("ufw-user-input", "ufw6-user-input"))
      return at(*users, 1,
                fmt::format("ufw writes these rules: yours stand in {}", chains.chains[*users].name));
    if (chains.index_of("INPUT_ZONES"))
      for (std::uint32_t i = 0; i < chains.chains.size(); ++i)
        if (chains.chains[i].name.starts_with("IN_") && chains.chains[i].name.ends_with("_allow"))
          return at(i, chains.chains[i].rules.size() + 1,
                    fmt::format("firewalld writes these rules: the permits of a zone stand in {}",
                                chains.chains[i].name));
  }
  if (name == "FORWARD" && table == Table::filter)
    if (const auto users = chains.index_of("DOCKER-USER"))
      return at(*users, 1, "docker writes its calls to the top of FORWARD: DOCKER-USER is yours");
  return asked;
}

std::vector<std::string> manager_notes(const Half& half, Family family, const InsertPermit& edit,
                                       const std::vector<Prefix>& sources) {
  std::vector<std::string> notes;
  const std::string to = [&] {
    const std::vector<Prefix> prefixes = edit.destinations.prefixes();
    return prefixes.size() == 1 && prefixes[0].length > 0 ? host_bare(prefixes[0]) : std::string("any");
  }();
  const std::string service = protocol_name(edit.protocol);
  constexpr std::size_t most = 4;
  const auto each = [&](auto text) {
    for (std::size_t i = 0; i < std::min(sources.size(), most); ++i)
      notes.push_back(text(to_string(sources[i])));
    if (sources.size() > most) notes.push_back(fmt::format("and so for {} more", sources.size() - most));
  };
  const std::string_view word = family == Family::ipv4 ? "ipv4" : "ipv6";
  if (has_rules_in(half, Table::filter, family == Family::ipv4 ? "ufw-user-input" : "ufw6-user-input"))
    each([&](const std::string& from) {
      return fmt::format(
          "ufw forgets what it did not write; to keep it: ufw insert 1 allow proto {} from {} to {} port {}",
          service, from, to, edit.port);
    });
  else if (has_rules_in(half, Table::filter, "INPUT_ZONES"))
    each([&](const std::string& from) {
      return fmt::format(
          "firewalld forgets what it did not write; to keep it: firewall-cmd --permanent "
          "--add-rich-rule='rule "
          "family=\"{}\" source address=\"{}\" port port=\"{}\" protocol=\"{}\" accept'",
          word, from, edit.port, service);
    });
  else if (has_rules_in(half, Table::filter, "ALLOWIN"))
    each([&](const std::string& from) {
      return fmt::format("CSF forgets what it did not write; to keep it: csf -a \"{}|in|d={}|s={}\"", service,
                         edit.port, from);
    });
  else if (has_rules_in(half, Table::filter, "net2fw") || has_rules_in(half, Table::filter, "net-fw"))
    each([&](const std::string& from) {
      return fmt::format(
          "shorewall forgets what it did not write; to keep it, in /etc/shorewall{}/rules: ACCEPT net:{} all "
          "{} {}",
          family == Family::ipv4 ? "" : "6", from, service, edit.port);
    });
  return notes;
}

}  // namespace aclmend::iptables
