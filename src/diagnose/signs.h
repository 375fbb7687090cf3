// What an error text says of the connection, in one word. It is a sign and no proof: 10061 comes from a
// firewall that rejects, and as well from a server where nobody listens.
#pragma once
#include <cstdint>
#include <string>

#include "diagnose/gather.h"

namespace aclmend::diagnose {

enum class Sign : std::uint8_t {
  unclear,      // no status that is known to be about a connection
  dns,          // the name was not found
  silence,      // no answer at all
  refusal,      // an answer that says no
  unreachable,  // a router or firewall says that there is no way
  cut,          // a connection that was open, and ended
  tls,          // it was open, and STARTTLS or the handshake failed
  certificate,  // the certificate was not taken
  policy,       // DANE or MTA-STS: what is published does not agree with the server
  answered,     // the mail server itself said no
  outbound,     // about the way from the own server to Microsoft
  expired,      // given up, the reason is not in the text
};
Sign sign_of(const Deferred& deferred, const Facts& facts);

// In words, as the first step tells it: "connection refused before any mail".
std::string in_words(Sign sign, const Deferred& deferred);
// "450 4.4.316, 10061"
std::string code_of(const Deferred& deferred);

// The error text that the story is about: of the kind that came most often, those about a connection first.
const Deferred* main_deferral(const Facts& facts);
Sign main_sign(const Facts& facts);  // unclear where there is no error text

// Did the sender get no further than the opening of a connection?
bool is_about_opening(Sign sign);

}  // namespace aclmend::diagnose
