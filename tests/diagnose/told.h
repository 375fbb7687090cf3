// A diagnosis as a test sees it: the command's own JSON, asked step by step.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend::test {

struct Told {
  Ran ran;
  nlohmann::json document;

  const nlohmann::json& step(const std::string& id) const {
    for (const nlohmann::json& one : document.at("steps"))
      if (one.at("id") == id) return one;
    throw std::runtime_error("no step " + id);
  }
  std::string status(const std::string& id) const { return step(id).at("status"); }
  std::string summary(const std::string& id) const { return step(id).at("summary"); }
  std::string settle(const std::string& id) const {
    return step(id).at("settle").is_null() ? "" : std::string(step(id).at("settle"));
  }
  bool says(const std::string& id, const std::string& words) const {
    return summary(id).find(words) != std::string::npos;
  }
  // "certain: group EOP-NETS lost …"
  std::string cause(std::size_t at = 0) const {
    if (document.at("causes").size() <= at) return "";
    const nlohmann::json& one = document.at("causes")[at];
    return std::string(one.at("confidence")) + ": " + std::string(one.at("cause"));
  }
  std::string contradicts(std::size_t at = 0) const {
    std::string all;
    for (const std::string one : document.at("causes").at(at).at("contradicts")) all += one + "\n";
    return all;
  }
};

// `diagnose --offline --format json` with these further arguments.
inline Told told(std::vector<std::string> args, const std::string& in = {}) {
  args.insert(args.begin(), {"diagnose", "--offline", "--format", "json"});
  Told result{aclmend(args, in), {}};
  INFO(result.ran.err);
  REQUIRE(result.ran.out.starts_with("{"));
  result.document = nlohmann::json::parse(result.ran.out);
  return result;
}

// ---- evidence, as short as it can be

inline const std::string refused =
    "Reason: [{LED=450 4.4.316 Connection refused [Message=Socket error code 10061] "
    "[LastAttemptedServerName=mail.contoso.com] [LastAttemptedIP=203.0.113.25:25] [SmtpSecurity=-2;-2] "
    "[EDGE07.eop-exa01.prod.protection.outlook.com 2026-11-23T01:12:09.381Z 08DEFA4E00000001]};{MSG=};"
    "{FQDN=mail.contoso.com};{IP=203.0.113.25};{LRT=11/23/2026 1:12:09 AM}]\n";
inline const std::string timed_out =
    "Reason: [{LED=450 4.4.315 Connection timed out [Message=Socket error code 10060] "
    "[LastAttemptedServerName=mail.contoso.com] [LastAttemptedIP=203.0.113.25:25] "
    "[EDGE07.eop-exa01.prod.protection.outlook.com 2026-11-23T01:12:09.381Z 08DEFA4E00000001]}]\n";

inline const std::string receive_head =
    "#Software: Microsoft Exchange Server\n#Version: 15.0.0.0\n#Log-type: SMTP Receive Protocol Log\n"
    "#Fields: date-time,connector-id,session-id,sequence-number,local-endpoint,remote-endpoint,event,data,"
    "context\n";
// A connection that was opened: "2026-11-23T01:00:00".
inline std::string connected(const std::string& time, const std::string& from, int session = 1) {
  return time + ".000Z,MAIL01\\Default Frontend MAIL01,08DE" + std::to_string(100000 + session) +
         ",0,10.1.1.25:25," + from + ":50123,+,,\n";
}
inline std::string said(const std::string& time, const std::string& from, const std::string& event,
                        const std::string& data, int session = 1) {
  return time + ".100Z,MAIL01\\Default Frontend MAIL01,08DE" + std::to_string(100000 + session) +
         ",1,10.1.1.25:25," + from + ":50123," + event + "," + data + ",\n";
}

inline std::string asa_denied(const std::string& stamp, const std::string& from, int port,
                              const std::string& to = "10.1.1.25") {
  return stamp + " edge : %ASA-4-106023: Deny tcp src outside:" + from + "/" + std::to_string(port) +
         " dst dmz:" + to + "/25 by access-group \"OUTSIDE_IN\" [0x0, 0x0]\n";
}
inline std::string asa_built(const std::string& stamp, const std::string& from, int port) {
  return stamp + " edge : %ASA-6-302013: Built inbound TCP connection 81000 for outside:" + from + "/" +
         std::to_string(port) + " (" + from + "/" + std::to_string(port) +
         ") to dmz:10.1.1.25/25 (203.0.113.25/25)\n";
}

// A firewall that lets these sources in and denies the rest.
inline std::string asa(const std::string& permits, const std::string& further = {}) {
  return ": Saved\n: Written by admin at 02:11:45.902 UTC Fri Nov 20 2026\nASA Version 9.16(4)\nhostname "
         "edge\n"
         "interface GigabitEthernet0/0\n nameif outside\n security-level 0\n ip address 203.0.113.2 "
         "255.255.255.0\n"
         "interface GigabitEthernet0/1\n nameif dmz\n security-level 50\n ip address 10.1.1.1 255.255.255.0\n"
         "object network MAIL01\n host 10.1.1.25\n nat (dmz,outside) static 203.0.113.25\n" +
         permits +
         "access-list OUTSIDE_IN extended deny ip any any\naccess-group OUTSIDE_IN in interface outside\n"
         "route outside 0.0.0.0 0.0.0.0 203.0.113.1\n" +
         further + ": end\n";
}
inline std::string permit(const std::string& network_and_mask) {
  return "access-list OUTSIDE_IN extended permit tcp " + network_and_mask + " host 10.1.1.25 eq smtp\n";
}
inline const std::string half = permit("40.92.0.0 255.254.0.0") + permit("40.107.0.0 255.255.0.0");
inline const std::string whole = half + permit("52.100.0.0 255.252.0.0") + permit("104.47.0.0 255.255.128.0");

}  // namespace aclmend::test
