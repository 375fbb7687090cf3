#include "diagnose/diagnose.h"

#include "diagnose/causes.h"
#include "diagnose/steps.h"

namespace aclmend::diagnose {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::not_ok: return "not-ok";
    case Status::not_known: return "not-known";
  }
  return {};
}

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::possible: return "possible";
    case Confidence::likely: return "likely";
    case Confidence::certain: return "certain";
  }
  return {};
}

Diagnosis diagnose(const Facts& facts) {
  Diagnosis diagnosis;
  diagnosis.steps = steps(facts);
  diagnosis.causes = causes(facts);
  diagnosis.plain = plain_words(facts, diagnosis.causes);
  diagnosis.also = also(facts);
  diagnosis.clocks = clocks(facts);
  diagnosis.next = next(facts, diagnosis.steps);
  diagnosis.has_unjudged = !facts.troubles.empty();
  for (const Firewall& firewall : facts.firewalls)
    diagnosis.has_unjudged = diagnosis.has_unjudged || !firewall.audit.error.empty();
  return diagnosis;
}

}  // namespace aclmend::diagnose
