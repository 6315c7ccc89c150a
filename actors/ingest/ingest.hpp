#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/credentials.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"

#include <map>
#include <string>

namespace signalbox {

/// Spawns INGEST, the way in for the site's posts. It checks the poster's
/// key and rights, gives each event its id and sequence number, decides by the
/// rules on its receivers, and answers when they are known. It keeps the calls
/// and confirms under way and the idempotency tables; it lives as long as the
/// node. `users` is USERS, or RELAY in a cluster; `relay` is RELAY then, else
/// null. `id_prefix` makes event ids unique over restarts.
ingest_actor spawn_ingest(shard& home, const settings& opts,
                          const credentials& keys, users_actor users,
                          std::map<std::string, nsp_actor> nsps,
                          relay_actor relay, std::string id_prefix,
                          counters& count);

} // namespace signalbox
