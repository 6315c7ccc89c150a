#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"

#include <map>
#include <string>
#include <vector>

namespace signalbox {

/// What USERS needs to know of a namespace: its actor, and its hubs, whose
/// members attach again when a record is lost.
struct users_nsp {
  nsp_actor nsp;
  std::vector<hub_actor> hubs;
};

/// Spawns USERS, which finds or makes the PRESENCE of a user and answers for
/// all of them. It keeps the records by user, and which connection id belongs
/// to whom; it lives as long as the node. A record that is lost unexpectedly
/// is rebuilt from the user's connections.
users_actor spawn_users(shard& home, std::map<std::string, users_nsp> nsps,
                        const presence_settings& opts, counters& count);

/// Tells USERS who asks for its answers; before any question comes.
void set_ingest(const users_actor& users, ingest_actor ingest);

/// Returns the record of a user, null if there is none. On USERS' shard only.
presence_actor find_record(const users_actor& users, const std::string& user);

} // namespace signalbox
