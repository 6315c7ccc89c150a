#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/mesh.hpp"
#include "actors/shard/shard.hpp"
#include "transports/net/tunnel.hpp"

#include <caf/actor.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>

namespace signalbox {

/// Carries tunnels between nodes: TUNNELS, an actor on the control shard, puts
/// their frames on the links and hands on those that come. Outlives the
/// tunnels.
class tunnel_link : public net::tunnel_carrier {
public:
  tunnel_link(shard& control, counters& count);
  ~tunnel_link() override;

  /// Begins to carry; both outlive `stop`.
  void start(mesh& others, net::tunnels& to);

  /// Ends TUNNELS. Frames sent from then on are lost.
  void stop();

  /// Returns TUNNELS, for MEMBERSHIP.
  const caf::actor& actor() const noexcept {
    return actor_;
  }

  // -- net::tunnel_carrier ----------------------------------------------------

  bool reaches(uint16_t node) const override;
  bool send(uint16_t node, net::tunnel_frame&& x) override;

  // -- for TUNNELS ------------------------------------------------------------

  /// Returns the nodes that are no longer among `live`.
  std::set<uint16_t> replace(std::set<uint16_t> live);

private:
  mutable std::mutex mutex_;
  std::set<uint16_t> live_;
  caf::actor actor_;
};

} // namespace signalbox
