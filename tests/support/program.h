// The program as a test runs it: in this process, with its streams at hand.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend::test {

struct Ran {
  int status = 0;
  std::string out;
  std::string err;
};

Ran aclmend(const std::vector<std::string>& args, const std::string& in = {});

std::string text_of(const std::filesystem::path& path);

// What python3-jsonschema says against a document: empty when it follows docs/schema/NAME.schema.json.
std::string schema_errors(std::string_view document, std::string_view name);

}  // namespace aclmend::test
