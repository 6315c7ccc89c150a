#pragma once

#include "actors/api/ring.hpp"
#include "actors/api/wire.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace signalbox {

/// Returns the name of an idempotency key in the ring.
inline std::string ring_name(const std::string& credential,
                             const std::string& key) {
  return "key:" + credential + '\n' + key;
}

/// How idempotency keys are given to their new owners when nodes come or go: a
/// walk over all that this node knows, some at a time, where the next wait
/// until the other nodes have the last. Part of RELAY.
struct key_walk {
  /// Nodes, and what names their processes.
  using view = std::map<uint16_t, uint64_t>;

  /// Returns who gets a key from this node, if anybody: who owns it now and did
  /// not in the view of before. The former owner gives it away, and if that is
  /// gone, the node that accepted the event.
  std::optional<uint16_t> heir(uint16_t self, const wire::held_key& x) const {
    auto name = ring_name(x.credential, x.key);
    auto owner = ring_home(name, nodes);
    auto former = ring_home(name, last_nodes);
    auto stays = [this](uint16_t node) {
      auto i = to.find(node);
      return i != to.end() && i->second == from.at(node);
    };
    if (owner == self || (owner == former && stays(former)))
      return {};
    if (former == self || (!stays(former) && x.at == self))
      return owner;
    return {};
  }

  /// Returns whether it goes on.
  bool busy() const noexcept {
    return under_way || done;
  }

  /// Names it; what belongs to an earlier one is void.
  uint64_t number = 0;
  bool under_way = false;
  /// The view that the keys of this node were given out in, and that of now, of
  /// which this node is no part if it leaves.
  view from;
  view to;
  std::vector<uint16_t> last_nodes;
  std::vector<uint16_t> nodes;
  /// Where to go on.
  uint64_t credential = 0;
  uint64_t position = 0;
  bool last = false;
  /// Batches by node that have not arrived. When these, or the next keys, take
  /// too long.
  std::map<uint16_t, std::set<uint64_t>> outstanding;
  int64_t until = 0;
  /// This node leaves, and is to call this; and until when it waits for the
  /// events under way.
  std::function<void()> done;
  int64_t leave_by = 0;
};

} // namespace signalbox
