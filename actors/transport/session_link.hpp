#pragma once

#include "actors/connection/connection.hpp"
#include "actors/shard/coordinator.hpp"
#include "transports/session/handler.hpp"

#include <memory>
#include <vector>

namespace signalbox {

/// Makes a CONNECTION for every session and turns what happens on the session
/// into messages to it.
class session_link : public session::acceptor {
public:
  /// `shards` in the order of their loops; both outlive the link.
  session_link(std::vector<shard*> shards, const connection_context& shared)
    : shards_(std::move(shards)), shared_(shared) {
    // nop
  }

  std::unique_ptr<session::handler>
  on_open(session::port& out, std::shared_ptr<const session::handshake> from,
          size_t index) override;

private:
  std::vector<shard*> shards_;
  const connection_context& shared_;
};

} // namespace signalbox
