#pragma once

#include "actors/api/cluster_info.hpp"
#include "actors/api/counters.hpp"
#include "actors/api/mesh.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/api/wire_link.hpp"
#include "actors/shard/shard.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace signalbox {

/// The takers of other nodes' items, on the control shard.
struct mesh_rooms {
  /// Takes the items of USERS.
  caf::actor users;
  /// Takes the items of RELAY.
  caf::actor relay;
  /// Takes `wire::tunnel`.
  caf::actor tunnels;
  /// Closes the sessions of this node.
  std::function<void()> drain;
};

/// The face of MEMBERSHIP for actors on its shard.
class membership_side : public mesh {
public:
  /// Returns the state of the cluster.
  virtual cluster_info info() const = 0;

  /// Tells the others that this node leaves in good order.
  virtual void leave() = 0;

  /// Has a node close its sessions. Returns false if it is not live.
  virtual bool drain(uint16_t node) = 0;
};

/// A MEMBERSHIP.
struct membership_ref {
  membership_actor handle;
  membership_side* local = nullptr;
};

/// Connects to the node at an address and answers MEMBERSHIP with `dialed`.
using dial_function =
  std::function<void(const std::string& address, const membership_actor& to)>;

/// Cuts the connection to a process.
using cut_function = std::function<void(const caf::node_id& process)>;

/// Where MEMBERSHIP takes random numbers, which are not 0, and the time of day,
/// in seconds, from; a simulation has its own.
struct chance {
  std::function<uint64_t()> draw;
  std::function<uint64_t()> seconds;
};

/// Returns the system's.
chance real_chance();

/// Spawns MEMBERSHIP, which keeps the links to all other nodes: it dials the
/// seeds and the nodes that they know, again and again while they are dead,
/// takes nodes that dial, refuses those that do not belong, and says which
/// nodes live. It lives as long as this node.
membership_ref spawn_membership(shard& home, const settings& opts,
                                counters& count, dial_function dial,
                                chance from = real_chance(),
                                cut_function cut = {});

/// Tells MEMBERSHIP its rooms, where it is reached, and what other nodes must
/// have alike (see `fingerprints`), and lets it begin.
void start_membership(const membership_ref& x, mesh_rooms rooms,
                      std::string address,
                      std::vector<wire::fingerprint> alike = {});

} // namespace signalbox
