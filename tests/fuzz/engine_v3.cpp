#include "transports/codec/engine/v3.hpp"

#include <cstdint>
#include <cstdlib>

// The first byte chooses between a text and a binary payload. What is split
// must join to the same payload, but for leading zeros of lengths, and what
// decodes must be of the form it claims.

using namespace signalbox;
namespace v3 = engine::v3;

namespace {

constexpr size_t max_packets = 100;

void require(bool condition) {
  if (!condition)
    std::abort();
}

void check_packet(const engine::piece& x) {
  std::string scratch;
  auto y = v3::decode_packet(x, scratch);
  if (!y) {
    require(y.error() != codec::errc::none);
    return;
  }
  require(y->type <= engine::packet_type::noop);
  require(!y->binary || y->type == engine::packet_type::message);
  require(!x.doubled || scratch.size() < x.bytes.size());
}

bool same(const engine::piece& x, const engine::piece& y) {
  return x.bytes == y.bytes && x.binary == y.binary && x.doubled == y.doubled;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  auto binary = (data[0] & 1) != 0;
  std::string_view payload{reinterpret_cast<const char*>(data) + 1, size - 1};
  auto split = binary ? v3::split_binary : v3::split_text;
  auto pieces = split(payload, max_packets);
  if (!pieces)
    return 0;
  require(!pieces->empty() && pieces->size() <= max_packets);
  std::string joined;
  for (const auto& each : *pieces) {
    require(!each.bytes.empty());
    check_packet(each);
    if (binary)
      v3::append_binary(each.bytes, {}, each.binary, joined);
    else
      v3::append_text(each.bytes, {}, joined);
  }
  require(joined.size() <= payload.size());
  auto again = split(joined, max_packets);
  require(again && again->size() == pieces->size());
  for (size_t i = 0; i < pieces->size(); ++i)
    require(same((*again)[i], (*pieces)[i]));
  return 0;
}
