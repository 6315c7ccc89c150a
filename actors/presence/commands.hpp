#pragma once

#include "actors/api/messages.hpp"
#include "actors/presence/records.hpp"
#include "actors/presence/seats.hpp"

namespace signalbox {

/// Carries out a command on the connections and records of this node, within
/// the scope of the asker's key. Part of USERS.
user_info run(const user_command& x, const seats& here, records& homes);

} // namespace signalbox
