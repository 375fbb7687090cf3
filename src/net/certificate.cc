#include "net/certificate.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <filesystem>

#include "base/clock.h"

namespace aclmend::net {
namespace {

template <auto Free>
struct Freed {
  template <class T>
  void operator()(T* thing) const {
    Free(thing);
  }
};
using X509Ptr = std::unique_ptr<X509, Freed<::X509_free>>;

constexpr std::size_t most_names = 200;

X509Ptr parsed(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  ::ERR_clear_error();
  return X509Ptr(::d2i_X509(nullptr, &at, static_cast<long>(der.size())));
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02X}", static_cast<unsigned char>(byte));
  return text;
}

std::string digest(std::string_view bytes, const EVP_MD* kind) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (::EVP_Digest(bytes.data(), bytes.size(), out, &length, kind, nullptr) != 1) return {};
  return hex({reinterpret_cast<const char*>(out), length});
}

std::string utf8(const ASN1_STRING* string) {
  unsigned char* text = nullptr;
  const int length = ::ASN1_STRING_to_UTF8(&text, string);
  if (length < 0) return {};
  std::string out(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
  ::OPENSSL_free(text);
  return out;
}

// .NET's X500DistinguishedName quotes a value that its own reader would take apart.
std::string quoted(std::string value) {
  const bool is_plain = !value.empty() && value.front() != ' ' && value.back() != ' ' &&
                        value.find_first_of(",+=\"\n<>#;") == std::string::npos;
  if (is_plain) return value;
  std::string out = "\"";
  for (const char c : value) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

// .NET's short names differ from OpenSSL's in two places.
std::string attribute(const ASN1_OBJECT* object) {
  const int id = ::OBJ_obj2nid(object);
  if (id == NID_stateOrProvinceName) return "S";
  if (id == NID_pkcs9_emailAddress) return "E";
  if (id == NID_serialNumber) return "SERIALNUMBER";
  if (id != NID_undef) return ::OBJ_nid2sn(id);
  char number[128] = "";
  ::OBJ_obj2txt(number, sizeof number, object, 1);
  return fmt::format("OID.{}", number);
}

// The most specific part first, ", " between; parts of one RDN are joined by " + ".
std::string dotnet_name(const X509_NAME* name) {
  std::string text;
  int last_set = -1;
  for (int i = ::X509_NAME_entry_count(name) - 1; i >= 0; --i) {
    const X509_NAME_ENTRY* entry = ::X509_NAME_get_entry(name, i);
    const int set = ::X509_NAME_ENTRY_set(entry);
    if (!text.empty()) text += set == last_set ? " + " : ", ";
    last_set = set;
    text += fmt::format("{}={}", attribute(::X509_NAME_ENTRY_get_object(entry)),
                        quoted(utf8(::X509_NAME_ENTRY_get_data(entry))));
  }
  return text;
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
  const unsigned char* data = ::ASN1_STRING_get0_data(bytes);
  const int length = ::ASN1_STRING_length(bytes);
  if (length != 4 && length != 16) return {};
  V6 number = 0;
  for (int i = 0; i < length; ++i) number = number << 8 | data[i];
  return to_string(length == 4 ? Address::v4(static_cast<V4>(number)) : Address::v6(number));
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  bool has_dns_name = false;
  const std::unique_ptr<GENERAL_NAMES, Freed<::GENERAL_NAMES_free>> all(
      static_cast<GENERAL_NAMES*>(::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; i < sk_GENERAL_NAME_num(all.get()) && names.size() < most_names; ++i) {
    const GENERAL_NAME* one = sk_GENERAL_NAME_value(all.get(), i);
    if (one->type == GEN_DNS) names.push_back(utf8(one->d.dNSName)), has_dns_name = true;
    else if (one->type == GEN_IPADD) names.push_back(address_text(one->d.iPAddress));
  }
  if (has_dns_name) return names;
  const X509_NAME* subject = ::X509_get_subject_name(certificate);
  if (const int at = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1); at >= 0)
    names.push_back(utf8(::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, at))));
  return names;
}

std::chrono::sys_seconds time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (::ASN1_TIME_to_tm(time, &parts) != 1) return {};
  using namespace std::chrono;
  return sys_days{year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday} + hours{parts.tm_hour} +
         minutes{parts.tm_min} + seconds{parts.tm_sec};
}

std::string key_text(X509* certificate) {
  EVP_PKEY* key = ::X509_get0_pubkey(certificate);
  if (key == nullptr) return "not readable";
  if (::EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) return fmt::format("RSA {}", ::EVP_PKEY_get_bits(key));
  char group[80] = "";
  std::size_t length = 0;
  if (::EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1) return fmt::format("EC {}", group);
  const char* kind = ::EVP_PKEY_get0_type_name(key);
  return kind != nullptr ? kind : "unknown";
}

