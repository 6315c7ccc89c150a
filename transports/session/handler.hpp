#pragma once

#include "transports/codec/encoded.hpp"
#include "transports/codec/socket/packet.hpp"
#include "transports/session/close_reason.hpp"
#include "transports/session/handshake.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

// The seam between transports and the actors. Both sides of a session
// live on one thread; every call happens there.

namespace signalbox::session {

/// Lets the owner of a session talk back to its client.
class port {
public:
  virtual ~port() = default;

  /// Queues an event that many may share; with `ack_id` the client is asked to
  /// acknowledge. `volatile_` drops it unless it can leave now. Returns false
  /// if it was dropped or the session has ended.
  virtual bool send(const codec::shared_event& event,
                    std::optional<uint64_t> ack_id, bool volatile_) = 0;

  /// Queues a packet for this client alone.
  virtual void send(const socket::packet& packet) = 0;

  /// Ends the session after the queued packets have left, or at once if the
  /// reason is that the client does not read. `on_close` follows within the
  /// call.
  virtual void close(close_reason why) = 0;

  /// Says that the handler is ready again; see there. Packets follow later, not
  /// within the call.
  virtual void resume() = 0;

  /// Returns the name of its transport, such as "polling"; it lives forever.
  virtual std::string_view transport() const noexcept = 0;

  /// Returns the first characters of the session id, for logs.
  virtual std::string_view label() const noexcept = 0;
};

/// Receives what happens on one session.
class handler {
public:
  virtual ~handler() = default;

  /// Called for every complete Socket.IO packet. May send to the session and
  /// close it within the call.
  virtual void on_packet(socket::packet&& packet) = 0;

  /// Returns whether more of the client may be handed up. If not, the session
  /// takes nothing more of its client until `port::resume`, apart from the rest
  /// of a message that has begun: its bytes stay in the socket, or the answer
  /// to its POST is held.
  virtual bool ready() const noexcept {
    return true;
  }

  /// Called when the session has moved from polling to a WebSocket.
  virtual void on_upgrade() = 0;

  /// Called once; no call follows.
  virtual void on_close(close_reason why) = 0;
};

/// Makes the handler of a new session.
class acceptor {
public:
  virtual ~acceptor() = default;

  /// Called on the session's thread; `out` outlives the handler. `shard` is
  /// the index of that thread.
  virtual std::unique_ptr<handler>
  on_open(port& out, std::shared_ptr<const handshake> from, size_t shard) = 0;
};

} // namespace signalbox::session
