#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>

namespace signalbox::simulation {

/// All that is left to chance in one run; the seed decides it.
class dice {
public:
  explicit dice(uint64_t seed) : engine_(seed) {
    // nop
  }

  /// Returns a number that is not 0.
  uint64_t draw() {
    for (;;)
      if (auto x = engine_(); x != 0)
        return x;
  }

  /// Returns a number from `low` to `high`, both included.
  int64_t between(int64_t low, int64_t high) {
    // Not a distribution of the library's: those differ between libraries.
    return low
           + static_cast<int64_t>(engine_()
                                  % static_cast<uint64_t>(high - low + 1));
  }

  bool percent(int64_t of_hundred) {
    return between(1, 100) <= of_hundred;
  }

  /// Returns an element of a container that is not empty.
  template <class T>
  auto& pick(T& from) {
    return from[static_cast<size_t>(
      between(0, static_cast<int64_t>(std::size(from)) - 1))];
  }

private:
  std::mt19937_64 engine_;
};

} // namespace signalbox::simulation
