#include "report/json/release.h"

namespace aclmend::report::json {
namespace {

Json known(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

Json release_json(const endpoints::Release& release) {
  return {{"instance", endpoints::to_string(release.instance)},
          {"version", known(release.version)},
          {"as_of", known(release.as_of)},
          {"origin", endpoints::to_string(release.origin)},
          {"sha256", release.sha256},
          {"completeness", endpoints::to_string(release.completeness)},
          {"checked", known(release.checked)}};
}

}  // namespace aclmend::report::json
