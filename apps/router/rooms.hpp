#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/credentials.hpp"
#include "actors/api/settings.hpp"
#include "actors/connection/connection.hpp"
#include "actors/membership/gateway.hpp"
#include "actors/membership/membership.hpp"
#include "actors/nsp/nsp.hpp"
#include "actors/relay/relay.hpp"
#include "actors/shard/coordinator.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "actors/transport/session_link.hpp"
#include "actors/transport/transport.hpp"
#include "actors/transport/tunnel_link.hpp"
#include "transports/net/tls.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signalbox::app {

/// The actors of a node: spawns them, hands out what the listeners need of
/// them, and ends them in order.
class rooms {
public:
  /// All arguments outlive the object.
  rooms(const settings& opts, const credentials& keys, counters& count);

  /// Spawns all actors, once; `site_tls` is for calls to the site. `tell` is
  /// called on the first shard if one ends without which the others are of no
  /// use.
  void spawn(caf::actor_system& sys, std::shared_ptr<net::tls_context> site_tls,
             failure tell);

  /// Spawns a TRANSPORT on the control shard.
  std::pair<transport_actor, transport_side*> add_transport();

  /// Returns whether there are other nodes.
  bool clustered() const noexcept {
    return !opts_.cluster.name.empty();
  }

  /// Opens the port for the other nodes and begins to look for them; `drain` is
  /// called when they ask this node to drain. Returns an empty string or what
  /// went wrong. Not for a router by itself.
  std::string join(std::function<void()> drain);

  /// Returns whether all nodes that are linked agree on who lives, and there is
  /// one beside this node if there should be.
  bool joined(net::loop& control) const;

  /// Gives the idempotency keys of this node to the others, which takes at most
  /// `patience`. Nothing is accepted any more.
  void hand_over(net::loop& control, std::chrono::milliseconds patience);

  /// Has posts answered that wait for acks, which come no more.
  void end_confirms();

  /// From now on actors may end.
  void release();

  /// Ends all actors, after a goodbye to the other nodes. `control` is the loop
  /// of the first shard; `settle` returns when every loop has done what it was
  /// given so far.
  void end(net::loop& control, const std::function<void()>& settle);

  /// Forgets the handles, so that the actors can go. After `end`.
  void clear();

  /// Makes a CONNECTION for every session.
  session_link& sessions() noexcept {
    return *link_;
  }

  /// Returns MEMBERSHIP, or null for a router by itself.
  membership_side* membership() const noexcept {
    return membership_.local;
  }

  /// Returns the port for the other nodes, or null.
  const gateway* peers() const noexcept {
    return peers_.get();
  }

  /// Returns the carrier of tunnels, or null for a router by itself.
  tunnel_link* carrier() const noexcept {
    return carrier_.get();
  }

private:
  std::map<std::string, nsp_actor>
  spawn_namespaces(shard& control, const std::vector<shard*>& all);
  void supervise_all();
  void spawn_cluster(caf::actor_system& sys, shard& control,
                     const std::map<std::string, nsp_actor>& nsp_handles);

  const settings& opts_;
  const credentials& keys_;
  counters& count_;
  shard* control_ = nullptr;
  supervisor_ref supervisor_;
  std::unique_ptr<tunnel_link> carrier_;
  connection_context shared_{opts_, keys_, count_, {}, {}, {}, {}, {}, {}};
  membership_ref membership_;
  relay_ref relay_;
  std::unique_ptr<gateway> peers_;
  std::unique_ptr<session_link> link_;
  std::vector<nsp_ref> nsps_;
};

} // namespace signalbox::app
