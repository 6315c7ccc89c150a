#pragma once

#include "actors/api/settings.hpp"
#include "transports/net/engine_options.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/server.hpp"

// What the settings mean to the network.

namespace signalbox::app {

/// Returns the bounds of every HTTP connection.
net::http_limits http_limits_of(const settings& opts);

/// Sets what the settings say of the Engine.IO transport; counters and
/// callbacks stay as they are.
void fill_engine_options(const settings& opts, net::engine_options& out);

/// Gives a loop a ring for its broadcasts if there can be one; the first loop
/// says so in the log.
void open_ring(net::loop& x);

} // namespace signalbox::app
