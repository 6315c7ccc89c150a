#pragma once

#include "transports/net/loop.hpp"
#include "transports/session/handler.hpp"

#include <memory>
#include <vector>

namespace signalbox::conformance {

/// Sends every Engine.IO message back as it came; for sessions that are `raw`.
class engine_echo : public session::acceptor {
public:
  std::unique_ptr<session::handler>
  on_open(session::port& out, std::shared_ptr<const session::handshake> from,
          size_t shard) override;
};

/// The application that the official Socket.IO suite asks for. In namespaces
/// `/` and `/custom` it emits `auth` with the payload of the CONNECT, answers
/// `message` with `message-back` and acknowledges `message-with-ack`, each with
/// the arguments that came.
class socket_echo : public session::acceptor {
public:
  /// A transport that has joined no namespace after `timeout` milliseconds is
  /// closed. The loops are in the order of their shards and outlive the echo.
  socket_echo(std::vector<net::loop*> loops, session::time_point timeout)
    : loops_(std::move(loops)), timeout_(timeout) {
    // nop
  }

  std::unique_ptr<session::handler>
  on_open(session::port& out, std::shared_ptr<const session::handshake> from,
          size_t shard) override;

private:
  std::vector<net::loop*> loops_;
  session::time_point timeout_;
};

} // namespace signalbox::conformance
