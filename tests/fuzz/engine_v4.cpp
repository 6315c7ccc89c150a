#include "transports/codec/engine/v4.hpp"

#include <cstdint>
#include <cstdlib>

// Reads the input as a polling payload. What decodes must encode to a packet
// that decodes to the same, and a text packet to the same bytes.

using namespace signalbox;

namespace {

void require(bool condition) {
  if (!condition)
    std::abort();
}

void check_packet(std::string_view text) {
  std::string scratch;
  auto x = engine::v4::decode_packet(text, scratch);
  if (!x)
    return;
  std::string again;
  if (x->binary)
    engine::v4::encode_binary(x->data, again);
  else
    engine::v4::encode_packet(x->type, x->data, again);
  require(x->binary || again == text);
  std::string buffer;
  auto y = engine::v4::decode_packet(again, buffer);
  require(y && y->type == x->type && y->binary == x->binary
          && y->data == x->data);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t max_packets = 100;
  std::string_view payload{reinterpret_cast<const char*>(data), size};
  auto packets = engine::v4::split_payload(payload, max_packets);
  if (!packets) {
    require(packets.error() == codec::errc::too_many_pieces);
    return 0;
  }
  require(!packets->empty() && packets->size() <= max_packets);
  std::string joined;
  for (const auto& each : *packets) {
    check_packet(each.bytes);
    joined += each.bytes;
    joined += engine::v4::separator;
  }
  joined.pop_back();
  require(joined == payload);
  return 0;
}
