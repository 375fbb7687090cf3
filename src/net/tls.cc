#include "net/tls.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/text.h"

namespace aclmend::net {
namespace {

// Where systems keep the authorities they trust, for a program whose OpenSSL was built with Debian's place.
constexpr std::array system_bundles = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // Red Hat
    "/etc/ssl/ca-bundle.pem",                             // SUSE
    "/etc/ssl/cert.pem",                                  // Alpine, macOS
};

void trust_the_system(SSL_CTX* context) {
  SSL_CTX_set_default_verify_paths(context);  // SSL_CERT_FILE and SSL_CERT_DIR too
  std::error_code ignored;
  for (const char* bundle : system_bundles)
    if (std::filesystem::exists(bundle, ignored)) {
      SSL_CTX_load_verify_locations(context, bundle, nullptr);
      return;
    }
}

std::string utf8(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int length = ASN1_STRING_to_UTF8(&bytes, text);
  if (length < 0) return {};
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
  OPENSSL_free(bytes);
  return out;
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t longest = 100;
  return "'" + printable(text.substr(0, longest)) + (text.size() > longest ? "…'" : "'");
}

// The common name, or else the organisation.
std::string name_of(const X509_NAME* name) {
  for (const int field : {NID_commonName, NID_organizationName})
    if (const int at = X509_NAME_get_index_by_NID(name, field, -1); at >= 0)
      return in_quotes(utf8(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))));
  return "somebody without a name";
}

std::string date_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return "a date that is none";
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday);
}

std::string address_text(const ASN1_OCTET_STRING* octets) {
  const int length = ASN1_STRING_length(octets);
  const unsigned char* bytes = ASN1_STRING_get0_data(octets);
  if (length != 4 && length != 16) return "an address of odd length";
  V6 number = 0;
  for (int i = 0; i < length; ++i) number = number << 8 | bytes[i];
  return to_string(length == 4 ? Address::v4(static_cast<V4>(number)) : Address::v6(number));
}

std::string names_of(const X509* certificate) {
  constexpr std::size_t most = 6;
  std::vector<std::string> names;
  const std::unique_ptr<GENERAL_NAMES, void (*)(GENERAL_NAMES*)> list(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)),
      GENERAL_NAMES_free);
  for (int i = 0; i < sk_GENERAL_NAME_num(list.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(list.get(), i);
    if (name->type == GEN_DNS) names.push_back(in_quotes(utf8(name->d.dNSName)));
    if (name->type == GEN_IPADD) names.push_back(address_text(name->d.iPAddress));
  }
  if (names.empty()) return name_of(X509_get_subject_name(certificate));
  const std::size_t more = names.size() > most ? names.size() - most : 0;
  names.resize(names.size() - more);
  return fmt::format("{}{}", fmt::join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

constexpr std::string_view inspecting =
    "where a TLS-inspecting proxy or firewall stands in between, give the certificate of its authority by "
    "--ca-file";

}  // namespace

std::optional<std::string> make_strict(SSL_CTX* context, const std::string& ca_file) {
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1) return "TLS 1.2 is not there";
  constexpr std::array<unsigned char, 9> http = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context, http.data(), http.size());
  if (ca_file.empty()) {
    trust_the_system(context);
  } else if (SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1) {
    ERR_clear_error();
    std::error_code ignored;
    return std::filesystem::is_regular_file(ca_file, ignored)
               ? "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----) that can be read"
               : "cannot be read";
  }
  ERR_clear_error();  // a system without any certificates is told when a server is not trusted
  return std::nullopt;
}

bool expect_host(SSL* session, const Url& url) {
  if (url.address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), url.host.c_str()) == 1;
  SSL_set_hostflags(session, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // The macro SSL_set_tlsext_host_name, without its cast.
  return SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                  const_cast<char*>(url.host.c_str())) == 1 &&
         SSL_set1_host(session, url.host.c_str()) == 1;
}

TlsFault certificate_fault(X509_STORE_CTX* verification, const Url& url) {
  const int error = X509_STORE_CTX_get_error(verification);
  const int depth = X509_STORE_CTX_get_error_depth(verification);
  const X509* current = X509_STORE_CTX_get_current_cert(verification);
  const X509* own = X509_STORE_CTX_get0_cert(verification);
  if (current == nullptr) current = own;
  if (current == nullptr) return {fmt::format("{}: the server has no certificate", authority(url)), ""};
  const std::string whose = depth == 0 ? fmt::format("{}: its certificate", authority(url))
                                       : fmt::format("{}: the certificate of its issuer {}", authority(url),
                                                     name_of(X509_get_subject_name(current)));
  const std::string issuer = name_of(X509_get_issuer_name(current));
  const std::string clock =
      fmt::format("this machine's clock says {}: if that is wrong, mend it first", today());
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {fmt::format("{} expired on {}", whose, date_of(X509_get0_notAfter(current))), clock};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {fmt::format("{} is valid only from {}", whose, date_of(X509_get0_notBefore(current))), clock};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return {
          fmt::format("{}: its certificate is for {} and not for this name", authority(url), names_of(own)),
          "something else answers in its place: a captive portal, an inspecting firewall, a wrong DNS entry"};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return {fmt::format("{} is self-signed ({}): nothing vouches for it", whose, issuer),
              std::string(inspecting)};
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {fmt::format("{} leads to the authority {}, which is not trusted here",
                          fmt::format("{}: its certificate", authority(url)),
                          name_of(X509_get_subject_name(current))),
              std::string(inspecting)};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return {fmt::format(
                  "{} is not trusted: its issuer {} is not known here, and the server sent no certificate "
                  "of it",
                  whose, issuer),
              std::string(inspecting) + "; or the server forgets to send an intermediate certificate"};
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL: return {fmt::format("{} has too weak a key", whose), ""};
    case X509_V_ERR_CA_MD_TOO_WEAK: return {fmt::format("{} is signed with too weak a digest", whose), ""};
    default: return {fmt::format("{} is refused: {}", whose, X509_verify_cert_error_string(error)), ""};
  }
}

TlsFault handshake_fault(unsigned long code, const std::string& peer) {
  const char* const reason = ERR_reason_error_string(code);
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return {fmt::format("{} offers no TLS 1.2 or later", peer),
              "older versions are not accepted: they protect nothing"};
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return {fmt::format("{} answers, but not in TLS", peer),
              "something that does not speak TLS stands in between, or the port is another service's"};
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return {fmt::format("{} refused the TLS handshake", peer), "it wants ciphers or a certificate of ours"};
    default:
      return {fmt::format("{}: the TLS handshake failed: {}", peer,
                          reason == nullptr ? "no reason given" : reason),
              ""};
  }
}

}  // namespace aclmend::net
