#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace signalbox::engine {

/// What the server tells a client in the open packet.
struct open_info {
  std::string_view sid;
  /// Whether the client may probe a WebSocket.
  bool upgrade = false;
  std::chrono::milliseconds ping_interval{25000};
  std::chrono::milliseconds ping_timeout{20000};
  /// Limit of one POST body or WebSocket message, in bytes.
  size_t max_payload = 1000000;
};

/// Appends the JSON of the open packet, keys in the official order.
void encode_open(const open_info& x, std::string& out);

} // namespace signalbox::engine
