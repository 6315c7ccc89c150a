#pragma once

#include <cstdint>

namespace signalbox::session {

/// Why a session ended. The one list for logs, metrics and close handling.
enum class close_reason : uint8_t {
  /// The client said goodbye.
  client_close,
  /// The client's connection broke or was dropped.
  transport_error,
  /// The client did not answer a ping in time.
  ping_timeout,
  /// The client sent something malformed or out of place.
  parse_error,
  /// The client did not read its packets.
  slow,
  /// The client was in no namespace for too long.
  connect_timeout,
  /// The client broke a limit.
  limit,
  /// The site or the operator asked for it.
  kicked,
  /// The router is stopping.
  shutdown,
  /// The actor behind the session ended unexpectedly.
  actor_down,
  /// The site could not be asked who the client is.
  site_unavailable,
  /// Number of reasons.
  count_,
};

/// Returns the reason's name as it appears in logs and metrics.
const char* to_string(close_reason x) noexcept;

} // namespace signalbox::session
