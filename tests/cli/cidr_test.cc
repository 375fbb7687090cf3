#include "sets/address_set.h"
#include "tests/support/folder.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

namespace aclmend {
namespace {

using test::aclmend;

const std::string first = "40.92.0.0/15\n52.100.0.0/15  # half\n2001:db8::/33\n10.0.0.7\n";
const std::string second = "# the rest\r\n52.102.0.0/15\r\n2001:db8:8000::/33\r\n40.93.0.0/16\r\n";

}  // namespace

TEST_CASE("cidr union prints the fewest prefixes, hosts bare", "[cidr]") {
  const test::Folder folder;
  const std::string a = folder.write("a", first), b = folder.write("b", second);
  const auto ran = aclmend({"cidr", "union", a, b});
  CHECK(ran.out == "10.0.0.7\n40.92.0.0/15\n52.100.0.0/14\n2001:db8::/32\n");
  CHECK(ran.err.empty());
  CHECK(ran.status == 0);
  CHECK(aclmend({"cidr", "union", folder.write("empty", "# nothing\n")}).out.empty());
}

TEST_CASE("cidr intersect takes what all lists have, subtract what the first has alone", "[cidr]") {
  const test::Folder folder;
  const std::string a = folder.write("a", first), b = folder.write("b", second);
  const std::string c = folder.write("c", "40.93.7.0/24\n40.92.0.0-40.92.0.255\n10.0.0.7\n");
  CHECK(aclmend({"cidr", "intersect", a, b}).out == "40.93.0.0/16\n");
  CHECK(aclmend({"cidr", "intersect", a, b, c}).out == "40.93.7.0/24\n");
  CHECK(aclmend({"cidr", "subtract", a, b}).out == "10.0.0.7\n40.92.0.0/16\n52.100.0.0/15\n2001:db8::/33\n");
  CHECK(aclmend({"cidr", "subtract", c, a, b}).out.empty());
  CHECK(aclmend({"cidr", "subtract", c, b}).out == "10.0.0.7\n40.92.0.0/24\n");
}

TEST_CASE("cidr covers prints what is missing and says by its status whether anything is", "[cidr]") {
  const test::Folder folder;
  const std::string list = folder.write("list", first);
  const auto yes = aclmend({"cidr", "covers", "40.92.0.0/16", "10.0.0.7", "52.100.0.0-52.100.0.9", list});
  CHECK(yes.out.empty());
  CHECK(yes.status == 0);
  const auto no = aclmend({"cidr", "covers", "40.92.0.0/14", "10.0.0.7", "2001:db8::/32", list});
  CHECK(no.out == "40.94.0.0/15\n2001:db8:8000::/33\n");
  CHECK(no.status == 1);
  const auto bad = aclmend({"cidr", "covers", "40.92.0.0/33", list});
  CHECK(bad.err == "aclmend: '40.92.0.0/33': expected a prefix length, 0 to 32, found '33'\n");
  CHECK(bad.status == 2);
}

TEST_CASE("cidr within prints the lines that lie in the prefix as they stand", "[cidr]") {
  const test::Folder folder;
  const std::string a = folder.write("a", first), b = folder.write("b", second);
  CHECK(aclmend({"cidr", "within", "52.0.0.0/8", a, b}).out == "52.100.0.0/15  # half\n52.102.0.0/15\r\n");
  const auto none = aclmend({"cidr", "within", "10.0.0.8", a});
  CHECK(none.out.empty());
  CHECK(none.status == 0);
}

TEST_CASE("cidr count counts each family, once what is listed twice", "[cidr]") {
  const test::Folder folder;
  const std::string a = folder.write("a", first), b = folder.write("b", second);
  CHECK(aclmend({"cidr", "count", a, b}).out ==
        "ipv4 3 prefixes 393217 addresses\nipv6 1 prefixes 79228162514264337593543950336 addresses\n");
}

TEST_CASE("a bad line is an error with its place, and nothing is printed", "[cidr]") {
  const test::Folder folder;
  const std::string good = folder.write("good", first), bad = folder.write("bad", "10.0.0.1\n10.0.0.1/8\n");
  for (const char* operation : {"union", "intersect", "subtract", "covers", "within", "count"}) {
    const bool asks = operation == std::string("covers") || operation == std::string("within");
    const auto ran =
        asks ? aclmend({"cidr", operation, "10.0.0.1", bad}) : aclmend({"cidr", operation, good, bad});
    CHECK(ran.out.empty());
    CHECK(ran.err == "aclmend: " + bad +
                         ":2:1: bits are set beyond the length: did you mean 10.0.0.0/8 or 10.0.0.1? "
                         "(--host-bits clear takes the first)\n");
    CHECK(ran.status == 2);
  }
  CHECK(aclmend({"cidr", "union", "--host-bits", "clear", bad}).out == "10.0.0.0/8\n");
  CHECK(aclmend({"cidr", "within", "10.0.0.7/8", "--host-bits", "clear", bad}).out ==
        "10.0.0.1\n10.0.0.1/8\n");
}

TEST_CASE("cidr writes to a file and in a second format beside", "[cidr]") {
  const test::Folder folder;
  const std::string a = folder.write("a", first), out = folder.path() + "/out",
                    json = folder.path() + "/json";
  const auto ran = aclmend({"cidr", "union", a, "-o", out, "--report", "json=" + json});
  CHECK(ran.status == 0);
  CHECK(ran.out.empty());
  CHECK(test::text_of(out) == "10.0.0.7\n40.92.0.0/15\n52.100.0.0/15\n2001:db8::/33\n");
  CHECK(test::text_of(json).find("\"sha256\"") != std::string::npos);
  CHECK(aclmend({"cidr", "covers", "9.9.9.9", a, "--exit-zero"}).status == 0);
}

TEST_CASE("what is typed wrong is said, exit 2", "[cidr]") {
  const test::Folder folder;
  const std::string a = folder.write("a", first);
  const std::vector<std::vector<std::string>> wrong = {{"cidr"},
                                                       {"cidr", "unite", a},
                                                       {"cidr", "intersect", a},
                                                       {"cidr", "covers", "10.0.0.1"},
                                                       {"cidr", "within"},
                                                       {"cidr", "union", a, "--format", "yaml"},
                                                       {"cidr", "union", a, "--host-bits", "maybe"},
                                                       {"cidr", "union", folder.path() + "/missing"},
                                                       {"cidr", "union", "-", "-"},
                                                       {"cidr", "union", a, "--no-such"}};
  for (const auto& args : wrong) {
    const auto ran = aclmend(args);
    INFO(args.back());
    CHECK(ran.status == 2);
    CHECK(ran.out.empty());
    CHECK_FALSE(ran.err.empty());
  }
}

TEST_CASE("what a file holds reaches the terminal only in printable form", "[cidr]") {
  const test::Folder folder;
  const auto ran = aclmend({"cidr", "union", folder.write("a", "\x1b[2Jboo")});
  CHECK(ran.err.find('\x1b') == std::string::npos);
  CHECK(ran.err.find("\\x1b[2Jboo") != std::string::npos);
}

TEST_CASE("the JSON of every operation follows its schema", "[cidr]") {
  const test::Folder folder;
  const std::string a = folder.write("a", first), b = folder.write("b", second);
  const std::vector<std::vector<std::string>> commands = {{"cidr", "union", a, b},
                                                          {"cidr", "intersect", a, b},
                                                          {"cidr", "subtract", a, b},
                                                          {"cidr", "covers", "40.92.0.0/14", a},
                                                          {"cidr", "covers", "40.92.0.0/15", a},
                                                          {"cidr", "within", "52.0.0.0/8", b},
                                                          {"cidr", "within", "9.9.9.9", b},
                                                          {"cidr", "count", a}};
  for (auto command : commands) {
    command.insert(command.end(), {"--format", "json"});
    const auto ran = aclmend(command);
    INFO(ran.out << ran.err);
    CHECK(test::schema_errors(ran.out, "cidr").empty());
  }
  const auto united = aclmend({"cidr", "union", b, "--format", "json"}).out;
  CHECK(united.find("\"40.93.0.0/16\"") != std::string::npos);
  CHECK(aclmend({"cidr", "union", a, "--format", "json"}).out.find("\"10.0.0.7/32\"") != std::string::npos);
  const auto counted = aclmend({"cidr", "count", a, "--format", "json"}).out;
  CHECK(counted.find("\"total\": 4") != std::string::npos);
  CHECK(test::schema_errors("{\"schema\": \"aclmend/cidr/1\"}", "cidr") != "");
}

}  // namespace aclmend
