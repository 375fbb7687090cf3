// An HTTP/1 answer out of the bytes as they come, without a socket: strict where being lenient would let a
// part pass for the whole (lengths, chunks, transfer codings), bounded in everything. Beast's parser stands
// behind it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace aclmend::net {

// Of the header, as it came; trailers of a chunked body are not looked at.
struct Head {
  int status = 0;
  std::string reason{};
  std::string content_type{}, location{}, retry_after{}, date{};
  std::vector<std::string> content_encodings{};      // each as written, lower case
  std::vector<std::string> proxy_authentications{};  // "Basic realm=…", "NTLM"
  std::optional<std::uint64_t> length{};
  bool ends_with_connection =
      false;  // neither a length nor chunks: only the connection's end tells the body's
};

class AnswerReader {
 public:
  enum class Body : std::uint8_t { read, none };  // none: what follows the header is not HTTP (CONNECT)

  AnswerReader(std::size_t largest_header, Body body);
  ~AnswerReader();
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;

  // Takes what came. A failure's message is what is wrong alone, without the peer's name.
  std::optional<HttpFailure> take(std::string_view bytes);
  // The connection ended: fine only where that ends the body.
  std::optional<HttpFailure> end();

  bool has_begun() const;           // anything at all came
  const Head* head() const;         // null: not whole yet
  bool is_done() const;             // the answer is whole
  const std::string& body() const;  // so far
  std::string_view behind() const;  // what came behind the end of the answer
  std::unique_ptr<AnswerReader> next_one()
      const;  // for the answer behind an interim one (1xx), with what came

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace aclmend::net
