#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// Returns the node that keeps what `key` names: the one whose hash together
/// with the key is highest (rendezvous hashing), so that a node that comes or
/// goes moves only its own share. `nodes` is not empty. The same on every node
/// and in every version.
uint16_t ring_home(std::string_view key, const std::vector<uint16_t>& nodes);

/// Returns a text of 32 characters that names `key`, the same everywhere.
std::string stable_id(std::string_view key);

} // namespace signalbox
