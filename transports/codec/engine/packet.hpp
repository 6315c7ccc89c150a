#pragma once

#include <cstdint>
#include <string_view>

namespace signalbox::engine {

/// Packet types of Engine.IO, the same in all revisions.
enum class packet_type : uint8_t {
  open,
  close,
  ping,
  pong,
  message,
  upgrade,
  noop,
};

/// One decoded Engine.IO packet. `data` views the decoder's input, or for a
/// base64 message the buffer the decoder was given.
struct packet {
  packet_type type = packet_type::noop;
  /// Whether `data` is a binary message.
  bool binary = false;
  std::string_view data;
};

} // namespace signalbox::engine
