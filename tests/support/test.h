// What every test includes: Catch2, rapidcheck, and where things are.
#pragma once
#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

namespace aclmend::test {

// The project's root, as configured.
inline std::filesystem::path root() { return ACLMEND_ROOT; }

// The folder with the agreed facts and real data of others, where it is at hand. A test that needs it calls
// `shared_data("m365/…")`; where the folder is missing the path is empty and the test says so with WARN.
inline std::filesystem::path shared_data(const std::string& below) {
  const std::filesystem::path path = root() / ".." / "shared" / "data" / below;
  return std::filesystem::exists(path) ? path : std::filesystem::path{};
}

}  // namespace aclmend::test
