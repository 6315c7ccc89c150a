// However the bytes are cut, an answer ends at the same place in the same way.
// The first byte of the input says whether HEAD was asked, the second seeds the
// cuts.

#include "transports/codec/response_meter.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

using signalbox::codec::response_meter;

namespace {

using state = response_meter::state;

struct outcome {
  size_t taken = 0;
  state at = state::head;
  bool keep_alive = false;

  bool operator==(const outcome&) const = default;
};

/// `seed` 0 takes all bytes in one piece.
outcome run(std::string_view wire, bool head_only, uint32_t seed) {
  response_meter meter{head_only};
  outcome out;
  while (!wire.empty() && meter.at() != state::complete
         && meter.at() != state::bad) {
    auto size = wire.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      size = std::min<size_t>(size, 1 + (seed >> 24) % 64);
    }
    // A copy of the exact size, so that the sanitizer sees every overrun.
    std::vector<char> piece{wire.begin(), wire.begin() + size};
    auto n = meter.take({piece.data(), piece.size()});
    if (n > size)
      std::abort();
    if (n < size && meter.at() != state::complete && meter.at() != state::bad)
      std::abort();
    out.taken += n;
    wire.remove_prefix(size);
  }
  out.at = meter.at();
  // How much of a bad header came before it was recognised depends on the cuts.
  if (out.at == state::bad)
    out.taken = 0;
  else
    out.keep_alive = meter.keep_alive();
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2)
    return 0;
  std::string_view wire{reinterpret_cast<const char*>(data) + 2, size - 2};
  auto head_only = (data[0] & 1) != 0;
  auto whole = run(wire, head_only, 0);
  // Cuts may show a header to be too long before its end comes.
  if (wire.size() <= response_meter::head_limit
      && whole != run(wire, head_only, data[1] + 1u))
    std::abort();
  return 0;
}
