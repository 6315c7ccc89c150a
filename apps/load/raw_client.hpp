#pragma once

#include "apps/load/websocket_client.hpp"

#include <string_view>

namespace signalbox::load {

/// A client to which each WebSocket message is one bare message.
class raw_client : public websocket_client {
public:
  using websocket_client::websocket_client;

  void start() override;

  void emit(std::string_view packet) override;

protected:
  void on_upgraded() override;

  void on_message(ws::opcode op, std::string_view data) override;
};

} // namespace signalbox::load
