// Certificates judged at a time of the test's choosing.
#include "net/certificate.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include "tests/support/folder.h"
#include "tests/support/lab.h"
#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::test;
using net::Fault;

namespace {

std::vector<net::Certificate> chain_of(const std::string& pem) {
  std::vector<net::Certificate> chain;
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (X509* one = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr)) {
    unsigned char* der = nullptr;
    const int length = i2d_X509(one, &der);
    auto read = net::read_certificate({reinterpret_cast<const char*>(der), static_cast<std::size_t>(length)});
    REQUIRE(read);
    chain.push_back(std::move(*read));
    OPENSSL_free(der);
    X509_free(one);
  }
  BIO_free(bio);
  return chain;
}

std::string kinds(const std::vector<Fault>& faults) {
  std::string text;
  for (const Fault& fault : faults)
    text += std::to_string(static_cast<int>(fault.kind)) + "/" + std::to_string(fault.depth) + " ";
  return text;
}

}  // namespace

TEST_CASE("the time that is passed in decides about a certificate, at every depth", "[probe]") {
  const Folder folder;
  const auto trust = net::Trust::of(folder.write("ca.pem", Lab::the().root()));
  REQUIRE(trust);
  const auto chain = chain_of(Lab::the().good().chain);
  REQUIRE(chain.size() == 2);
  const auto& own = chain.front();
  CHECK(kinds(trust->faults(chain, own.not_before + std::chrono::hours(1))) == "");
  CHECK(kinds(trust->faults(chain, own.not_after - std::chrono::seconds(1))) == "");
  CHECK(kinds(trust->faults(chain, own.not_after + std::chrono::seconds(1))) == "0/0 ");
  CHECK(kinds(trust->faults(chain, own.not_before - std::chrono::hours(200))).find("1/0") !=
        std::string::npos);
  const auto late = trust->faults(chain, chain[1].not_after + std::chrono::seconds(1));
  CHECK(kinds(late).find("0/1") != std::string::npos);  // the issuer's has ended, too
  CHECK(trust->faults({}, own.not_after).front().text == "the server sent no certificate");
}

TEST_CASE("bytes that are no certificate are refused", "[probe]") {
  CHECK_FALSE(net::read_certificate(""));
  CHECK_FALSE(net::read_certificate("\x30\x82\xff\xff"));
  const auto chain = chain_of(Lab::the().good().chain);
  for (std::size_t length = 0; length < chain.front().der.size(); length += 7)
    CHECK_FALSE(net::read_certificate(std::string_view(chain.front().der).substr(0, length)));
}

TEST_CASE("thumbprints are written as Exchange writes them", "[probe]") {
  const auto chain = chain_of(Lab::the().good().chain);
  CHECK(chain.front().sha1.size() == 40);
  CHECK(chain.front().sha256.find_first_not_of("0123456789ABCDEF") == std::string::npos);
}
