// A pin is moved as a person would move it: that one value, and nothing else of the file.
#include "inventory/pin.h"

#include "tests/support/test.h"

using namespace aclmend;
using namespace aclmend::inventory;

namespace {

const std::string rest = "mail: { hosts: [203.0.113.25] }   # the one host\ndevices: [{ file: edge.cfg }]\n";

std::string pinned(const std::string& text) {
  const auto changed = repinned(Source("aclmend.yaml", text), "2026010200");
  return changed ? *changed : "refused: " + to_string(changed.error().front());
}

}  // namespace

TEST_CASE("a pin that stands there is replaced, with its quotes or without", "[inventory][pin]") {
  for (const char* written : {"\"2025120100\"", "'2025120100'", "2025120100", "2025-12-01"}) {
    const auto with = [&](const std::string& value) {
      return "version: 1\nendpoints:   # Microsoft's list\n  instance: Worldwide\n  pin: " + value +
             "   # since May\n" + rest;
    };
    CHECK(pinned(with(written)) == with("\"2026010200\""));
  }
  const std::string flow = "version: 1\nendpoints: { pin: \"2025120100\", max-age: 45d }\n" + rest;
  CHECK(pinned(flow) == "version: 1\nendpoints: { pin: \"2026010200\", max-age: 45d }\n" + rest);
}

TEST_CASE("where there is none it is put in, in the way the file is written", "[inventory][pin]") {
  CHECK(pinned("version: 1\nendpoints: { max-age: 45d }\n" + rest) ==
        "version: 1\nendpoints: { pin: \"2026010200\", max-age: 45d }\n" + rest);
  CHECK(pinned("version: 1\nendpoints:\n    instance: China\n    max-age: 45d\n" + rest) ==
        "version: 1\nendpoints:\n    pin: \"2026010200\"\n    instance: China\n    max-age: 45d\n" + rest);
  CHECK(pinned("version: 1\n" + rest) == "version: 1\n" + rest + "endpoints: { pin: \"2026010200\" }\n");
  CHECK(pinned("version: 1\nendpoints: {}\n" + rest) ==
        "version: 1\nendpoints: { pin: \"2026010200\" }\n" + rest);
}

TEST_CASE("another word on the list is not overruled", "[inventory][pin]") {
  CHECK(pinned("version: 1\nendpoints: { source: store }\n" + rest) ==
        "refused: aclmend.yaml:2:12: 'source' or 'file' says which list is in force here: take it out, then "
        "pin");
  CHECK(pinned("version: 1\nendpoints: { pni: x }\n" + rest).starts_with("refused: aclmend.yaml:2:"));
}
