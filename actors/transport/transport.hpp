#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"

#include <cstdint>
#include <functional>
#include <utility>

namespace signalbox {

/// What the listener of the API says to TRANSPORT, on its shard.
class transport_side {
public:
  /// Takes what a call is answered with.
  using answer = std::function<void(api_answer&& x)>;

  virtual ~transport_side() = default;

  /// Asks INGEST. `done` is called once, now or later: with its answer, or with
  /// 503 if it is gone or its time is over. `who` is the connection that waits.
  virtual void call(uint64_t who, api_call what, answer done) = 0;

  /// The connection waits no more.
  virtual void forget(uint64_t who) = 0;
};

/// Spawns TRANSPORT, which keeps the HTTP calls that wait for INGEST. A call
/// may take `ingest.timeout`; in a cluster another node's time is added, and so
/// is the longest confirm if the call may have one. It lives as long as its
/// listener.
std::pair<transport_actor, transport_side*>
spawn_transport(shard& home, ingest_actor ingest, const settings& opts,
                counters& count);

} // namespace signalbox
