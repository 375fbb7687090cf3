// Text files compiled into the program (cmake/embed.cmake writes the tables).
#pragma once
#include <span>
#include <string_view>

namespace aclmend {

struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};

std::span<const EmbeddedFile> embedded_rules();      // rules/*.yaml
std::span<const EmbeddedFile> embedded_endpoints();  // src/endpoints/data/*
std::span<const EmbeddedFile> embedded_schemas();    // docs/schema/aclmend.schema.json

}  // namespace aclmend
