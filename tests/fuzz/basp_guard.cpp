// However the bytes are cut, the guard comes to the same end, and what it lets
// pass is a series of messages within the bounds. The first byte of the input
// seeds the cuts.

#include "transports/codec/basp_guard.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

using signalbox::codec::basp_guard;

namespace {

constexpr size_t most_handshake = 256;
constexpr size_t most_payload = 4096;
constexpr size_t header = 32;

struct outcome {
  bool passes = true;
  bool greeted = false;

  bool operator==(const outcome&) const = default;
};

/// `seed` 0 takes all bytes in one piece.
outcome run(std::string_view wire, uint32_t seed) {
  basp_guard guard{most_handshake, most_payload};
  outcome out;
  while (out.passes && !wire.empty()) {
    auto size = wire.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      size = std::min<size_t>(size, 1 + (seed >> 24) % 64);
    }
    // A copy of the exact size, so that the sanitizer sees every overrun.
    std::vector<char> piece{wire.begin(), wire.begin() + size};
    out.passes = guard.take({piece.data(), piece.size()});
    wire.remove_prefix(size);
  }
  // What came before it was recognised depends on the cuts.
  out.greeted = out.passes && guard.greeted();
  return out;
}

/// The same, told from the whole.
outcome judge(std::string_view wire) {
  outcome out;
  for (auto first = true; wire.size() >= header; first = false) {
    size_t size = 0;
    for (size_t i = 4; i < 8; ++i)
      size = size << 8 | static_cast<unsigned char>(wire[i]);
    auto type = static_cast<unsigned char>(wire[0]);
    if (type > (first ? 1 : 6)
        || size > (first ? most_handshake : most_payload))
      return {false, false};
    if (wire.size() < header + size)
      break;
    wire.remove_prefix(header + size);
    out.greeted = true;
  }
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1)
    return 0;
  std::string_view wire{reinterpret_cast<const char*>(data) + 1, size - 1};
  auto whole = run(wire, 0);
  if (whole != run(wire, data[0] + 1u) || whole != judge(wire))
    std::abort();
  return 0;
}
