#pragma once

#include "actors/nsp/nsp.hpp"

namespace signalbox {

/// Spawns a hub. It keeps the members of one namespace on one shard and their
/// rooms, delivers to them in one loop, and ends with its NSP, telling every
/// member.
hub_ref spawn_hub(shard& home, std::string name, counters& count,
                  size_t max_rooms);

/// Tells a hub the NSP that adds up its answers.
void set_nsp(const hub_ref& hub, nsp_actor nsp);

} // namespace signalbox
