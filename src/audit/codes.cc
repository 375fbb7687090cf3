#include "audit/codes.h"

#include <algorithm>
#include <cassert>

#include "base/text.h"

namespace aclmend::audit {
namespace {

constexpr std::optional<Severity> of_the_flow = std::nullopt;

constexpr CodeText table[] = {
    {Code::blocked_by_deny, "ACM001", "blocked-by-deny",
     "a deny line stops required packets, and nothing permits them later", of_the_flow,
     "A line of the filter denies the named ranges before any line permits them, and no later line would "
     "permit them either. Every sender in these ranges is refused or gets no answer.",
     "Let the ranges in before the line that denies them. `aclmend trace` with an address of the range shows "
     "the way to that line."},
    {Code::blocked_by_default, "ACM002", "blocked-by-default", "no line permits them; the default denies",
     of_the_flow,
     "No line of the filter names these ranges for this destination and port, so what the firewall does at "
     "the end of its list decides: it denies.",
     "Add the ranges to the list that permits the others, or add a line that permits them."},
    {Code::lost_member, "ACM003", "lost-member", "the permitting group lost a member that is still defined",
     of_the_flow,
     "The line that permits the required traffic names a group. Objects with the missing ranges are still "
     "defined, but the group no longer holds them: the usual trace of a clean-up or a change that took out "
     "too much. Mail from the remaining members gets through, so the fault shows as some mail delayed.",
     "Put the named objects back into the group. Look first whether anything else uses the group."},
    {Code::narrower_than_published, "ACM004", "narrower-than-published",
     "the permit holds only a part of a published range", of_the_flow,
     "A permitted network lies inside a range that Microsoft publishes, but does not hold all of it: a "
     "longer "
     "prefix, a host, or an old list before the range was widened.",
     "Replace the network by the published range."},
    {Code::permit_disabled, "ACM005", "permit-disabled", "the permitting line is inactive or disabled",
     of_the_flow,
     "A line would permit the ranges, but it is switched off (`inactive`, disabled), so the firewall passes "
     "over it.",
     "Switch the line on again, or find out why it was switched off."},
    {Code::permit_elsewhere, "ACM006", "permit-elsewhere",
     "the permit names another port, protocol, zone, direction or address", of_the_flow,
     "A line permits these sources, but not this packet: its port, protocol, zone, direction or destination "
     "is another. A common case is the real address of a translated host where the mapped one is meant, or "
     "the reverse.",
     "Compare the line with the asked packet, field by field, and correct the field that differs."},
    {Code::ipv6_forgotten, "ACM007", "ipv6-forgotten",
     "IPv4 is complete, IPv6 is not, and the mail host has IPv6", of_the_flow,
     "All required IPv4 ranges get through, IPv6 ranges do not, and the mail host has an IPv6 address. "
     "Senders that prefer IPv6 are stopped; most fall back to IPv4 after a delay.",
     "Let the IPv6 ranges in as well, or stop publishing an IPv6 address for the mail host."},
    {Code::permit_too_late, "ACM008", "permit-too-late", "the permit stands after the deny that decides",
     of_the_flow,
     "A line permits the ranges, but an earlier line denies them, and the first line that matches decides.",
     "Move the permit before the deny, or narrow the deny."},
    {Code::not_connected, "ACM009", "not-connected",
     "list not bound, chain not reached, or no translation to the mail host", of_the_flow,
     "The lines that permit the traffic are right, but no packet comes to them: the list is bound to no "
     "interface, no rule jumps to the chain, or no translation leads from the wire address to the mail host.",
     "Bind the list, add the jump, or add the translation."},
    {Code::hangs_on_condition, "ACM010", "hangs-on-condition",
     "user, time, FQDN, application, rate: cannot be shown to pass", of_the_flow,
     "A line on the way matches only under a condition that the export cannot settle: a time range, a name "
     "that a resolver decides, a user, a recognised application, a rate limit. The packets may pass or not, "
     "so they are unknown, and unknown is not a pass.",
     "Settle the condition with --assume 'CONDITION=on' or '=off' where you know it, or make the line "
     "unconditional. The report names the condition as --assume wants it."},
    {Code::line_not_understood, "ACM011", "line-not-understood", "a line we cannot read could decide",
     of_the_flow,
     "A line that belongs to the filter was not understood. It stands before the line that would permit, so "
     "it may stop the packets.",
     "Read the line yourself, and ask the device with the command printed under the finding."},
    {Code::half_a_policy, "ACM012", "half-a-policy",
     "pushed or local rules, or a definition, are not in this export", of_the_flow,
     "The export shows that a part of the policy stands elsewhere: rules pushed by a manager, local rules "
     "beside pushed ones, an object that is used and not defined. What that part could decide is unknown.",
     "Export the missing part too and name both files, or ask the device itself."},
    {Code::list_content_missing, "ACM013", "list-content-missing",
     "the content of an external list, ipset or dynamic group is not given", of_the_flow,
     "A line matches what a list outside the configuration holds: an external dynamic list, an ipset, a "
     "dynamic address group. Its content is not in the export, so the line may match or not.",
     "Export the content of the list as it is loaded on the device."},
    {Code::open_to_any, "ACM020", "open-to-any", "anyone reaches the mail host on the port",
     Severity::warning,
     "The required ranges get through, and so does the whole internet. Mail that goes round Exchange Online "
     "Protection is not filtered by it.",
     "Permit the published ranges alone, unless other senders deliver to this host directly."},
    {Code::others_reach, "ACM021", "others-reach", "named others than the required reach it", Severity::note,
     "Beside the required ranges, named other addresses reach the mail host on the port. That may be meant: "
     "a relay, a partner, monitoring.",
     "Check that each range named is meant to send mail to this host."},
    {Code::stale_range, "ACM022", "stale-range", "a rule still names a range that left the list in version V",
     Severity::warning,
     "A rule in force names a range that Microsoft published once and has withdrawn. It may belong to "
     "somebody else by now.",
     "Take the range out of the rule."},
    {Code::relay_pool, "ACM023", "relay-pool", "40.95.0.0/16, unpublished, is not let in", Severity::note,
     "Exchange Online sends some mail, such as forwarded mail that fails authentication, from its relay "
     "pool 40.95.0.0/16. Microsoft's published list does not hold that range.",
     "Decide whether this mail should arrive. If so, let 40.95.0.0/16 in on TCP 25."},
    {Code::smtp_inspected, "ACM024", "smtp-inspected", "SMTP inspection on the path may strip STARTTLS",
     Severity::note,
     "The firewall inspects SMTP on this path. Some inspection engines mask the STARTTLS offer or cut the "
     "session; Exchange Online then reports 4.4.317, 4.4.318 or a certificate error.",
     "Take SMTP from Exchange Online out of the inspection, or allow TLS in its settings, and look at the "
     "EHLO answer from outside."},
    {Code::no_connection, "ACM040", "no-connection",
     "DNS, TCP or greeting failed on an address that senders use", Severity::error,
     "The live probe did not come as far as a mail server's greeting and its answer to EHLO. Of several mail "
     "hosts and addresses each is used by some senders, so one that is dead shows as some mail late. The "
     "probe "
     "speaks for the address it was asked from: a filter that lets Microsoft's ranges in may still turn this "
     "machine away, and the reverse.",
     "Refused (10061): a server without a listener, or a firewall that rejects; an ICMP message names its "
     "sender. Silence (10060): dropped on the way. Ask the firewall's configuration with `aclmend audit`."},
    {Code::starttls_missing, "ACM041", "starttls-missing", "STARTTLS not offered, refused, or masked",
     Severity::error,
     "The server speaks SMTP, but no TLS comes about. Exchange Online then reports 4.4.317 with `STARTTLS is "
     "required to send mail`. Two causes are frequent: the server has no valid certificate for its "
     "connector, "
     "or a firewall inspects SMTP and writes over the offer.",
     "On Exchange look at the receive connector's certificate (TlsCertificateName); on a Cisco firewall take "
     "`inspect esmtp` off this path, or give its map `allow-tls`."},
    {Code::certificate_invalid, "ACM042", "certificate-invalid",
     "expired, wrong name, chain incomplete or weak", Severity::error,
     "The certificate that the server shows would be refused by a sender that verifies it: a hybrid "
     "connector "
     "with a domain or an authority in its TLS settings, MTA-STS in enforce mode, or DANE. A connector that "
     "takes any certificate accepts it.",
     "Renew it, add the missing name, or let the server send its intermediate certificates; then enable it "
     "for SMTP. After a renewal publish a new TLSA record first."},
    {Code::certificate_changed, "ACM043", "certificate-changed",
     "another certificate than last time, or it ends within 30 days: run the hybrid wizard",
     Severity::warning,
     "Hybrid connectors name the certificate by issuer and subject (`<I>...<S>...`). A renewal under another "
     "intermediate authority changes the issuer, and mail stops though the certificate is good.",
     "Compare TlsCertificateName on the connectors with the value that the probe prints, and run the Hybrid "
     "Configuration Wizard again."},
    {Code::list_not_checked, "ACM050", "list-not-checked",
     "the endpoint list was not checked within `max-age`", Severity::note,
     "The inventory says how old the last look at Microsoft's list may be, and it is older, or nobody knows "
     "when it was. Ranges may have come or left since.",
     "Run `aclmend endpoints fetch`, best by a timer."},
    {Code::list_refused, "ACM051", "list-refused",
     "an empty or shrunken answer was refused; the last good list is in force", Severity::error,
     "The service answered with a list that has no rows for a required flow, or lost a family or more than "
     "30 % of its addresses. The list has been wrong before, and a firewall that follows it closes the mail, "
     "so the list that was in force stays in force.",
     "Look at the answer and at Microsoft's announcements. If the ranges have really left, run `aclmend "
     "endpoints fetch --accept-shrink`."},
    {Code::range_coming, "ACM052", "range-coming",
     "a new range is published, takes effect on DATE, and is not let in yet", Severity::warning,
     "Microsoft publishes new ranges ahead of their use, as a rule by 30 days. From the day named on, mail "
     "comes from this range too, and this firewall does not let it in.",
     "Let the range in before that day: `aclmend fix --as-of DATE` writes the change."},
    {Code::device_unreadable, "ACM090", "device-unreadable", "a device could not be judged", Severity::error,
     "The export of a device was missing, empty, damaged, of an unknown kind, or leaves open what is asked. "
     "No answer is given for it, and the exit status is 2.",
     "Follow the message: it names the file and what to export or to choose."},
};

}  // namespace

std::span<const CodeText> codes() { return table; }

const CodeText& text_of(Code code) {
  const auto found = std::ranges::find(table, code, &CodeText::code);
  assert(found != std::end(table));
  return *found;
}

const CodeText* code_named(std::string_view word) {
  const std::string wanted = lower(word);
  const auto found = std::ranges::find_if(
      table, [&](const CodeText& text) { return lower(text.id) == wanted || text.slug == wanted; });
  return found == std::end(table) ? nullptr : found;
}

}  // namespace aclmend::audit
