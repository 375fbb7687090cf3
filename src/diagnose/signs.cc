#include "diagnose/signs.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace aclmend::diagnose {
namespace {

struct Known {
  std::string_view detail;  // of a status, behind its class: "4.316"
  Sign sign;
};
constexpr Known known[] = {
    {"4.312", Sign::dns},         {"4.315", Sign::silence}, {"4.316", Sign::refusal},
    {"4.317", Sign::tls},         {"4.318", Sign::cut},     {"4.101", Sign::tls},
    {"7.320", Sign::certificate}, {"7.321", Sign::tls},     {"7.322", Sign::certificate},
    {"7.323", Sign::policy},      {"7.324", Sign::policy},  {"7.325", Sign::certificate},
    {"4.8", Sign::policy},        {"4.7", Sign::expired},   {"4.300", Sign::expired},
    {"4.1", Sign::outbound},      {"7.51", Sign::outbound}, {"7.64", Sign::outbound},
    {"7.5", Sign::outbound},
};

bool has(std::string_view text, std::string_view words) { return text.find(words) != std::string_view::npos; }

Sign sign_of_socket(std::uint32_t error) {
  switch (error) {
    case 10060: return Sign::silence;
    case 10061: return Sign::refusal;
    case 10054:
    case 10053: return Sign::cut;
    case 10051:
    case 10065: return Sign::unreachable;
    case 11001: return Sign::dns;
    default: return Sign::unclear;
  }
}

bool is_microsofts_name(std::string_view host) {
  const std::string lowered = lower(host);
  const auto ends = [&](std::string_view end) { return lowered.ends_with(end); };
  return ends(".protection.outlook.com") || ends(".mx.microsoft");
}

bool is_about_certificate(const Deferred& deferred) {
  return has(deferred.message, "SubjectMismatch") || has(deferred.message, "ertificate");
}

Sign sign_of_status(const Deferred& deferred) {
  const std::string& status = deferred.status;
  if (status.size() < 3) return sign_of_socket(deferred.socket_error);
  const std::string_view detail = std::string_view(status).substr(2);
  const auto found = std::ranges::find(known, detail, &Known::detail);
  if (found == std::end(known)) {
    const Sign by_socket = sign_of_socket(deferred.socket_error);
    return by_socket == Sign::unclear ? Sign::answered : by_socket;
  }
  // 5.4.1 is "relay access denied": the server answered. 5.7.5 and 5.4.7 are not the temporary ones.
  if (detail == "4.1" && status[0] == '5' && deferred.socket_error == 0) return Sign::answered;
  if (found->sign == Sign::expired) {
    const Sign by_socket = sign_of_socket(deferred.socket_error);
    return by_socket == Sign::unclear ? Sign::expired : by_socket;
  }
  if (found->sign == Sign::tls) {
    if (deferred.inner == "5.7.3") return Sign::tls;
    if (is_about_certificate(deferred)) return Sign::certificate;
    const Sign by_socket = sign_of_socket(deferred.socket_error);
    if (by_socket == Sign::silence || by_socket == Sign::cut) return Sign::cut;
  }
  return found->sign;
}

int weight(Sign sign) {
  if (is_about_opening(sign)) return 4;
  switch (sign) {
    case Sign::outbound: return 1;
    case Sign::answered: return 2;
    case Sign::unclear:
    case Sign::expired: return 0;
    default: return 3;
  }
}

}  // namespace

bool is_about_opening(Sign sign) {
  return sign == Sign::silence || sign == Sign::refusal || sign == Sign::unreachable;
}

Sign sign_of(const Deferred& deferred, const Facts& facts) {
  const Sign sign = sign_of_status(deferred);
  const bool is_to_microsoft = (deferred.address && facts.microsoft.contains(*deferred.address)) ||
                               is_microsofts_name(deferred.host) || deferred.is_own_servers;
  return is_to_microsoft ? Sign::outbound : sign;
}

const Deferred* main_deferral(const Facts& facts) {
  const auto rank = [&](const Deferred& one) { return std::pair(weight(sign_of(one, facts)), one.count); };
  const auto found = std::ranges::max_element(facts.deferrals, {}, rank);
  return found == facts.deferrals.end() ? nullptr : &*found;
}

Sign main_sign(const Facts& facts) {
  const Deferred* deferred = main_deferral(facts);
  return deferred == nullptr ? Sign::unclear : sign_of(*deferred, facts);
}

std::string code_of(const Deferred& deferred) {
  std::string code = deferred.reply;
  if (!deferred.status.empty()) code += (code.empty() ? "" : " ") + deferred.status;
  if (!deferred.inner.empty()) code += (code.empty() ? "" : ", ") + deferred.inner;
  constexpr std::uint32_t least = 10'000;  // a smaller one was cut off
  if (deferred.socket_error >= least)
    code += fmt::format("{}{}", code.empty() ? "" : ", ", deferred.socket_error);
  return code.empty() ? "no status" : code;
}

std::string in_words(Sign sign, const Deferred& deferred) {
  switch (sign) {
    case Sign::unclear: return "the text is cut off: the reason is not in it";
    case Sign::dns: return "the mail host's name was not found";
    case Sign::silence: return "no answer at all, before any mail";
    case Sign::refusal: return "connection refused before any mail";
    case Sign::unreachable: return "told that there is no way to the host";
    case Sign::cut: return "connected, then cut off";
    case Sign::tls:
      return deferred.inner == "5.7.3" ? "connected, but STARTTLS was not offered"
                                       : "connected, then TLS failed";
    case Sign::certificate: return "connected, but the certificate was not taken";
    case Sign::policy: return "connected, but DANE or MTA-STS does not agree";
    case Sign::answered: return "the mail server was reached, and answered no";
    case Sign::outbound: return "about mail from your side to Microsoft";
    case Sign::expired: return "given up; the reason is in an earlier text";
  }
  return {};
}

}  // namespace aclmend::diagnose
