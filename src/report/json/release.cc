#include "report/json/release.h"

namespace aclmend::report::json {

Json release_json(const endpoints::Release& release) {
  return {{"instance", endpoints::to_string(release.instance)},
          {"version", text_or_null(release.version)},
          {"as_of", text_or_null(release.as_of)},
          {"origin", endpoints::to_string(release.origin)},
          {"sha256", release.sha256},
          {"completeness", endpoints::to_string(release.completeness)},
          {"checked", text_or_null(release.checked)}};
}

}  // namespace aclmend::report::json
