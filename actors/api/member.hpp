#pragma once

#include "transports/codec/encoded.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// What actors pinned to one shard say to each other without a message. Both
// sides live on that shard's thread.

namespace signalbox {

/// A connection's place in a namespace, as the hub sees it.
class member {
public:
  virtual ~member() = default;

  /// Queues an event towards the client. Returns false if it was dropped.
  virtual bool deliver(const codec::shared_event& event, bool volatile_) = 0;

  /// Returns whether it joined before so many nodes had been lost.
  virtual bool joined_before(uint32_t losses) const noexcept {
    return losses > 0;
  }

  /// The namespace's actor is gone.
  virtual void namespace_down() = 0;

  /// Kept by the hub: position among its members, and rooms.
  size_t position = 0;
  std::vector<std::string> rooms;
};

/// The part of a namespace on one shard.
class hub {
public:
  virtual ~hub() = default;

  virtual bool open() const noexcept = 0;
  virtual void join(member& x) = 0;
  virtual void leave(member& x) = 0;

  /// Returns false if the member has as many rooms as it may have.
  virtual bool join_room(member& x, const std::string& room) = 0;
  virtual void leave_room(member& x, const std::string& room) = 0;
};

} // namespace signalbox
