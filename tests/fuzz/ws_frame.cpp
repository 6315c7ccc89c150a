// However the bytes are cut, the same messages and the same error come out.
// The first byte of the input sets up the reader, the second seeds the cuts.

#include "transports/codec/ws/frame.hpp"

#include <cstdlib>
#include <string>
#include <vector>

using namespace signalbox;

namespace {

// What came out of a reader, in a form that can be compared.
struct outcome {
  std::string messages;
  codec::errc error = codec::errc::none;
  bool partial = false;

  bool operator==(const outcome&) const = default;
};

constexpr ws::limits bounds{.message = 300, .fragments = 4};

// `seed` 0 takes all bytes in one piece.
outcome run(std::string_view wire, uint8_t setup, uint32_t seed) {
  auto who =
    (setup & 1) != 0 ? ws::reader::peer::client : ws::reader::peer::server;
  ws::reader reader{who, bounds, (setup & 2) != 0};
  outcome out;
  while (!wire.empty()) {
    auto size = wire.size();
    if (seed != 0) {
      seed = seed * 1664525 + 1013904223;
      size = std::min<size_t>(size, 1 + (seed >> 24) % ((setup >> 2) + 1));
    }
    // A copy of the exact size, so that the sanitizer sees every overrun.
    std::vector<char> piece{wire.begin(), wire.begin() + size};
    wire.remove_prefix(size);
    std::span<char> input{piece};
    for (;;) {
      ws::message message;
      auto got = reader.next(input, message);
      if (!got) {
        out.error = got.error();
        if (reader.memory() != 0)
          std::abort();
        return out;
      }
      if (!*got)
        break;
      if (message.data.size() > bounds.message)
        std::abort();
      out.messages += static_cast<char>(message.op);
      out.messages += message.compressed ? '*' : ' ';
      out.messages += std::to_string(message.data.size()) + ":";
      out.messages += message.data;
    }
    if (!input.empty() || (!reader.partial() && reader.memory() != 0))
      std::abort();
  }
  out.partial = reader.partial();
  return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2)
    return 0;
  std::string_view wire{reinterpret_cast<const char*>(data) + 2, size - 2};
  auto setup = data[0];
  if (run(wire, setup, 0) != run(wire, setup, data[1] + 1u))
    std::abort();
  return 0;
}
