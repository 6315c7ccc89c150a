#pragma once

#include "actors/api/wire.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>

#include <cstdint>
#include <string>
#include <vector>

// Messages about other nodes, within this one.

namespace signalbox {

/// The set of live nodes has changed.
struct view_changed {
  /// Counts the changes.
  uint64_t serial = 0;
  /// This node included, in ascending order.
  std::vector<uint16_t> nodes;
};

/// The batches to a node up to this number have arrived there.
struct batches_acked {
  uint16_t node = 0;
  uint64_t number = 0;
};

/// A piece of a tunnel on its way to a node.
struct tunnel_out {
  uint16_t node = 0;
  wire::tunnel frame;
};

/// A node listens at an address, or why none can be reached.
struct dialed {
  std::string address;
  caf::strong_actor_ptr gate;
  std::string error;
};

} // namespace signalbox

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::view_changed)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::batches_acked)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::tunnel_out)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(signalbox::dialed)
