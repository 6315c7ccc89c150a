#pragma once

#include "actors/api/cluster_settings.hpp"
#include "actors/api/messages.hpp"
#include "actors/shard/shard.hpp"

#include <string>

namespace signalbox {

/// Connects to the node that listens at `address` and answers with `dialed`.
/// Whether anybody listens is found out first: CAF connects with a thread that
/// all dials share, and a host that swallows packets would hold it for
/// minutes. On the shard's thread.
void dial_node(shard& home, const cluster_settings& opts,
               const std::string& address, const membership_actor& asker);

} // namespace signalbox
