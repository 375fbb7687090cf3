// One visit to one address: connects, lets the dialog speak, and brings back what was seen and how long each
// stage took. Every stage has a deadline, so that a server that drips byte by byte gains nothing.
#pragma once
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "net/stream.h"
#include "probe/dialog.h"
#include "probe/result.h"

namespace aclmend::probe {

struct VisitOptions {
  std::optional<Address> bind;
  std::string own_name;     // for EHLO; empty: the own address as a literal
  std::string server_name;  // for TLS; empty: none
  std::string recipient;
  std::chrono::milliseconds connect{10'000}, banner{60'000}, reply{30'000}, whole{120'000};
};

struct Visit {
  std::optional<Address> from;          // set: connected
  std::optional<net::Failure> failure;  // of the connection or of the stage
  Stage stage = Stage::greeting;        // where it ended
  Heard heard;
  std::optional<net::TlsFacts> tls;
  std::chrono::milliseconds connecting{0};
  std::array<std::chrono::milliseconds, 11> took{};  // by stage
  unsigned repeated_packets = 0;
  std::vector<Said> transcript;
};

Visit visit(const net::Endpoint& to, const VisitOptions& options);

}  // namespace aclmend::probe
