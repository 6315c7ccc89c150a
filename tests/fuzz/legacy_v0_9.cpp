#include "transports/codec/json_split.hpp"
#include "transports/codec/legacy/v0_9.hpp"

#include <cstdint>
#include <cstdlib>

// Reads the input as a body. What is split must join and split to the same
// packets; what decodes to an event must encode to one that decodes to the
// same.

using namespace signalbox;
namespace v0_9 = legacy::v0_9;

namespace {

constexpr size_t max_packets = 100;
constexpr codec::json_limits limits{32, 1000};

void require(bool condition) {
  if (!condition)
    std::abort();
}

void check_event(const v0_9::packet& x) {
  auto args = v0_9::decode_event(x, limits);
  if (!args)
    return;
  require(bool(codec::scan_json(*args, {33, 1001})));
  require(!codec::split_array(*args).empty());
  std::string again;
  v0_9::encode_header(v0_9::packet_type::event, x.id, "/ns", again);
  again += ':';
  v0_9::encode_event(*args, again);
  auto y = v0_9::decode_packet(again);
  require(y && y->endpoint == "/ns" && y->id == x.id);
  auto twice = v0_9::decode_event(*y, {34, 1003});
  require(twice && codec::split_array(*twice) == codec::split_array(*args));
}

void check_packet(std::string_view text) {
  auto x = v0_9::decode_packet(text);
  if (!x) {
    require(x.error() != codec::errc::none);
    return;
  }
  switch (x->type) {
  case v0_9::packet_type::message:
  case v0_9::packet_type::json:
  case v0_9::packet_type::event:
    check_event(*x);
    break;
  case v0_9::packet_type::ack: {
    require(x->id.has_value());
    auto args = v0_9::decode_ack(*x, limits);
    require(!args || args->starts_with('[') || args->find('[') != args->npos);
    break;
  }
  default:
    break;
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view body{reinterpret_cast<const char*>(data), size};
  auto pieces = v0_9::split_payload(body, max_packets);
  if (!pieces)
    return 0;
  std::string joined;
  for (auto each : *pieces) {
    check_packet(each);
    v0_9::append_piece(each, {}, joined);
  }
  auto again = v0_9::split_payload(joined, max_packets);
  require(again && *again == *pieces);
  return 0;
}
