#include "tests/support/lab.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace aclmend::test {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;

KeyPtr new_key(int rsa_bits) {
  KeyPtr key(rsa_bits > 0 ? EVP_RSA_gen(static_cast<unsigned>(rsa_bits)) : EVP_EC_gen("P-256"),
             EVP_PKEY_free);
  if (!key) throw std::runtime_error("no key");
  return key;
}

std::string text_of(const BioPtr& bio) {
  char* bytes = nullptr;
  const long length = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

std::string pem(EVP_PKEY* key) {
  const BioPtr bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

std::string pem(X509* certificate) {
  const BioPtr bio(BIO_new(BIO_s_mem()), BIO_free);
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio);
}

KeyPtr key_of(const std::string& text) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  return {PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
}

CertificatePtr certificate_of(const std::string& text) {
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) throw std::runtime_error("no extension " + value);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

struct Wanted {
  std::string common_name;
  std::chrono::hours begins{-24}, ends{365 * 24};
  std::string names;  // subjectAltName; empty: an authority
  std::string usage = "serverAuth";
};

CertificatePtr issued(const Wanted& wanted, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key) {
  CertificatePtr certificate(X509_new(), X509_free);
  X509_set_version(certificate.get(), 2);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> serial(BN_new(), BN_free);
  BN_rand(serial.get(), 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY);
  BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get()));
  const auto seconds = [](std::chrono::hours hours) {
    return static_cast<long>(std::chrono::seconds(hours).count());
  };
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), seconds(wanted.begins));
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), seconds(wanted.ends));
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto add = [&](const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
  };
  add("O", "Lab");
  add("CN", wanted.common_name);
  X509* by = issuer != nullptr ? issuer : certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(by));
  if (wanted.names.empty()) {
    extend(certificate.get(), by, NID_basic_constraints, "critical,CA:TRUE");
    extend(certificate.get(), by, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    extend(certificate.get(), by, NID_subject_alt_name, wanted.names);
    extend(certificate.get(), by, NID_ext_key_usage, wanted.usage);
    extend(certificate.get(), by, NID_info_access, "caIssuers;URI:http://ca.lab.test/inter.cer");
  }
  X509_sign(certificate.get(), issuer_key != nullptr ? issuer_key : key, EVP_sha256());
  return certificate;
}

}  // namespace

const Lab& Lab::the() {
  static const Lab lab;
  return lab;
}

Lab::Lab() {
  const KeyPtr root_key = new_key(0), inter_key = new_key(0), other_key = new_key(0);
  const CertificatePtr root =
      issued({.common_name = "Lab Root", .names = {}}, root_key.get(), nullptr, nullptr);
  const CertificatePtr inter =
      issued({.common_name = "Lab Issuing", .names = {}}, inter_key.get(), root.get(), root_key.get());
  const CertificatePtr other =
      issued({.common_name = "Other Root", .names = {}}, other_key.get(), nullptr, nullptr);
  root_ = pem(root.get());
  intermediate_ = pem(inter.get());
  intermediate_key_ = pem(inter_key.get());
  other_root_ = pem(other.get());
  other_key_ = pem(other_key.get());
}

Identity Lab::leaf(const LeafOptions& options) const {
  const KeyPtr key = new_key(options.rsa_bits);
  std::string names;
  for (const std::string& name : options.names) names += (names.empty() ? "DNS:" : ",DNS:") + name;
  const CertificatePtr leaf =
      issued({options.names.front(), options.begins, options.ends, names,
              options.is_for_clients ? "clientAuth" : "serverAuth"},
             key.get(), certificate_of(intermediate_).get(), key_of(intermediate_key_).get());
  return {pem(leaf.get()) + intermediate_, pem(key.get())};
}

Identity Lab::without_intermediate() const {
  Identity identity = leaf({});
  identity.chain.resize(identity.chain.size() - intermediate_.size());
  return identity;
}

Identity Lab::untrusted() const {
  const KeyPtr key = new_key(0);
  const CertificatePtr leaf = issued({.common_name = "mail.lab.test", .names = "DNS:mail.lab.test"},
                                     key.get(), certificate_of(other_root_).get(), key_of(other_key_).get());
  return {pem(leaf.get()) + other_root_, pem(key.get())};
}

Identity Lab::self_signed() const {
  const KeyPtr key = new_key(0);
  const CertificatePtr leaf =
      issued({.common_name = "mail.lab.test", .names = "DNS:mail.lab.test"}, key.get(), nullptr, nullptr);
  return {pem(leaf.get()), pem(key.get())};
}

}  // namespace aclmend::test
