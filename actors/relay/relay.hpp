#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/mesh.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"

#include <functional>
#include <map>
#include <string>

namespace signalbox {

/// RELAY under the names by which its partners know it.
struct relay_ref {
  /// For INGEST, in the place of USERS and of every NSP.
  users_actor users;
  relay_actor events;
  /// For USERS, the NSPs and CONNECTIONs, in the place of INGEST.
  ingest_actor ingest;
  /// For MEMBERSHIP.
  caf::actor self;
};

/// Spawns RELAY, which takes INGEST's events to the nodes where they belong
/// and puts their answers together. A private event goes to the nodes that hold
/// the user, as the user's home says; while the view is not settled, to all. A
/// broadcast crosses to each node once. It keeps the events of each namespace
/// in the order of acceptance: a later one waits until the home has
/// answered, and in a sequenced namespace one node sends for all. It lives as
/// long as the node; a lost node that owes an answer is named as unreachable.
relay_ref spawn_relay(shard& home, const settings& opts, mesh& others,
                      users_actor users, std::map<std::string, nsp_actor> nsps,
                      counters& count);

/// Tells RELAY the INGEST that it answers; before any event comes.
void set_ingest(const relay_ref& x, ingest_actor ingest);

/// This node is about to leave, and accepts nothing any more: when the events
/// under way are answered, the other nodes get its idempotency keys. Calls
/// `done` when they have them. On RELAY's shard.
void leave(const relay_ref& x, std::function<void()> done);

} // namespace signalbox
