#pragma once

#include "apps/load/client.hpp"
#include "apps/load/http.hpp"
#include "transports/codec/ws/frame.hpp"

#include <span>
#include <string>
#include <string_view>

namespace signalbox::load {

/// A client that speaks over a WebSocket: handshake, frames, pings and close.
class websocket_client : public client {
public:
  websocket_client(loop& parent, const client_settings& common,
                   client_observer& observer, uint32_t index,
                   const std::string& cookie);

  void leave() override;

protected:
  void on_bytes(std::span<char> bytes) override;

  void on_end(const std::string& why) override;

  /// Learns that the WebSocket is open.
  virtual void on_upgraded() = 0;

  /// Takes a text or binary message.
  virtual void on_message(ws::opcode op, std::string_view data) = 0;

  /// Sends a GET; with `upgrade` it asks for a WebSocket.
  void send_get(const std::string& target, bool upgrade);

  void send_frame(ws::opcode op, std::string_view payload);

  http_reader& http() noexcept;

private:
  void take_upgrade(std::span<char>& bytes);

  void take_frames(std::span<char> bytes);

  bool upgraded_ = false;
  bool leaving_ = false;
  http_reader http_;
  ws::reader frames_;
};

} // namespace signalbox::load
