#pragma once

#include "actors/api/cluster_info.hpp"
#include "actors/api/counters.hpp"
#include "transports/net/client_census.hpp"
#include "transports/net/engine_options.hpp"
#include "transports/net/memory_counters.hpp"
#include "transports/net/peer_port.hpp"
#include "transports/net/server.hpp"
#include "transports/net/tunnel.hpp"
#include "transports/session/session_core.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox {

/// Until when a certificate in use holds.
struct certificate_end {
  /// The setting that names it.
  std::string setting;
  /// Seconds since 1970.
  int64_t until = 0;
};

/// Everything that is counted anywhere in the process.
struct all_counters {
  const counters& actors;
  const net::net_counters& net;
  const net::engine_counters& engine;
  const session::counters& sessions;
  const net::client_census& clients;
  const net::memory_counters& memory;
  /// Connections the process may have at a time.
  size_t max_connections = 0;
  bool ready = false;
  bool draining = false;
  /// Nothing for a router by itself.
  std::optional<cluster_info> cluster;
  /// Null for a router by itself.
  const net::tunnel_counters* tunnels = nullptr;
  const net::peer_port_counters* peer_port = nullptr;
  std::vector<certificate_end> certificates = {};
  /// Why the router is not ready though it neither starts nor drains.
  std::string trouble = {};
};

/// Returns the Prometheus text exposition (format 0.0.4). Labels come from
/// fixed sets only.
std::string render_metrics(const all_counters& x);

/// Returns the JSON array of /api/v1/clients: which generations of clients
/// came, over which transports and from which pages.
std::string render_clients(const net::client_census& x);

/// Returns the JSON object of /api/v1/cluster.
std::string render_cluster(const cluster_info& x);

/// Returns the JSON object of /api/v1/status.
std::string render_status(const all_counters& x, double uptime_seconds,
                          const std::string& version);

} // namespace signalbox
