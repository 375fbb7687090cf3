// From what was gathered to the diagnosis: pure, no clock, no network, no file.
#pragma once
#include <string>

#include "diagnose/gather.h"
#include "diagnose/result.h"

namespace aclmend::diagnose {

Diagnosis diagnose(const Facts& facts);

// The page for the people who run the firewall: which ranges, when, how to find it in their log, what to send
// back. No secret stands in it: addresses, times and commands alone.
std::string ticket(const Facts& facts);

// The same with the addresses and names that are not Microsoft's replaced: equal ones by equal ones.
class Redaction {
 public:
  explicit Redaction(const Facts& facts);
  std::string text(std::string_view text);
  Diagnosis diagnosis(Diagnosis diagnosis);  // quoted lines of evidence are left out but for rules

 private:
  std::string word(std::string_view word);
  std::string name(std::string_view word);
  std::string address(Address address);

  const Facts& facts_;
  std::map<std::string, std::string, std::less<>> names_;
  std::map<Address, std::string> addresses_;
  std::size_t v4_ = 0, v6_ = 0;
};

}  // namespace aclmend::diagnose
