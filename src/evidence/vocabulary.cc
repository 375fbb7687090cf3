#include "evidence/vocabulary.h"

#include <algorithm>

#include "base/text.h"

namespace aclmend::evidence {
namespace {

using enum WordKind;

const std::vector<Word>& table() {
  static const std::vector<Word> words = {
      {smtp_status,
       {"4.4.312", "5.4.312"},
       "DNS query failed",
       "The name of the mail server or smart host did not resolve, or its DNSSEC signature was not valid. "
       "The firewall was not asked yet.",
       "Look the name up from outside: MX, A and AAAA, and the delegation."},
      {smtp_status,
       {"4.4.315", "5.4.315"},
       "Connection timed out",
       "No answer came from the address on TCP 25. Consistent with a firewall that drops the packets without "
       "a "
       "word, with a wrong address, with routing, and with a server that is down.",
       "`aclmend audit` with the firewall's export: which ranges are blocked, by which line. If only some of "
       "Microsoft's ranges are blocked, some mail gets through and some does not."},
      {smtp_status,
       {"4.4.316", "5.4.316"},
       "Connection refused",
       "Something answered the first packet with a reset. Consistent with a firewall that rejects the "
       "sending "
       "address, with nothing listening on TCP 25, and with a load balancer that has no server left. "
       "Microsoft's text names the firewall as the likely cause; it does not prove it.",
       "`aclmend audit` with the firewall's export. If the receive connector's log shows connections from "
       "other Microsoft ranges at the same time, the server listens, and the filter is the nearer cause."},
      {smtp_status,
       {"4.4.317", "5.4.317"},
       "Cannot connect to remote server",
       "The connection was opened and ended before mail: STARTTLS was required and not offered, the "
       "certificate's name does not match, or the TLS negotiation failed. With `SocketError: TimedOut` it is "
       "closer to a firewall.",
       "Look at the EHLO answer and the certificate from outside. A firewall that inspects SMTP may mask "
       "STARTTLS (ACM024)."},
      {smtp_status,
       {"4.4.318", "5.4.318"},
       "Connection was closed abruptly",
       "The session was cut in the middle. Consistent with SMTP inspection on the way, an overloaded server, "
       "or a network that loses packets.",
       "Take SMTP from Exchange Online out of the inspection for a test, and look at the server's log at the "
       "same time."},
      {smtp_status,
       {"4.7.320"},
       "Certificate validation failed",
       "The server's certificate is expired, has another name, or its chain is not complete.",
       "Check the certificate bound to the receive connector; renew it and run the hybrid wizard again."},
      {smtp_status,
       {"4.7.321", "5.7.321"},
       "starttls-not-supported",
       "The destination publishes DANE, but its server does not offer STARTTLS.",
       "Look at the EHLO answer from outside; SMTP inspection may mask STARTTLS (ACM024)."},
      {smtp_status,
       {"4.7.322", "5.7.322"},
       "certificate-expired",
       "The destination publishes DANE, and its certificate is expired.",
       "Renew the certificate."},
      {smtp_status,
       {"4.7.323", "5.7.323"},
       "tlsa-invalid",
       "The TLSA record does not match the certificate that the server shows.",
       "Publish a TLSA record for the certificate in use, before it is changed the next time."},
      {smtp_status,
       {"4.7.324", "5.7.324"},
       "dnssec-invalid",
       "The destination claims DNSSEC, but its signature is not valid.",
       "Check the chain of DS and DNSKEY records."},
      {smtp_status,
       {"4.7.325", "5.7.325"},
       "certificate-host-mismatch",
       "The certificate holds another name than the server that was asked for.",
       "Bind a certificate that holds the name in the MX record."},
      {smtp_status,
       {"4.4.7", "5.4.7"},
       "Message expired",
       "The message was tried again until its time ran out (24 hours for Exchange Online) and was returned. "
       "The "
       "reason stands in the deferrals before it.",
       "Look for the last deferral of the message in the trace: its code tells the cause."},
      {smtp_status,
       {"4.4.8", "5.4.8"},
       "MTA-STS validation failed",
       "The destination publishes an MTA-STS policy that its server does not meet: name, certificate or TLS.",
       "Compare the policy with the MX names and the certificate."},
      {smtp_status,
       {"5.4.300"},
       "Message expired",
       "The message could not be delivered in time; the connection never succeeded. The text that follows "
       "names "
       "the last error.",
       "Look for the last deferral of the message in the trace; 4.4.315 and 4.4.316 point towards the "
       "firewall."},
      {smtp_status,
       {"4.4.101"},
       "Proxy session setup failed on Frontend",
       "The front end could not open the session to the next server; the inner text names the reason, often "
       "STARTTLS.",
       "Read the code in the inner text, and check certificate and TLS of the connector."},
      {smtp_status,
       {"4.4.1"},
       "Failed to connect",
       "The sending server could not open a connection to the target. On an Exchange server that sends to "
       "Microsoft 365 this is the outbound way: TCP 25 from the server to the published ranges.",
       "`aclmend audit --flow eop-outbound-smtp` with the firewall's export."},
      {smtp_status,
       {"4.7.5"},
       "Certificate in TlsCertificateName not found",
       "The send connector names a certificate that this server does not hold, for example after a renewal.",
       "Set TlsCertificateName to the certificate in use, or run the hybrid wizard again."},
      {smtp_status,
       {"5.7.3"},
       "STARTTLS is required to send mail",
       "The sender demands TLS, and this server did not offer it, or its certificate did not satisfy the "
       "connector. The packets got through.",
       "Look at the EHLO answer from outside: without STARTTLS the receive connector has no usable "
       "certificate, "
       "or an inspection on the way masks it (ACM024)."},
      {smtp_status,
       {"4.4.0"},
       "Primary target IP address responded with an error",
       "A connection was opened or tried, and what came back stands in the text that follows: an inner "
       "status, "
       "a TLS failure, a socket error.",
       "Read the inner status and explain that."},
      {smtp_status,
       {"4.7.23"},
       "Unable to verify SPF policy",
       "The receiving server could not look up the sender's SPF record. DNS, not a firewall on the way of "
       "the "
       "mail.",
       "Look up the TXT record of the sender's domain from outside."},
      {smtp_status,
       {"5.7.51"},
       "TenantInboundAttribution",
       "Exchange Online could not match the sending address or certificate to the connector that demands it. "
       "The packets got through; address translation may show another address than the connector expects.",
       "Compare the public address and the certificate with the inbound connector."},
      {smtp_status,
       {"5.7.64"},
       "TenantAttribution; relay access denied",
       "Exchange Online did not recognise the sender as yours: address or certificate match no connector.",
       "Compare the public address and the certificate with the inbound connector."},
      {smtp_status,
       {"5.4.1"},
       "Relay access denied, or recipient address rejected",
       "The server that answered does not take mail for this domain or recipient. Not a firewall.",
       "Check the accepted domains and the MX record."},
      {smtp_status,
       {"5.4.6", "5.4.14", "4.4.6"},
       "Routing loop detected",
       "The message came back to a server that had it already. Not a firewall.",
       "Check connectors and accepted domains on both sides."},
      {smtp_status,
       {"4.7.500"},
       "Access denied, please try again later",
       "Exchange Online slows the sender down (4.7.500 to 4.7.699 and 4.7.850 to 4.7.899). Not a firewall.",
       "Look at the volume and reputation of the sending address."},
      {socket_error,
       {"10060", "WSAETIMEDOUT", "ETIMEDOUT"},
       "Connection timed out",
       "No answer came: the packets were dropped on the way or the host is down. A firewall that drops looks "
       "like this.",
       "`aclmend audit` with the firewall's export."},
      {socket_error,
       {"10061", "WSAECONNREFUSED", "ECONNREFUSED"},
       "Connection refused",
       "A reset came back: a firewall that rejects, or nothing listens on the port.",
       "`aclmend audit` with the firewall's export; see also 4.4.316."},
      {socket_error,
       {"10054", "WSAECONNRESET", "ECONNRESET"},
       "Connection reset by peer",
       "The connection was open and was then cut by the other side or by something between, such as an "
       "inspection engine.",
       "See 4.4.318."},
      {socket_error,
       {"10053", "WSAECONNABORTED", "ECONNABORTED"},
       "Software caused connection abort",
       "The own side gave up the connection, often after a timeout in the middle of the session.",
       "Look at both servers' logs at that time."},
      {socket_error,
       {"10049", "WSAEADDRNOTAVAIL", "EADDRNOTAVAIL"},
       "Cannot assign requested address",
       "The address to connect from or to is not usable on this machine, such as 0.0.0.0. Not a firewall.",
       "Check the addresses of the connector."},
      {socket_error,
       {"10065", "WSAEHOSTUNREACH", "EHOSTUNREACH"},
       "No route to host",
       "A router or firewall answered that the host cannot be reached. Some firewalls reject in this way.",
       "Check routing, then `aclmend audit` with the firewall's export."},
      {socket_error,
       {"10051", "WSAENETUNREACH", "ENETUNREACH"},
       "Network is unreachable",
       "No route leads to the address: from this machine, or a router on the way said so.",
       "Check routing, and whether an IPv6 address was tried without IPv6."},
      {socket_error,
       {"11001", "HostNotFound"},
       "Host not found",
       "The name did not resolve. The firewall was not asked yet.",
       "Look the name up: MX, A and AAAA."},
  };
  return words;
}

// "4.7.512" and its like are one word.
std::string_view without_throttling_detail(std::string_view name) {
  constexpr std::string_view start = "4.7.";
  if (!name.starts_with(start)) return name;
  const auto detail = parse_decimal<std::uint16_t>(name.substr(start.size()));
  const bool throttled = detail && ((*detail >= 500 && *detail <= 699) || (*detail >= 850 && *detail <= 899));
  return throttled ? "4.7.500" : name;
}

}  // namespace

std::string_view to_string(WordKind kind) {
  switch (kind) {
    case smtp_status: return "smtp-status";
    case socket_error: return "socket-error";
  }
  return "";
}

std::span<const Word> vocabulary() { return table(); }

const Word* word_named(std::string_view name) {
  const std::string wanted = lower(without_throttling_detail(name));
  for (const Word& word : table())
    for (const std::string_view its : word.names)
      if (lower(its) == wanted) return &word;
  return nullptr;
}

}  // namespace aclmend::evidence
