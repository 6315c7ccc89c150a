#pragma once

#include "transports/net/engine_options.hpp"

namespace signalbox::net {

class http_connection;

/// How a request came, as far as its refusal is worded by it.
struct request_form {
  /// By script tag (JSONP).
  bool script = false;
  /// It asks for a WebSocket.
  bool upgrade = false;
  /// It is one of 0.9.
  bool legacy = false;
};

/// Answers a request of a page that may not speak to the router, counts it and
/// reports it. Returns whether the request may go on.
bool admit_page(http_connection& from, const origin_policy& origins,
                const engine_options& opts, engine_counters& counters,
                const request_form& form);

} // namespace signalbox::net
