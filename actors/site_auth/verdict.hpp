#pragma once

#include "actors/api/messages.hpp"
#include "transports/net/http_client.hpp"

#include <string>

namespace signalbox {

/// Bounds on what a verdict may hold.
struct verdict_limits {
  /// Longest user id or room name in bytes.
  size_t name_bytes = 256;
  /// Most rooms.
  size_t rooms = 1000;
};

/// Reads a reply of the site's auth API. A reply that is not clearly "allowed"
/// or "denied" is "unavailable", and `why` says what was wrong with it.
verdict read_verdict(const net::client_reply& reply,
                     const verdict_limits& bounds, std::string& why);

/// Reads a reply to a forwarded event: `{"ack":[...]}`.
event_forwarded read_event_reply(const net::client_reply& reply,
                                 std::string& why);

} // namespace signalbox
