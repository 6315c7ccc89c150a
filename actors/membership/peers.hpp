#pragma once

#include "actors/api/settings.hpp"
#include "actors/membership/link.hpp"

#include <caf/actor_control_block.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

// What MEMBERSHIP keeps about other nodes.

namespace signalbox {

/// Another node that was linked once.
struct peer {
  std::string address;
  uint64_t incarnation = 0;
  /// The live session; null while the node is lost.
  link* up = nullptr;
  caf::strong_actor_ptr keep;
  link_stream stream;
  /// That of the process before: a late hello of a dead process may have taken
  /// the place of the living one. Its batches wait until then.
  std::unique_ptr<link_stream> former;
  uint64_t former_incarnation = 0;
  session::time_point former_until = 0;
  bool left = false;
  session::time_point lost_at = 0;
  /// How many nodes had been lost then, this one included.
  uint32_t losses = 0;
  uint64_t reconnects = 0;
  /// The version floor that it was told in this session.
  uint64_t told_floor = 0;
  /// Settings that should be alike and are not.
  std::vector<std::string> differs;
};

/// Why a node may not be linked; empty if it may.
struct misfit {
  std::string why;
  /// Its number is taken, and nothing else is wrong.
  bool number = false;
};

/// An address that is dialed until there is a session.
struct target {
  /// The node found there, 0 by `known` if none was.
  bool known = false;
  uint16_t node = 0;
  /// It is dialed also if the node has left: a node that comes again there may
  /// know no other.
  bool seed = false;
  /// This node itself listens there.
  bool self = false;
  bool busy = false;
  session::time_point next = 0;
  int64_t delay = 0;
  /// What went wrong last, reported once.
  std::string trouble;
};

} // namespace signalbox
