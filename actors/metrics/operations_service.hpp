#pragma once

#include "actors/metrics/exposition.hpp"
#include "transports/net/http.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace signalbox {

/// What an operator may do to the cluster; both null for a router by itself.
struct cluster_actions {
  /// Has this node drain and end.
  std::function<void()> leave;
  /// Has a node close its sessions. Returns false for one that is not live.
  std::function<bool(uint16_t node)> drain;
};

/// Serves the operations listener: /healthz, /readyz, /metrics, /api/v1/status,
/// /api/v1/clients and /api/v1/cluster, and takes POST /api/v1/cluster/leave
/// and /api/v1/cluster/drain/NODE, though from no page in a browser. `read`
/// collects the counters for each answer. `ingest` returns the address of the
/// listener for events, for the answer to a post that comes here.
std::unique_ptr<net::http_service>
make_operations_service(std::function<all_counters()> read, std::string version,
                        std::function<std::string()> ingest,
                        cluster_actions actions);

} // namespace signalbox
