#include "tests/support/certificates.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "sets/address.h"

namespace aclmend::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using X = std::unique_ptr<X509, void (*)(X509*)>;
using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;

void must(bool worked, const char* what) {
  if (!worked) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

std::string text_of(BIO* bio) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  must(PEM_write_bio_X509(bio.get(), certificate) == 1, "PEM");
  return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
  must(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM of a key");
  return text_of(bio.get());
}

Key key_from(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

X certificate_from(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

Key make_key(int rsa_bits) {
  Key key(rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(rsa_bits)) : EVP_EC_gen("P-256"), EVP_PKEY_free);
  must(key != nullptr, "a key");
  return key;
}

void set_time(const ASN1_TIME* field, std::chrono::sys_seconds time) {
  must(ASN1_TIME_set(const_cast<ASN1_TIME*>(field), time.time_since_epoch().count()) != nullptr, "a time");
}

void extend(X509* certificate, X509* issuer, int what, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
  must(extension != nullptr, "an extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

std::string alternatives_of(const CertificateWish& wish) {
  std::string list;
  const auto& names = wish.alternatives.empty() ? std::vector{wish.name} : wish.alternatives;
  for (const std::string& name : names)
    list += (list.empty() ? "" : ",") + std::string(parse_address(name) ? "IP:" : "DNS:") + name;
  return list;
}

// Issued by itself where there is no issuer.
Certificate make(const CertificateWish& wish, const Certificate* issuer) {
  const Key key = make_key(wish.rsa_bits);
  const Key issuer_key = issuer == nullptr ? make_key(0) : key_from(issuer->key);
  const X issuer_certificate = issuer == nullptr ? X(nullptr, X509_free) : certificate_from(issuer->pem);
  const X certificate(X509_new(), X509_free);
  X509* const made = certificate.get();
  X509* const by = issuer == nullptr ? made : issuer_certificate.get();
  X509_set_version(made, 2);
  std::uint64_t serial = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made), serial >> 1);
  set_time(X509_getm_notBefore(made), wish.from);
  set_time(X509_getm_notAfter(made), wish.until);
  X509_set_pubkey(made, key.get());
  X509_NAME* const subject = X509_get_subject_name(made);
  must(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0) == 1,
       "a name");
  X509_set_issuer_name(made, X509_get_subject_name(by));
  extend(made, by, NID_subject_key_identifier, "hash");
  if (wish.is_authority) {
    extend(made, by, NID_basic_constraints, "critical,CA:TRUE");
    extend(made, by, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    extend(made, by, NID_basic_constraints, "critical,CA:FALSE");
    extend(made, by, NID_subject_alt_name, alternatives_of(wish));
  }
  must(X509_sign(made, issuer == nullptr ? key.get() : issuer_key.get(), EVP_sha256()) > 0, "a signature");
  return {pem_of(made), pem_of(key.get()), ""};
}

bool is_root(const Certificate& certificate) {
  const X parsed = certificate_from(certificate.pem);
  return X509_self_signed(parsed.get(), 0) == 1;
}

}  // namespace

Certificate make_authority(const std::string& name) {
  return make({.name = name, .is_authority = true}, nullptr);
}

Certificate make_self_signed(const CertificateWish& wish) { return make(wish, nullptr); }

Certificate make_certificate(const CertificateWish& wish, const Certificate& issuer) {
  Certificate made = make(wish, &issuer);
  if (!is_root(issuer)) made.chain = issuer.pem + issuer.chain;
  return made;
}

Certificate make_intermediate(const std::string& name, const Certificate& issuer) {
  return make_certificate({.name = name, .is_authority = true}, issuer);
}

}  // namespace aclmend::test
