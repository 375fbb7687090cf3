#include "net/answer_reader.h"

#define BOOST_ASIO_NO_DEPRECATED
#include <fmt/format.h>

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <limits>

#include "base/text.h"

namespace aclmend::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using Kind = HttpFailure::Kind;

// A body that grows by what came, and not by what a Content-Length promises.
struct Growing {
  using value_type = std::string;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, std::string& body) : body_(body) {}
    void init(const boost::optional<std::uint64_t>&, error_code& error) { error = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& error) {
      error = {};
      const std::size_t before = body_.size();
      for (auto at = boost::asio::buffer_sequence_begin(buffers);
           at != boost::asio::buffer_sequence_end(buffers); ++at) {
        const boost::asio::const_buffer part(*at);
        body_.append(static_cast<const char*>(part.data()), part.size());
      }
      return body_.size() - before;
    }
    void finish(error_code& error) { error = {}; }

   private:
    std::string& body_;
  };
};

HttpFailure protocol_failure(std::string message) {
  return {.kind = Kind::protocol, .message = std::move(message)};
}

std::string to_std(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct AnswerReader::Inside {
  Inside(std::size_t header, Body body) : wanted(body), largest_header(header) {}

  http::response_parser<Growing> parser;
  const Body wanted;
  const std::size_t largest_header;
  std::size_t header_size = 0;
  std::string pending;  // came, and is not taken by the parser yet
  bool has_begun = false;
  std::optional<Head> head;

  std::string field(http::field name) const { return to_std(parser.get()[name]); }

  std::vector<std::string> fields(http::field name) const {
    std::vector<std::string> values;
    const auto [begin, end] = parser.get().equal_range(name);
    for (auto at = begin; at != end; ++at) values.push_back(to_std(at->value()));
    return values;
  }

  Head make_head() const {
    const auto& answer = parser.get();
    Head made{.status = static_cast<int>(answer.result_int()), .reason = to_std(answer.reason())};
    made.content_type = field(http::field::content_type);
    made.location = field(http::field::location);
    made.retry_after = field(http::field::retry_after);
    made.date = field(http::field::date);
    for (const std::string& value : fields(http::field::content_encoding))
      for (const std::string_view coding : split(value, ','))
        if (!trimmed(coding).empty()) made.content_encodings.push_back(lower(trimmed(coding)));
    made.proxy_authentications = fields(http::field::proxy_authenticate);
    if (const auto length = parser.content_length()) made.length = *length;
    made.ends_with_connection = parser.need_eof();
    return made;
  }

  // Beast takes "gzip, chunked" for chunked and passes "gzip" over.
  std::optional<HttpFailure> wrong_transfer() const {
    const auto codings = fields(http::field::transfer_encoding);
    if (wanted == Body::none || codings.empty() || (codings.size() == 1 && lower(codings[0]) == "chunked"))
      return std::nullopt;
    return protocol_failure(fmt::format("it is sent in the transfer coding '{}', which was not asked for",
                                        printable(codings.back().substr(0, 80))));
  }

  std::optional<HttpFailure> failure_of(error_code error) const {
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
      return header_too_large();
    if (error == http::error::partial_message) return cut();
    const bool is_chunk =
        head && (error == http::error::bad_chunk || error == http::error::bad_chunk_extension);
    return protocol_failure(
        fmt::format("{}: {}", is_chunk ? "its chunks are broken" : "it is not HTTP", error.message()));
  }

  HttpFailure header_too_large() const {
    return {.kind = Kind::too_large,
            .message = fmt::format("its {} is larger than {} bytes", head ? "chunk header" : "header",
                                   with_thousands(largest_header))};
  }

  HttpFailure cut() const {
    const std::string_view where = !has_begun ? "before an answer came"
                                   : !head    ? "in the header"
                                              : "in the body";
    return {.kind = Kind::truncated,
            .message = fmt::format("the connection ended {}", where),
            .worth_retrying = true};
  }

  // Beast 1.81 asserts that the end of the chunks ("0", CR, LF, CR, LF) does not come in pieces after the
  // first three bytes. Before the last of those five there is nothing that could not wait.
  bool is_worth_parsing() const { return pending.size() >= (head && parser.chunked() ? 5 : 1); }

  std::optional<HttpFailure> parse() {
    while (!parser.is_done() && is_worth_parsing()) {
      error_code error;
      const std::size_t used = parser.put(boost::asio::buffer(pending), error);
      pending.erase(0, used);
      if (!head) header_size += used;
      if (!head && header_size + (parser.is_header_done() ? 0 : pending.size()) > largest_header)
        return header_too_large();
      if (error && error != http::error::need_more) return failure_of(error);
      if (!head && parser.is_header_done()) {
        head = make_head();
        if (auto wrong = wrong_transfer()) return wrong;
        parser.eager(true);
      }
      if (error == http::error::need_more) {
        if (pending.size() > largest_header) return header_too_large();
        return std::nullopt;
      }
    }
    return std::nullopt;
  }
};

AnswerReader::AnswerReader(std::size_t largest_header, Body body)
    : inside_(std::make_unique<Inside>(largest_header, body)) {
  constexpr std::size_t most = std::numeric_limits<std::uint32_t>::max();
  inside_->parser.header_limit(static_cast<std::uint32_t>(std::min(largest_header, most)));
  inside_->parser.body_limit(boost::none);
  inside_->parser.skip(body == Body::none);
}
AnswerReader::~AnswerReader() = default;

std::optional<HttpFailure> AnswerReader::take(std::string_view bytes) {
  inside_->has_begun = inside_->has_begun || !bytes.empty();
  inside_->pending += bytes;
  return inside_->parse();
}

std::optional<HttpFailure> AnswerReader::end() {
  if (is_done()) return std::nullopt;
  if (!inside_->head) return inside_->cut();
  error_code error;
  inside_->parser.put_eof(error);
  if (error) return inside_->failure_of(error);
  return std::nullopt;
}

bool AnswerReader::has_begun() const { return inside_->has_begun; }
const Head* AnswerReader::head() const { return inside_->head ? &*inside_->head : nullptr; }
bool AnswerReader::is_done() const { return inside_->parser.is_done(); }
const std::string& AnswerReader::body() const { return inside_->parser.get().body(); }
std::string_view AnswerReader::behind() const { return inside_->pending; }

std::unique_ptr<AnswerReader> AnswerReader::next_one() const {
  auto next = std::make_unique<AnswerReader>(inside_->largest_header, inside_->wanted);
  next->inside_->pending = inside_->pending;
  next->inside_->has_begun = true;
  return next;
}

}  // namespace aclmend::net
