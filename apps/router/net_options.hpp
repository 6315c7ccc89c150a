#pragma once

#include "actors/api/settings.hpp"
#include "transports/net/engine_options.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/server.hpp"

// What the settings mean to the network.

namespace signalbox::app {

/// Sets the bounds of every HTTP connection, and the rules about proxies;
/// the rest stays as it is.
void fill_limits(const settings& opts, net::shared_limits& out);

/// Returns how many sessions there may be beside so many connections.
size_t most_sessions(const settings& opts, size_t connections);

/// Sets what the settings say of the Engine.IO transport; counters and
/// callbacks stay as they are.
void fill_engine_options(const settings& opts, net::engine_options& out);

/// Gives a loop a ring for its broadcasts if there can be one; the first loop
/// says so in the log.
void open_ring(net::loop& x);

/// Makes the context of the public listener. On failure returns null and says
/// why in `error`, to follow "tls.".
std::shared_ptr<net::tls_context> make_tls(const settings& opts,
                                           std::string& error);

} // namespace signalbox::app
