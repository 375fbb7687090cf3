// The house and its rooms: who may include whom, and in which room each library of others lives. The tables
// below are the picture; a new folder or library needs its row here before it compiles into anything.
#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "base/text.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

// Beside itself a folder may include what is named here: whole folders, or single headers. `result` is every
// folder's result.h: what it hands out.
struct Room {
  std::string_view folder;
  std::string_view may_include;
};
constexpr Room rooms[] = {
    {"src/base", ""},
    {"src/sets", "base"},
    {"src/model", "sets base"},
    {"src/difference", "model sets base"},
    {"vendors/*", "vendors/vendor.h vendors/words.h vendors/log.h model sets base"},  // never another vendor
    {"src/intake", "vendors/vendor.h model sets base"},
    {"src/inventory", "sets base"},
    {"src/net", "sets base"},
    {"src/endpoints", "sets base"},
    {"src/store", "base"},
    {"src/evidence", "vendors/log.h sets base"},
    {"src/audit", "inventory endpoints model sets base"},
    {"src/fix", "vendors/vendor.h difference audit model sets base"},
    {"src/report",
     "result audit/codes.h endpoints/lists.h endpoints/verify.h model/policy.h model/question.h sets base"},
    {"src/probe", "net audit/codes.h sets base"},
    {"src/diagnose", "fix audit evidence endpoints inventory probe vendors/log.h model sets base"},
    {"src/cli", "*"},
    {"src/main.cc", "cli"},
    {"vendors/vendor.h", "model sets base"},
    {"vendors/words.h", "model sets base"},
    {"vendors/log.h", "sets base"},
    {"vendors/log.cc", "vendors/log.h sets base"},
    {"vendors/registry.cc.in", "vendors/vendor.h"},
    {"vendors/log_registry.cc.in", "vendors/log.h"},
};

// A library's headers, and the files (by how their path begins) that may include them.
struct Wall {
  std::string_view header;
  std::string_view inside;
};
constexpr Wall walls[] = {
    {"CLI/", "src/cli/"},
    {"yaml-cpp/", "src/inventory/"},
    {"nlohmann/", "src/endpoints/decode src/report/ src/evidence/ vendors/windows_firewall/"},
    {"openssl/", "src/base/digest src/net/"},
    {"ares.h", "src/net/dns"},
    {"sqlite3.h", "src/store/sqlite"},
    {"boost/asio", "src/net/wire.cc"},
    {"boost/beast", "src/net/answer_reader.cc"},
    {"netdb.h", "src/net/resolve.cc"},
    {"zlib.h", "src/base/file src/base/lines"},
    {"zstd.h", "src/base/file src/base/lines"},
    {"fmt/", "src/ vendors/"},
    // the operating system: files at the rim, the terminal in main
    {"unistd.h", "src/base/file src/base/lines src/main.cc src/net/"},
    {"fcntl.h", "src/base/file src/base/lines"},
    {"sys/", "src/base/file src/base/lines src/main.cc src/net/"},
    {"poll.h", "src/net/"},
    {"arpa/", "src/net/"},
    {"netinet/", "src/net/"},
    {"linux/", "src/net/"},
    {"malloc.h", "src/main.cc"},
};

struct File {
  std::string path;  // below the root
  std::string text;
};

struct Include {
  std::string header;
  bool is_ours = false;  // in quotes
};

std::vector<File> files_in(std::initializer_list<const char*> folders) {
  std::vector<File> files;
  for (const char* folder : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(test::root() / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc" && extension != ".in") continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      files.push_back({std::filesystem::relative(entry.path(), test::root()).string(), text.str()});
    }
  }
  std::ranges::sort(files, {}, &File::path);
  return files;
}

std::vector<Include> includes_of(const File& file) {
  std::vector<Include> includes;
  for (const std::string_view line : split(file.text, '\n')) {
    std::string_view rest = trimmed(line);
    if (!rest.starts_with('#')) continue;
    rest = trimmed(rest.substr(1));
    if (!rest.starts_with("include")) continue;
    rest = trimmed(rest.substr(7));
    const char closes = rest.starts_with('<') ? '>' : '"';
    includes.push_back({std::string(rest.substr(1, rest.find(closes, 1) - 1)), closes == '"'});
  }
  return includes;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> parts;
  for (const std::string_view word : split(text, ' '))
    if (!word.empty()) parts.push_back(word);
  return parts;
}

// "src/cli/run.cc" → "src/cli"; "vendors/cisco_asa/read.cc" → "vendors/cisco_asa"; "src/main.cc" is its own
// room.
std::string room_of(std::string_view path) {
  const auto parts = split(path, '/');
  return std::string(parts[0]) + "/" + std::string(parts[1]);
}

const Room* row_for(const std::string& room) {
  const auto exact = std::ranges::find(rooms, room, &Room::folder);
  if (exact != std::end(rooms)) return exact;
  return room.starts_with("vendors/") && room.find('.') == std::string::npos
             ? std::ranges::find(rooms, "vendors/*", &Room::folder)
             : nullptr;
}

// `header` as it is written: below src, or "vendors/…".
bool may_include(const std::string& room, std::string_view allowed, std::string_view header) {
  const bool is_vendors = header.starts_with("vendors/");
  const std::string target = is_vendors ? room_of(header) : std::string(split(header, '/')[0]);
  if (target == room || "src/" + target == room) return true;
  return std::ranges::any_of(words(allowed), [&](std::string_view word) {
    if (word == "*") return true;
    if (word == "result") return header.ends_with("/result.h");
    return word == header || (!is_vendors && word == target);
  });
}

// C++'s own headers have neither a folder nor an extension.
bool is_standard(std::string_view header) { return header.find_first_of("/.") == std::string_view::npos; }

