// A hostile mail server: whatever it says, and however the bytes are cut up, the dialog ends, keeps its
// bounds, and says nothing but what it may.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "probe/dialog.h"
#include "probe/inspection.h"

using namespace aclmend::probe;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

bool may_be_said(std::string_view bytes) {
  for (const std::string_view allowed : {"EHLO me\r\n", "HELO me\r\n", "STARTTLS\r\n", "MAIL FROM:<>\r\n",
                                         "RCPT TO:<a@lab.test>\r\n", "RSET\r\n", "QUIT\r\n"})
    if (bytes == allowed) return true;
  return false;
}

void check(const Heard& heard) {
  for (const auto* reply : {&heard.banner, &heard.ehlo, &heard.helo, &heard.starttls, &heard.ehlo_in_tls,
                            &heard.mail, &heard.rcpt})
    if (*reply) {
      require((*reply)->lines.size() <= most_lines && (*reply)->code >= 200 && (*reply)->code < 600);
      for (const std::string& line : (*reply)->lines) require(line.size() <= longest_line);
    }
  require(heard.out_of_turn.size() <= 200 && heard.after_starttls.size() <= 200 && heard.fault.size() < 1000);
  (void)signs_of_inspection(heard);
  (void)is_starttls_masked(heard);
}

}  // namespace

// The first byte says whether a recipient is asked, each next one how many bytes come at once.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Dialog dialog({"me", (rest[0] & 1) != 0 ? "a@lab.test" : ""});
  rest.remove_prefix(1);
  bool is_in_tls = false;
  std::size_t commands = 0;
  while (!rest.empty()) {
    const std::size_t count = static_cast<unsigned char>(rest[0]) + std::size_t{1};
    rest.remove_prefix(1);
    Action action = dialog.receive(rest.substr(0, count));
    rest.remove_prefix(std::min(count, rest.size()));
    if (action.kind == Action::Kind::start_tls) {
      require(!is_in_tls && dialog.stage() == Stage::handshake);
      is_in_tls = true;
      action = dialog.secured();
    }
    if (action.kind == Action::Kind::send) {
      require(may_be_said(action.bytes) && ++commands <= 8);
      require(is_in_tls || !action.bytes.starts_with("RCPT"));
    }
    if (action.kind == Action::Kind::end) break;
  }
  check(dialog.heard());
  return 0;
}
