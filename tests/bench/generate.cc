// The benchmarks' inputs, made of a seed: the same arguments always give the same bytes, on standard output.
//   aclmend_bench_generate prefixes COUNT SEED
#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>

namespace {

// Text that leaves in large pieces.
class Output {
 public:
  Output() { text_.reserve(2 * piece); }
  ~Output() { flush(); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Args>(args)...);
    text_ += '\n';
    if (text_.size() >= piece) flush();
  }

 private:
  static constexpr std::size_t piece = 1 << 20;
  void flush() {
    if (std::fwrite(text_.data(), 1, text_.size(), stdout) != text_.size()) std::abort();
    text_.clear();
  }
  std::string text_;
};

// std::mt19937_64 is the same everywhere; the standard's distributions are not.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint32_t below(std::uint32_t limit) {
    return static_cast<std::uint32_t>((engine_() >> 32) * limit >> 32);
  }
  std::uint32_t word() { return static_cast<std::uint32_t>(engine_() >> 32); }

 private:
  std::mt19937_64 engine_;
};

std::string dotted(std::uint32_t v4) {
  return fmt::format("{}.{}.{}.{}", v4 >> 24, v4 >> 16 & 255, v4 >> 8 & 255, v4 & 255);
}

// What blocklists look like: 55 % /24, 15 % single hosts, the rest /16 to /31, in no order.
void prefixes(Output& out, std::uint32_t count, std::uint64_t seed) {
  Dice dice(seed);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t kind = dice.below(100);
    const std::uint32_t length = kind < 55 ? 24 : kind < 70 ? 32 : 16 + dice.below(16);
    const std::uint32_t network = dice.word() & ~std::uint32_t{0} << (32 - length);
    if (length == 32) out.line("{}", dotted(network));
    else out.line("{}/{}", dotted(network), length);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const auto number = [&](int at) { return argc > at ? std::strtoul(argv[at], nullptr, 10) : 0; };
  Output out;
  if (what == "prefixes") {
    prefixes(out, static_cast<std::uint32_t>(number(2)), number(3));
    return 0;
  }
  fmt::print(stderr, "usage: aclmend_bench_generate prefixes COUNT SEED\n");
  return 2;
}
