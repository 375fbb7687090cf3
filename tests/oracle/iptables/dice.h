// Chance that repeats itself: the same seed throws the same on every machine (the library's distributions
// need not).
#pragma once
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace aclmend::oracle {

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t any() { return engine_(); }
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(engine_() % count); }
  std::size_t between(std::size_t first, std::size_t last) { return first + below(last - first + 1); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  bool percent(std::size_t share) { return below(100) < share; }
  template <class T>
  const T& of(const std::vector<T>& list) {
    return list[below(list.size())];
  }
  std::string of(std::initializer_list<std::string_view> list) {
    return std::string(list.begin()[below(list.size())]);
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace aclmend::oracle
