#pragma once

#include <chrono>
#include <cstddef>

namespace signalbox {

using std::chrono::milliseconds;

/// What one peer may cost. See docs/limits.md.
struct limit_settings {
  /// Longest request line in bytes.
  size_t request_line = 4096;
  /// All request headers together, in bytes.
  size_t header_bytes = 16384;
  /// Most request headers.
  size_t headers = 100;
  /// How long a request's header may take.
  milliseconds header_timeout{10000};
  /// How long a request's body may take.
  milliseconds body_timeout{30000};
  /// How long a connection may idle between two requests.
  milliseconds idle_timeout{15000};
  /// How long a client may take to drain a response or closing frame.
  milliseconds write_timeout{30000};
  /// Least bytes a second of a transfer that has begun.
  size_t min_rate = 1024;
  /// How long a transfer may fall behind that.
  milliseconds min_rate_time{10000};
  /// How long a transfer may take in all.
  milliseconds transfer_timeout{1200000};
  /// Connections at a time, all listeners together; 0 for what the file limit
  /// allows.
  size_t connections = 0;
  /// Connections at a time from one address.
  size_t per_ip = 1000;
  /// New connections per second from one address.
  size_t per_ip_rate = 100;
  /// Sessions at a time from one address.
  size_t sessions_per_ip = 2000;
  /// Sessions at a time, all listeners together; 0 for twice the connections.
  size_t sessions = 0;
  /// Memory of the process in bytes; 0 for four fifths of what it is given.
  size_t memory = 0;
  /// Whether loopback addresses count too.
  bool count_loopback = false;
  /// Queued bytes towards one connection, then it is closed as slow.
  size_t outbox_bytes = 1048576;
  /// Queued packets towards one connection, then it is closed as slow.
  size_t outbox_packets = 1000;
  /// Most packets in one polling payload.
  size_t payload_packets = 10000;
  /// Most fragments of one WebSocket message.
  size_t fragments = 1024;
  /// How long an unfinished WebSocket message or binary packet may wait.
  milliseconds assembly_timeout{30000};
  /// Most namespaces of one connection.
  size_t namespaces = 10;
  /// Refused CONNECTs after which a connection is closed.
  size_t failed_connects = 20;
  /// Largest CONNECT auth payload in bytes.
  size_t auth_payload = 4096;
  /// Most rooms of one connection.
  size_t rooms = 1000;
  /// Longest room name, user id or event name in bytes.
  size_t name_bytes = 256;
  /// Acks of one connection that may be outstanding.
  size_t pending_acks = 1000;
  /// Events of one connection that are at the site at a time; further ones wait
  /// for their turn.
  size_t pending_forwards = 1;
  /// Events of one connection that are not handled yet; no more are read.
  size_t inbox_packets = 16;
  /// The same in bytes.
  size_t inbox_bytes = 1048576;
  /// How long the events of a connection may wait without any being handled.
  milliseconds inbox_timeout{60000};
  /// Deepest nesting of JSON text.
  size_t json_depth = 128;
  /// Most values in one JSON text.
  size_t json_nodes = 100000;
};

} // namespace signalbox
