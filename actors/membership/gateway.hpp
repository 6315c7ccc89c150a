#pragma once

#include "actors/api/cluster_settings.hpp"
#include "actors/api/messages.hpp"
#include "transports/net/peer_port.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/fwd.hpp>
#include <caf/node_id.hpp>

#include <memory>
#include <string>

namespace signalbox {

/// The way between CAF's broker for other nodes (BASP) and the network: each
/// connection of the port becomes one of the broker's, all on the first shard.
/// CAF's own sockets and TLS are not used, see docs/decisions/0009.
class gateway {
public:
  /// Loads CAF's middleman into the configuration of an actor system.
  static void configure(caf::actor_system_config& to,
                        const cluster_settings& opts);

  gateway(caf::actor_system& sys, const cluster_settings& opts);
  ~gateway();

  /// Opens the port; nodes that connect speak to `gate`. Returns an empty
  /// string or what went wrong.
  std::string listen(const caf::actor& gate);

  /// Returns the address really bound.
  const std::string& address() const noexcept {
    return address_;
  }

  /// Returns CAF's broker, which carries the links.
  const caf::actor& broker() const noexcept {
    return basp_;
  }

  /// Connects to the node at `address` and answers `asker` with `dialed`.
  void dial(const std::string& address, const membership_actor& asker);

  /// Ends all connections, and later everything on the first loop; before the
  /// end of this object.
  void close();

  /// Cuts the connection to a process, which CAF would still take for good.
  void cut(const caf::node_id& process);

  const net::peer_port_counters& counters() const noexcept {
    return port_->counters();
  }

private:
  caf::io::scribe_ptr adopt(std::shared_ptr<net::channel> x);

  caf::actor_system& sys_;
  const cluster_settings& opts_;
  caf::actor basp_;
  std::string address_;
  std::unique_ptr<net::peer_port> port_;
};

} // namespace signalbox
