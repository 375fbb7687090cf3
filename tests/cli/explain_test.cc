#include "audit/codes.h"
#include "evidence/vocabulary.h"
#include "tests/support/program.h"
#include "tests/support/test.h"

using namespace aclmend;
using test::Ran;

TEST_CASE("explain tells a finding by its code in any case and by its slug", "[explain]") {
  const Ran by_code = test::aclmend({"explain", "acm003"});
  CHECK(by_code.status == 0);
  CHECK(by_code.err.empty());
  CHECK(
      by_code.out.starts_with("ACM003 · lost-member  (the severity of the flow)\n"
                              "the permitting group lost a member that is still defined\n\n  means      "));
  CHECK(test::aclmend({"explain", "lost-member"}).out == by_code.out);
}

TEST_CASE("explain tells every word of its tables", "[explain]") {
  for (const audit::CodeText& code : audit::codes())
    CHECK(test::aclmend({"explain", std::string(code.id)}).out.find(code.slug) != std::string::npos);
  for (const evidence::Word& word : evidence::vocabulary())
    for (const std::string_view name : word.names)
      CHECK(test::aclmend({"explain", std::string(name)}).out.find(word.title) != std::string::npos);
}

TEST_CASE("explain knows every status and socket error that mail to and from Microsoft 365 fails with",
          "[explain]") {
  for (const char* word :
       {"4.4.312", "4.4.315", "4.4.316", "4.4.317", "4.4.318", "4.7.320", "4.7.321", "5.7.321",
        "5.7.322", "5.7.323", "5.7.324", "5.7.325", "4.4.7",   "4.4.8",   "5.4.300", "5.4.312",
        "5.4.315", "5.4.316", "5.4.317", "5.4.318", "4.4.101", "4.4.1",   "4.4.0",   "4.7.5",
        "5.7.3",   "5.7.51",  "5.7.64",  "5.4.1",   "5.4.6",   "5.4.14",  "4.7.23",  "10060",
        "10061",   "10054",   "10053",   "10049",   "10065",   "10051",   "11001"}) {
    INFO(word);
    CHECK(test::aclmend({"explain", word}).status == 0);
  }
}

TEST_CASE("explain finds the codes in a pasted line, each once", "[explain]") {
  const Ran ran =
      test::aclmend({"explain", "450 4.4.316 Connection refused [Message=Socket error code 10061] 4.4.316."});
  CHECK(ran.status == 0);
  CHECK(ran.out.starts_with("4.4.316 · 5.4.316\n"));
  CHECK(ran.out.find("\n\n10061 · WSAECONNREFUSED") != std::string::npos);
  CHECK(ran.out.find("4.4.316 · ", 1) == std::string::npos);
  CHECK(test::aclmend({"explain", "550", "5.4.316", "Message", "expired"}).out.starts_with("4.4.316"));
}

TEST_CASE("a throttling status is told by its range, its neighbours are not", "[explain]") {
  for (const char* status : {"4.7.500", "4.7.699", "4.7.850", "4.7.899"})
    CHECK(test::aclmend({"explain", status}).status == 0);
  for (const char* status : {"4.7.499", "4.7.700", "4.7.849", "4.7.900"})
    CHECK(test::aclmend({"explain", status}).status == 2);
}

TEST_CASE("explain of an unknown word names the nearest and exits 2", "[explain]") {
  const Ran ran = test::aclmend({"explain", "lost-memer"});
  CHECK(ran.status == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.starts_with(
      "aclmend: nothing is known of 'lost-memer'; did you mean lost-member?\n  it explains"));
  CHECK(test::aclmend({"explain", "\x1b[31m"}).err.find('\x1b') == std::string::npos);
}

TEST_CASE("explain wraps its text at 100 columns", "[explain]") {
  for (const audit::CodeText& code : audit::codes()) {
    std::istringstream lines(test::aclmend({"explain", std::string(code.id)}).out);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 101);  // the · takes two bytes
  }
}

TEST_CASE("explain documents follow their schema", "[explain][schema]") {
  CHECK(
      test::schema_errors(test::aclmend({"explain", "4.4.316", "ACM020", "--format", "json"}).out, "explain")
          .empty());
}