std::vector<std::string> complaints_about(const File& file) {
  std::vector<std::string> complaints;
  const std::string room = room_of(file.path);
  const Room* row = row_for(room);
  if (row == nullptr) return {room + " has no row in the table of rooms"};
  for (const auto& [header, is_ours] : includes_of(file)) {
    if (is_ours) {
      const bool below_src = std::filesystem::exists(test::root() / "src" / header);
      const bool in_vendors =
          header.starts_with("vendors/") && std::filesystem::exists(test::root() / header);
      if (!below_src && !in_vendors)
        complaints.push_back("\"" + header + "\" is no path below src, nor vendors/…");
      else if (!may_include(room, row->may_include, header))
        complaints.push_back(room + " may not include \"" + header + "\"");
    } else if (!is_standard(header)) {
      const auto wall =
          std::ranges::find_if(walls, [&](const Wall& one) { return header.starts_with(one.header); });
      if (wall == std::end(walls)) complaints.push_back("<" + header + "> has no row in the table of walls");
      else if (std::ranges::none_of(words(wall->inside),
                                    [&](auto inside) { return file.path.starts_with(inside); }))
        complaints.push_back("<" + header + "> belongs into " + std::string(wall->inside));
    }
  }
  return complaints;
}

std::set<std::string> vendor_folders() {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(test::root() / "vendors"))
    if (entry.is_directory()) names.insert(entry.path().filename().string());
  return names;
}

// A vendor's folder is named in its own files alone. "iptables" is a word as well: only a path or namespace
// counts.
bool names_vendor(const std::string& text, const std::string& vendor) {
  if (text.find(vendor) == std::string::npos) return false;  // regular expressions take minutes otherwise
  return std::regex_search(
      text, std::regex("(vendors/" + vendor + "\\b|\\b" + vendor + "::|namespace [a-z:]*" + vendor + "\\b)"));
}

}  // namespace

TEST_CASE("each folder includes only what the picture allows", "[architecture]") {
  const auto files = files_in({"src", "vendors"});
  REQUIRE(files.size() > 20);
  for (const File& file : files) {
    INFO(file.path);
    for (const std::string& complaint : complaints_about(file)) FAIL_CHECK(complaint);
  }
}

TEST_CASE("a vendor's folder is named by nobody else", "[architecture]") {
  const auto files = files_in({"src", "vendors"});
  for (const std::string& vendor : vendor_folders())
    for (const File& file : files) {
      if (file.path.starts_with("vendors/" + vendor + "/")) continue;
      INFO(file.path << " names " << vendor);
      CHECK_FALSE(names_vendor(file.text, vendor));
    }
}

TEST_CASE("tests include by paths below the root or below src", "[architecture]") {
  for (const File& file : files_in({"tests"}))
    for (const auto& [header, is_ours] : includes_of(file)) {
      if (!is_ours) continue;
      INFO(file.path << " includes " << header);
      CHECK((std::filesystem::exists(test::root() / header) ||
             std::filesystem::exists(test::root() / "src" / header)));
      CHECK(header.find("..") == std::string::npos);
    }
}

TEST_CASE("every row of the tables is about something that exists", "[architecture]") {
  for (const Room& room : rooms)
    if (room.folder != "vendors/*") {
      INFO(room.folder);
      CHECK(std::filesystem::exists(test::root() / room.folder));
    }
}

TEST_CASE("what the picture forbids is found", "[architecture]") {
  const auto complaint = [](const char* path, const char* text) {
    const auto found = complaints_about({path, text});
    return found.empty() ? "" : found.front();
  };
  CHECK(complaint("src/sets/x.cc",
                  "#include \"base/text.h\"\n#include <vector>\n#include <fmt/format.h>\n") == "");
  CHECK(complaint("src/base/x.cc", "#include \"sets/address.h\"\n") ==
        "src/base may not include \"sets/address.h\"");
  CHECK(complaint("src/sets/x.cc", "  #  include \"model/policy.h\"\n") ==
        "src/sets may not include \"model/policy.h\"");
  CHECK(complaint("vendors/a/x.cc", "#include \"vendors/vendor.h\"\n#include \"model/policy.h\"\n") == "");
  CHECK(complaint("vendors/a/x.cc", "#include \"cli/run.h\"\n") == "vendors/a may not include \"cli/run.h\"");
  CHECK(complaint("vendors/a/x.cc", "#include \"document.h\"\n") ==
        "\"document.h\" is no path below src, nor vendors/…");
  CHECK(complaint("src/report/x.cc", "#include \"model/question.h\"\n") == "");
  CHECK(complaint("src/report/x.cc", "#include \"model/match.h\"\n") ==
        "src/report may not include \"model/match.h\"");
  CHECK(complaint("src/model/x.cc", "#include <CLI/CLI.hpp>\n") == "<CLI/CLI.hpp> belongs into src/cli/");
  CHECK(complaint("src/cli/x.cc", "#include <boost/spirit.hpp>\n") ==
        "<boost/spirit.hpp> has no row in the table of walls");
  CHECK(complaint("src/attic/x.cc", "") == "src/attic has no row in the table of rooms");
  CHECK_FALSE(may_include("vendors/a", rooms[3].may_include, "vendors/b/read.h"));
  CHECK(may_include("vendors/a", rooms[3].may_include, "vendors/a/read.h"));
  CHECK(names_vendor("#include \"vendors/iptables/read.h\"", "iptables"));
  CHECK(names_vendor("return iptables::vendor;", "iptables"));
  CHECK_FALSE(names_vendor("as iptables-save prints it", "iptables"));
}

}  // namespace aclmend
