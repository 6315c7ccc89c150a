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

/// One packet as it came, a view into its payload or frame, before it is
/// decoded.
struct piece {
  std::string_view bytes;
  /// Whether it came as bytes instead of text: in a binary payload or frame.
  bool binary = false;
  /// Whether its text was encoded to UTF-8 twice (see `v3`).
  bool doubled = false;
};

} // namespace signalbox::engine
