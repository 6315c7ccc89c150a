#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/member.hpp"
#include "actors/api/messages.hpp"
#include "actors/shard/shard.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signalbox {

/// The part of a namespace on one shard: the actor, and its face for actors
/// that live there too.
struct hub_ref {
  hub_actor handle;
  hub* local = nullptr;
};

/// A namespace with its hubs, one per shard.
struct nsp_ref {
  nsp_actor handle;
  std::vector<hub_ref> hubs;
};

/// Spawns the NSP of one namespace on `home` and a hub on each of `shards`.
/// The NSP numbers nothing and keeps no members itself; it passes every event
/// on to each hub once, in the order of arrival, and adds up their answers for
/// `reply_to`, set with `set_ingest` before any event comes. When the NSP
/// ends, so do its hubs, and a hub that ends tells its members.
nsp_ref spawn_nsp(shard& home, const std::vector<shard*>& shards,
                  std::string name, counters& count, size_t max_rooms);

/// Tells an NSP the actor that its answers go to.
void set_ingest(const nsp_ref& nsp, ingest_actor ingest);

} // namespace signalbox
