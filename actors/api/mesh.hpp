#pragma once

#include "actors/api/wire_format.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// The other nodes as the rooms on the control shard see them; implemented by
/// MEMBERSHIP. On that shard's thread only.
class mesh {
public:
  virtual ~mesh() = default;

  /// Returns the number of this node.
  virtual uint16_t self() const noexcept = 0;

  /// Returns the nodes that live, this one included, in ascending order.
  virtual const std::vector<uint16_t>& nodes() const noexcept = 0;

  /// Returns the nodes that were lost and not forgotten yet.
  virtual std::vector<uint16_t> lost() const = 0;

  /// Returns the home of a user's record among the live nodes.
  virtual uint16_t home(std::string_view user) const = 0;

  /// Returns a hash of the live nodes.
  virtual uint64_t view() const noexcept = 0;

  /// Returns whether all live nodes share this view and every record is
  /// complete. Until then private events go to all nodes.
  virtual bool settled() const noexcept = 0;

  /// Returns the number of the session with a node, 0 if it is not live.
  virtual uint64_t session(uint16_t node) const = 0;

  /// Returns what names the process that a node, this one included, is, or was
  /// when it was lost; it has another name each time it starts, and no two have
  /// the same. 0 for a node that never was.
  virtual uint64_t process(uint16_t node) const = 0;

  /// Counts the nodes that were lost so far, each time. What arrives late,
  /// after its sender was lost, is not for connections that have come since
  /// then: they may have received it elsewhere.
  virtual uint32_t losses() const noexcept = 0;

  /// Says that this node's users have been reported to their homes in the view
  /// with this number (see `view_changed`).
  virtual void reattached(uint64_t serial) = 0;

  /// Returns a number above every version that a record had elsewhere, as far
  /// as any node with which this one speaks knows.
  virtual uint64_t version_floor() = 0;

  /// Raises the floor above every version that was given here, and by nodes
  /// that are gone. Items sent to a node from now on come behind the
  /// news of it.
  virtual void raise_version_floor() = 0;

  /// Sends an item to a live node. Returns the number of the batch it is in,
  /// which `batches_acked` will name; 0 if the node is not live.
  template <class T>
  uint64_t send(uint16_t node, const T& x) {
    auto* out = begin(node);
    if (out == nullptr)
      return 0;
    wire::append(*out, x);
    return end(node);
  }

protected:
  /// Returns where the item is to be appended, null if the node is not live.
  virtual std::string* begin(uint16_t node) = 0;

  /// An item was appended. Returns the number of its batch.
  virtual uint64_t end(uint16_t node) = 0;
};

} // namespace signalbox
