#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/mesh.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"

#include <map>
#include <string>

namespace signalbox {

/// Spawns USERS, which knows the connections of this node and, as the home of
/// some users, spawns and asks their PRESENCE records, wherever in the cluster
/// the connections are. It reports each user's connections to the user's home,
/// again whenever that is another node, and lives as long as the node.
users_actor spawn_users(shard& home, std::map<std::string, nsp_actor> nsps,
                        const presence_settings& opts, counters& count);

/// Tells USERS where its answers go: to INGEST, or RELAY in a cluster; before
/// any question comes.
void set_ingest(const users_actor& users, ingest_actor ingest);

/// Tells USERS of the other nodes; before any connection comes. `relay` takes
/// `wire::located`. `others` lives as long as the shard's actors.
void set_mesh(const users_actor& users, mesh& others, caf::actor relay);

/// Returns the record of a user, null if there is none. On USERS' shard only.
presence_actor find_record(const users_actor& users, const std::string& user);

} // namespace signalbox
