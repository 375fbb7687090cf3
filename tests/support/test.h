// What every test includes: Catch2, rapidcheck, and where things are.
#pragma once
#include <rapidcheck.h>
#include <rapidcheck/catch.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <string>

namespace aclmend::test {

// The project's root, as configured.
std::filesystem::path root();

// The program as it was built beside the tests; ACLMEND_PROGRAM in the environment names another.
std::string program();

// The folder with the agreed facts and real data of others, where it is at hand. A test that needs it calls
// `shared_data("m365/…")`; where the folder is missing the path is empty and the test says so with WARN.
std::filesystem::path shared_data(const std::string& below);

}  // namespace aclmend::test
