#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/messages.hpp"
#include "actors/shard/shard.hpp"
#include "transports/net/http.hpp"

#include <cstddef>
#include <memory>

namespace signalbox {

/// Serves the HTTP API of the ingest listener: turns requests into messages to
/// INGEST and its answers into responses. TRANSPORT is the actor that receives
/// the answers; it lives on the listener's shard and as long as the service.
/// Requests that are not for the API go to `rest`.
std::unique_ptr<net::http_service>
make_api_service(shard& home, ingest_actor ingest, size_t max_body,
                 std::unique_ptr<net::http_service> rest, counters& count);

} // namespace signalbox
