#pragma once

#include "actors/api/wire.hpp"

#include <cstdint>
#include <map>
#include <vector>

namespace signalbox {

/// Which nodes live, as this one sees it, and whether the others see the same.
/// A view is settled when every live node has said, after this node's last
/// change, that it has the same view and has reported its users in it. Pure.
class view_state {
public:
  view_state(uint16_t self, uint64_t incarnation);

  /// A node is linked.
  void up(uint16_t node, uint64_t incarnation);

  /// A node is lost.
  void down(uint16_t node);

  /// Returns the live nodes in ascending order.
  const std::vector<uint16_t>& nodes() const noexcept {
    return nodes_;
  }

  /// Counts the changes.
  uint64_t serial() const noexcept {
    return serial_;
  }

  uint64_t hash() const noexcept {
    return hash_;
  }

  /// This node's users were reported in the view with this number. Returns
  /// whether that is the present one, which all nodes should be told then.
  bool reattached(uint64_t serial);

  /// Takes another node's word. Returns whether it waits for ours.
  bool take(uint16_t node, const wire::view& x);

  /// Returns our word for another node.
  wire::view say(uint16_t node);

  bool settled() const noexcept {
    return settled_;
  }

private:
  struct peer {
    uint64_t incarnation = 0;
    wire::view last;
    /// Its serial that it knows we have seen.
    uint64_t echoed = 0;
  };

  void change();
  void judge();

  uint16_t self_;
  uint64_t incarnation_;
  std::map<uint16_t, peer> peers_;
  std::vector<uint16_t> nodes_;
  uint64_t serial_ = 1;
  uint64_t hash_ = 0;
  bool reattached_ = true;
  bool settled_ = true;
};

} // namespace signalbox
