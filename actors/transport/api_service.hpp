#pragma once

#include "actors/transport/transport.hpp"
#include "transports/net/http.hpp"

#include <cstddef>
#include <memory>
#include <utility>

namespace signalbox {

/// Serves the HTTP API of the ingest listener: turns requests into calls of
/// TRANSPORT and its answers into responses. Ends TRANSPORT, which lives on the
/// listener's shard, with itself. Requests that are not for the API go to
/// `rest`.
std::unique_ptr<net::http_service>
make_api_service(std::pair<transport_actor, transport_side*> to,
                 size_t max_body, std::unique_ptr<net::http_service> rest);

} // namespace signalbox
