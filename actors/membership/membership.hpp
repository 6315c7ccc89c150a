#pragma once

#include "actors/api/cluster_info.hpp"
#include "actors/api/counters.hpp"
#include "actors/api/mesh.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace signalbox {

/// Who is told what other nodes send, on the control shard.
struct mesh_rooms {
  /// Takes the items of USERS.
  caf::actor users;
  /// Takes the items of RELAY.
  caf::actor relay;
  /// Takes `wire::tunnel`.
  caf::actor tunnels;
};

/// The face of MEMBERSHIP for those who live on its shard.
class membership_side : public mesh {
public:
  /// Returns the state of the cluster.
  virtual cluster_info info() const = 0;

  /// Tells the others that this node leaves in good order.
  virtual void leave() = 0;
};

/// A MEMBERSHIP.
struct membership_ref {
  membership_actor handle;
  membership_side* local = nullptr;
};

/// Spawns MEMBERSHIP, which keeps the links to all other nodes: it dials the
/// seeds and whoever they know, again and again while they are lost, takes
/// those who dial, refuses whoever does not belong, and says who lives. It
/// lives as long as the node.
membership_ref spawn_membership(shard& home, const settings& opts,
                                counters& count);

/// Tells MEMBERSHIP its rooms and where it is reached, and lets it begin.
void start_membership(const membership_ref& x, mesh_rooms rooms,
                      std::string address);

/// Loads what MEMBERSHIP needs into the configuration of an actor system.
void configure_membership(caf::actor_system_config& to,
                          const cluster_settings& opts);

/// Opens the port for other nodes. Returns an empty string or what went wrong;
/// `address` is then the one really bound.
std::string publish_membership(const membership_ref& x,
                               const cluster_settings& opts,
                               std::string& address);

} // namespace signalbox
