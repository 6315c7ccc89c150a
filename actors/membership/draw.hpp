#pragma once

#include <cstdint>
#include <random>

namespace signalbox {

/// Returns a random number that is not 0.
inline uint64_t draw() {
  std::random_device from;
  for (;;)
    if (auto x = static_cast<uint64_t>(from()) << 32 | from(); x != 0)
      return x;
}

} // namespace signalbox
