// The reader of answers against bytes alone: what is whole, what is cut, what is refused, in whatever pieces
// it comes.
#include "net/answer_reader.h"

#include "tests/support/test.h"

namespace aclmend::net {
namespace {

using Kind = HttpFailure::Kind;

struct Read {
  std::optional<Kind> failure;
  std::string message;
  int status = 0;
  std::string body;
  bool is_done = false;
};

// What a failure is called may hang on how much came at once; whether there is one may not.
bool is_same(const Read& a, const Read& b) {
  if (a.failure.has_value() || b.failure.has_value()) return a.failure.has_value() == b.failure.has_value();
  return a.status == b.status && a.body == b.body && a.is_done == b.is_done;
}

// In parts of so many bytes, then the connection's end.
Read read(std::string_view bytes, std::size_t part = 1 << 20, std::size_t largest_header = 4096) {
  AnswerReader reader(largest_header, AnswerReader::Body::read);
  std::optional<HttpFailure> failure;
  for (std::size_t at = 0; at < bytes.size() && !failure && !reader.is_done(); at += part)
    failure = reader.take(bytes.substr(at, part));
  if (!failure) failure = reader.end();
  Read out;
  if (reader.head() != nullptr) out.status = reader.head()->status;
  out.is_done = reader.is_done();
  if (failure) {
    out.failure = failure->kind;
    out.message = failure->message;
  } else {
    out.body = reader.body();
  }
  return out;
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

}  // namespace

TEST_CASE("an answer is whole by its length, by its chunks, or by the connection's end", "[net][answer]") {
  CHECK(read(ok + "Content-Length: 5\r\n\r\nhello").body == "hello");
  CHECK(read(ok + "Content-Length: 5, 5\r\n\r\nhello").body == "hello");
  CHECK(read(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX: y\r\n\r\n").body ==
        "hello");
  CHECK(read(ok + "\r\nhello").body == "hello");
  CHECK(read("HTTP/1.1 204 No Content\r\n\r\n").is_done);
  CHECK(read("HTTP/1.0 304 \r\nContent-Length: 7\r\n\r\n").status == 304);
}

TEST_CASE("an answer that was cut is a failure", "[net][answer]") {
  const std::string with_length = ok + "Content-Length: 5\r\n\r\nhello";
  const std::string in_chunks =
      ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nX: y\r\n\r\n";
  for (const std::string& whole : {with_length, in_chunks})
    for (std::size_t size = 0; size < whole.size(); ++size) {
      INFO(whole.substr(0, size));
      CHECK(read(whole.substr(0, size)).failure == Kind::truncated);
      CHECK(read(whole.substr(0, size), 1).failure == Kind::truncated);
    }
  CHECK(read("").message == "the connection ended before an answer came");
  CHECK(read(ok).message == "the connection ended in the header");
  CHECK(read(ok + "Content-Length: 5\r\n\r\nhell").message == "the connection ended in the body");
}

TEST_CASE("lengths that contradict themselves are refused", "[net][answer]") {
  for (const char* fields :
       {"Content-Length: 5\r\nContent-Length: 6", "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5", "Content-Length: -1", "Content-Length: 5x",
        "Content-Length: 99999999999999999999", "Content-Length:", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: gzip", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"}) {
    INFO(fields);
    CHECK(read(ok + fields + "\r\n\r\nhello").failure == Kind::protocol);
  }
  CHECK(read(ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n").message ==
        "it is sent in the transfer coding 'gzip, chunked', which was not asked for");
}

TEST_CASE("what is not HTTP, or hides control characters, is refused", "[net][answer]") {
  for (const std::string& bytes :
       {std::string("220 mail.example.com ESMTP\r\n\r\n"), std::string("HTTP/2 200 OK\r\n\r\n"),
        std::string("HTTP/1.1 20 OK\r\n\r\n"), std::string("HTTP/1.1 200 OK\n\n"), ok + "X: a\nb\r\n\r\n",
        ok + "X: a\x01\r\n\r\n", ok + std::string("X: a\0b\r\n\r\n", 10), ok + "X y: z\r\n\r\n",
        ok + ": z\r\n\r\n", ok + "no colon\r\n\r\n", std::string("HTTP/1.1 200 \x1b[31m\r\n\r\n"),
        ok + "X: y\rSet-Cookie: z\r\n\r\n"}) {
    INFO(bytes);
    CHECK(read(bytes).failure == Kind::protocol);
    CHECK(read(bytes, 1).failure.has_value());
  }
  CHECK(read(ok + "Transfer-Encoding: chunked\r\n\r\nzzzz\r\n").failure == Kind::protocol);
  CHECK(read(ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx").failure == Kind::protocol);
  CHECK(read(ok + "Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n").failure == Kind::protocol);
}

TEST_CASE("headers and chunk headers are bounded", "[net][answer]") {
  std::string many;
  while (many.size() < 5000) many += "A: b\r\n";
  for (const std::size_t part : {std::size_t{1}, std::size_t{100}, std::size_t{100000}}) {
    CHECK(read(ok + many + "\r\n", part).failure == Kind::too_large);
    CHECK(read(ok + many, part).failure == Kind::too_large);
    CHECK(read(ok + "A: " + std::string(5000, 'b'), part).failure == Kind::too_large);
    CHECK(read(std::string("HTTP/1.1 200 ") + std::string(5000, 'b'), part).failure == Kind::too_large);
    CHECK(read(ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(5000, 'b'), part).failure ==
          Kind::too_large);
    CHECK(read(ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + many, part).failure == Kind::too_large);
  }
  CHECK(read(ok + many.substr(0, 3996) + "\r\n", 1).failure == std::nullopt);
}

TEST_CASE("a trailer changes nothing of the header", "[net][answer]") {
  AnswerReader reader(4096, AnswerReader::Body::read);
  CHECK_FALSE(reader.take(
      ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nContent-Encoding: br\r\nLocation: /\r\n\r\n"));
  REQUIRE(reader.is_done());
  CHECK(reader.head()->content_encodings.empty());
  CHECK(reader.head()->location == "");
}

TEST_CASE("the size of the pieces does not matter", "[net][answer]") {
  rc::prop("read whole or in parts, the answer is the same", [](const std::string& noise) {
    const std::vector<std::string> parts = {"HTTP/1.1 200 OK\r\n",
                                            "HTTP/1.0 404 no\r\n",
                                            "Content-Length: 3\r\n",
                                            "Transfer-Encoding: chunked\r\n",
                                            "X: y\r\n",
                                            "\r\n",
                                            "3\r\nabc\r\n",
                                            "0\r\n",
                                            "abc",
                                            noise};
    std::string bytes = parts[*rc::gen::inRange<std::size_t>(0, 2)];
    for (const std::size_t at :
         *rc::gen::container<std::vector<std::size_t>>(rc::gen::inRange<std::size_t>(2, parts.size())))
      bytes += parts[at];
    const Read whole = read(bytes), single = read(bytes, 1),
               some = read(bytes, *rc::gen::inRange<std::size_t>(1, 40));
    RC_ASSERT(is_same(single, some));
    RC_ASSERT(is_same(whole, single));
  });
}

}  // namespace aclmend::net
