// Which endpoint list an answer rests on; the same object in every document that names one.
#pragma once
#include "endpoints/result.h"
#include "report/json/document.h"

namespace aclmend::report::json {

// {"instance","version","as_of","origin","sha256","completeness","checked"}; what is not known is null.
Json release_json(const endpoints::Release& release);

}  // namespace aclmend::report::json
