// However the bytes are cut, a reply of the site ends at the same place in the
// same way, within its limits. The first byte of the input says whether the
// connection ends behind it, the second seeds the cuts.

#include "transports/codec/reply_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

using signalbox::codec::reply_reader;

namespace {

using state = reply_reader::state;

constexpr reply_reader::limits bounds{512, 256};

struct outcome {
  size_t taken = 0;
  state at = state::head;
  bool keeps = false;
  unsigned status = 0;
  std::string body;

  bool operator==(const outcome&) const = default;
};

void expect(bool condition) {
  if (!condition)
    std::abort();
}

/// `seed` 0 takes all bytes in one piece.
outcome run(std::string_view wire, bool ends, uint32_t seed) {
  reply_reader reader{bounds};
  outcome out;
  while (!wire.empty() && reader.at() != state::complete
         && reader.at() != state::bad) {
    auto size = wire.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      size = std::min<size_t>(size, 1 + (seed >> 24) % 64);
    }
    // A copy of the exact size, so that the sanitizer sees every overrun.
    std::vector<char> piece{wire.begin(), wire.begin() + size};
    auto n = reader.take({piece.data(), piece.size()});
    expect(n <= size);
    expect(n == size || reader.at() == state::complete
           || reader.at() == state::bad);
    out.taken += n;
    wire.remove_prefix(size);
  }
  if (ends)
    reader.end();
  expect(reader.body().size() <= bounds.body);
  expect(reader.fault().empty() == (reader.at() != state::bad));
  out.at = reader.at();
  // How much of a bad reply came before it was recognised depends on the cuts.
  if (out.at == state::bad)
    return {0, state::bad, false, 0, {}};
  out.keeps = reader.keeps();
  out.status = reader.status();
  out.body = reader.body();
  expect(!out.keeps || (out.at == state::complete && out.status >= 200));
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2)
    return 0;
  std::string_view wire{reinterpret_cast<const char*>(data) + 2, size - 2};
  auto ends = (data[0] & 1) != 0;
  expect(run(wire, ends, 0) == run(wire, ends, data[1] + 1u));
  return 0;
}
