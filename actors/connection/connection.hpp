#pragma once

#include "actors/api/connect_report.hpp"
#include "actors/api/counters.hpp"
#include "actors/api/credentials.hpp"
#include "actors/api/member.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/settings.hpp"
#include "actors/shard/shard.hpp"
#include "transports/session/handler.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace signalbox {

/// What a connection needs to know of a namespace.
struct connection_nsp {
  namespace_settings opts;
  /// The hubs of the namespace, one per shard.
  std::vector<hub*> hubs;
};

/// What all connections share. Outlives them.
struct connection_context {
  const settings& opts;
  const credentials& keys;
  counters& count;
  users_actor users;
  site_auth_actor site_auth;
  ingest_actor ingest;
  /// The actor that is told of acks: INGEST, or RELAY in a cluster.
  ingest_actor acks;
  std::map<std::string, connection_nsp, std::less<>> namespaces;
  /// Makes the public id of a connection in a namespace.
  std::function<std::string()> make_id;
  /// Is told what became of each CONNECT, unless the site said it.
  std::shared_ptr<connect_report> decisions =
    std::make_shared<connect_report>();
};

/// What the session itself says to its CONNECTION, without a message.
class session_side {
public:
  virtual ~session_side() = default;

  /// The client sent a packet.
  virtual void on_packet(socket::packet&& packet) = 0;

  /// Returns whether it may send more; see `session::handler::ready`.
  virtual bool ready() const noexcept = 0;

  /// The session's port must not be used any more; `session_closed` follows.
  virtual void session_gone() = 0;
};

/// Spawns the CONNECTION of one session on the session's shard. It keeps
/// the client's user in each namespace, its questions and events under way,
/// and its rights. While as many packets as `limits.inbox-packets` and
/// `limits.inbox-bytes` allow are not handled, the session takes no more. It
/// ends with its session, when the site has had the events that came before; if
/// it ends otherwise, it closes it.
std::pair<connection_actor, session_side*>
spawn_connection(shard& home, const connection_context& shared,
                 session::port& out,
                 std::shared_ptr<const session::handshake> from);

} // namespace signalbox
