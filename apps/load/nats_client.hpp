#pragma once

#include "apps/load/websocket_client.hpp"

#include <string>
#include <string_view>

// NATS over WebSocket; the protocol runs through the messages as a stream.
//
//   GET with Upgrade -> 101, "INFO {...}"; "CONNECT {...}", "SUB subject 1",
//   "PING" -> "PONG"; then "MSG subject 1 LENGTH" with the bytes behind it

namespace signalbox::load {

/// A subscriber of NATS; without a subject only a publisher.
class nats_client : public websocket_client {
public:
  using websocket_client::websocket_client;

  void start() override;

  /// Sends protocol text as it is.
  void emit(std::string_view packet) override;

protected:
  void on_upgraded() override;

  void on_message(ws::opcode op, std::string_view data) override;

private:
  /// Takes what is complete from the front; returns how much that is.
  size_t take(std::string_view text);

  void take_line(std::string_view line);

  // The part of a line or message that came so far.
  std::string unfinished_;
};

/// Appends the publication of a message.
void append_nats_message(std::string_view subject, std::string_view body,
                         std::string& out);

} // namespace signalbox::load