std::string der_of_key(X509* certificate) {
  unsigned char* der = nullptr;
  const int length = ::i2d_X509_PUBKEY(::X509_get_X509_PUBKEY(certificate), &der);
  if (length <= 0) return {};
  std::string out(reinterpret_cast<const char*>(der), static_cast<std::size_t>(length));
  ::OPENSSL_free(der);
  return out;
}

bool has_issuer_address(X509* certificate) {
  const std::unique_ptr<AUTHORITY_INFO_ACCESS, Freed<::AUTHORITY_INFO_ACCESS_free>> all(
      static_cast<AUTHORITY_INFO_ACCESS*>(
          ::X509_get_ext_d2i(certificate, NID_info_access, nullptr, nullptr)));
  for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(all.get()); ++i)
    if (::OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(all.get(), i)->method) == NID_ad_ca_issuers) return true;
  return false;
}

// ---- faults

// What the callback of one verification gathers.
struct Gathered {
  std::vector<Fault> faults;
  std::span<const Certificate> chain;
};

std::string whose(int depth, X509* certificate) {
  return depth == 0 || certificate == nullptr
             ? "the certificate"
             : fmt::format("the issuer's certificate ({})",
                           dotnet_name(::X509_get_subject_name(certificate)));
}

Fault fault_of_issuer(int depth, X509* certificate) {
  const std::string issuer = dotnet_name(::X509_get_issuer_name(certificate));
  if (depth > 0)
    return {Fault::Kind::untrusted, fmt::format("the chain ends at {}, which is not trusted here", issuer)};
  return {Fault::Kind::issuer_missing,
          fmt::format("its issuer, {}, is neither sent by the server nor trusted here: {}", issuer,
                      has_issuer_address(certificate)
                          ? "the server leaves out its intermediate certificate"
                          : "a private authority, or a server that leaves out its intermediate certificate")};
}

Fault fault_of(int error, int depth, X509* certificate) {
  using enum Fault::Kind;
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {expired, fmt::format("{} expired on {}", whose(depth, certificate),
                                   iso_date(time_of(::X509_get0_notAfter(certificate))))};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {not_yet_valid, fmt::format("{} is valid only from {}", whose(depth, certificate),
                                         iso_date(time_of(::X509_get0_notBefore(certificate))))};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return {self_signed, "the certificate is self-signed"};
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {untrusted, fmt::format("the chain ends in a root that is not trusted here: {}",
                                     dotnet_name(::X509_get_subject_name(certificate)))};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY: return fault_of_issuer(depth, certificate);
    case X509_V_ERR_INVALID_PURPOSE:
      return {wrong_purpose, fmt::format("{} is not for TLS servers", whose(depth, certificate))};
    default:
      return {other,
              fmt::format("{}: {}", whose(depth, certificate), ::X509_verify_cert_error_string(error))};
  }
}

int gather(int is_ok, X509_STORE_CTX* context) {
  const int error = ::X509_STORE_CTX_get_error(context);
  if (is_ok == 1 || error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE) return 1;  // follows another
  auto* gathered = static_cast<Gathered*>(::X509_STORE_CTX_get_app_data(context));
  X509* certificate = ::X509_STORE_CTX_get_current_cert(context);
  if (certificate == nullptr) return 1;
  const int depth = ::X509_STORE_CTX_get_error_depth(context);
  Fault fault = fault_of(error, depth, certificate);
  fault.depth = depth;
  const bool is_told =
      std::ranges::any_of(gathered->faults, [&](const Fault& one) { return one.text == fault.text; });
  if (!is_told && gathered->faults.size() < 20) gathered->faults.push_back(std::move(fault));
  return 1;  // go on: all faults are wanted
}

// Keys and signatures that Microsoft and the browsers' authorities no longer take. A root's own signature
// proves nothing and is not looked at.
std::vector<Fault> weaknesses(std::span<const Certificate> chain) {
  std::vector<Fault> faults;
  for (std::size_t depth = 0; depth < chain.size(); ++depth) {
    const X509Ptr certificate = parsed(chain[depth].der);
    if (!certificate || (depth > 0 && chain[depth].is_self_signed)) continue;
    const std::string who = whose(static_cast<int>(depth), certificate.get());
    const EVP_PKEY* key = ::X509_get0_pubkey(certificate.get());
    const int bits = key != nullptr ? ::EVP_PKEY_get_bits(key) : 0;
    const int kind = key != nullptr ? ::EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
    if ((kind == EVP_PKEY_RSA && bits < 2048) || (kind == EVP_PKEY_EC && bits < 256))
      faults.push_back({Fault::Kind::weak, fmt::format("{} has a weak key: {}", who, chain[depth].key)});
    int hash = NID_undef, key_kind = NID_undef;
    ::OBJ_find_sigid_algs(::X509_get_signature_nid(certificate.get()), &hash, &key_kind);
    if (hash == NID_sha1 || hash == NID_md5)
      faults.push_back(
          {Fault::Kind::weak, fmt::format("{} has a weak signature: {}", who, chain[depth].signature)});
  }
  return faults;
}

