#pragma once

#include "actors/metrics/exposition.hpp"
#include "transports/net/http.hpp"

#include <functional>
#include <memory>
#include <string>

namespace signalbox {

/// Serves the operations listener: /healthz, /readyz, /metrics, /api/v1/status,
/// /api/v1/clients and /api/v1/cluster. `read` collects the counters for each answer.
std::unique_ptr<net::http_service>
make_operations_service(std::function<all_counters()> read,
                        std::string version);

} // namespace signalbox
