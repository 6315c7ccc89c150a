#pragma once

#include "apps/load/websocket_client.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

// One Socket.IO client: of Engine.IO 4, or over WebSocket one of an older
// generation.
//
//   WebSocket   GET with Upgrade -> 101, "0{...}" -> "40" -> "40{...}", events
//   eio3        GET with Upgrade -> 101, "0{...}", "40", events
//   v09         GET -> session id; GET with Upgrade -> 101, "1::", events
//   polling     GET -> "0{...}"; POST "40"; GET -> "40{...}"; a GET waits all
//               the time. What there is to say goes out between two GETs, or,
//               while one waits, over the connections that all clients share.

namespace signalbox::load {

/// A client of any generation of Socket.IO.
class socket_io_client : public websocket_client {
public:
  /// `cookie` and `auth` may be empty.
  socket_io_client(loop& parent, const client_settings& common,
                   client_observer& observer, uint32_t index,
                   const std::string& cookie, std::string auth);

  void start() override;

  /// Sends the text of a Socket.IO packet.
  void emit(std::string_view packet) override;

protected:
  void on_bytes(std::span<char> bytes) override;

  void on_upgraded() override;

  void on_message(ws::opcode op, std::string_view data) override;

private:
  enum class stage : uint8_t {
    greeting,
    upgrading,
    opening,
    joining,
    joined,
  };

  enum class exchange : uint8_t { none, get, post };

  void take_greeting(std::span<char>& bytes);

  // -- polling ----------------------------------------------------------------

  void take_answer(const http_answer& answer);

  void take_payload(std::string_view payload);

  void next_exchange();

  std::string target() const;

  // -- both -------------------------------------------------------------------

  void take_packet(std::string_view packet);

  void take_message(std::string_view text);

  void take_old(std::string_view packet);

  void join();

  void say(std::string_view packet);

  const std::string& nsp_;
  codec::dialect speaks_;
  stage stage_ = stage::upgrading;
  exchange exchange_ = exchange::none;
  std::string auth_;
  std::string sid_;
  // Packets of a polling client that wait for the next POST.
  std::string outbox_;
};

} // namespace signalbox::load