bool has_system_authorities() {
  std::error_code ignored;
  if (std::filesystem::exists(::X509_get_default_cert_file(), ignored)) return true;
  const std::filesystem::path folder = ::X509_get_default_cert_dir();
  return std::filesystem::is_directory(folder, ignored) && !std::filesystem::is_empty(folder, ignored);
}

}  // namespace

Result<Certificate> read_certificate(std::string_view der) {
  const X509Ptr certificate = parsed(der);
  if (!certificate) return fail("the server sent a certificate that cannot be read");
  Certificate out;
  out.der = der;
  out.subject = dotnet_name(::X509_get_subject_name(certificate.get()));
  out.issuer = dotnet_name(::X509_get_issuer_name(certificate.get()));
  const ASN1_INTEGER* serial = ::X509_get0_serialNumber(certificate.get());
  out.serial = hex({reinterpret_cast<const char*>(::ASN1_STRING_get0_data(serial)),
                    static_cast<std::size_t>(::ASN1_STRING_length(serial))});
  out.names = names_of(certificate.get());
  out.not_before = time_of(::X509_get0_notBefore(certificate.get()));
  out.not_after = time_of(::X509_get0_notAfter(certificate.get()));
  out.key = key_text(certificate.get());
  const char* signature = ::OBJ_nid2sn(::X509_get_signature_nid(certificate.get()));
  out.signature = signature != nullptr ? signature : "unknown";
  out.sha1 = digest(der, ::EVP_sha1());
  out.sha256 = digest(der, ::EVP_sha256());
  out.sha512 = digest(der, ::EVP_sha512());
  out.key_der = der_of_key(certificate.get());
  out.key_sha256 = digest(out.key_der, ::EVP_sha256());
  out.key_sha512 = digest(out.key_der, ::EVP_sha512());
  out.is_self_signed = ::X509_self_signed(certificate.get(), 0) == 1;
  return out;
}

std::string exchange_name(const Certificate& certificate) {
  return fmt::format("<I>{}<S>{}", certificate.issuer, certificate.subject);
}

bool is_for(const Certificate& certificate, std::string_view name) {
  const X509Ptr parsed_one = parsed(certificate.der);
  if (!parsed_one) return false;
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string text(name);
  if (parse_address(name)) return ::X509_check_ip_asc(parsed_one.get(), text.c_str(), 0) == 1;
  return ::X509_check_host(parsed_one.get(), text.data(), text.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
                           nullptr) == 1;
}

Result<Trust> Trust::of(const std::string& ca_file) {
  Trust trust;
  const std::shared_ptr<X509_STORE> store(::X509_STORE_new(), ::X509_STORE_free);
  if (!store) return fail("no memory for certificates");
  ::ERR_clear_error();
  if (ca_file.empty()) {
    ::X509_STORE_set_default_paths(store.get());
    trust.is_empty_ = !has_system_authorities();
  } else if (::X509_STORE_load_file(store.get(), ca_file.c_str()) != 1) {
    ::ERR_clear_error();
    return fail(Error{.message = "expected certificates in PEM form, found none that can be read",
                      .file = ca_file,
                      .hint = "a file of authorities begins with -----BEGIN CERTIFICATE-----"});
  }
  trust.store_ = store;
  return trust;
}

std::vector<Fault> Trust::faults(std::span<const Certificate> chain, std::chrono::sys_seconds now) const {
  if (chain.empty()) return {{Fault::Kind::other, "the server sent no certificate"}};
  std::vector<X509Ptr> certificates;
  for (const Certificate& one : chain) certificates.push_back(parsed(one.der));
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> sent(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  for (const X509Ptr& one : certificates) sk_X509_push(sent.get(), one.get());
  const std::unique_ptr<X509_STORE_CTX, Freed<::X509_STORE_CTX_free>> context(::X509_STORE_CTX_new());
  if (!context || ::X509_STORE_CTX_init(context.get(), static_cast<X509_STORE*>(store_.get()),
                                        certificates.front().get(), sent.get()) != 1)
    return {{Fault::Kind::other, "the chain cannot be checked"}};
  ::X509_STORE_CTX_set_default(context.get(), "ssl_server");
  ::X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(now));
  ::X509_VERIFY_PARAM_set_auth_level(::X509_STORE_CTX_get0_param(context.get()), 0);  // told by weaknesses()
  Gathered gathered{{}, chain};
  X509_STORE_CTX_set_app_data(context.get(), &gathered);
  ::X509_STORE_CTX_set_verify_cb(context.get(), gather);
  if (::X509_verify_cert(context.get()) <= 0 && gathered.faults.empty())
    gathered.faults.push_back(
        {Fault::Kind::other, ::X509_verify_cert_error_string(::X509_STORE_CTX_get_error(context.get()))});
  ::ERR_clear_error();
  std::ranges::move(weaknesses(chain), std::back_inserter(gathered.faults));
  return std::move(gathered.faults);
}

}  // namespace aclmend::net
