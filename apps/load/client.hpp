#pragma once

#include "apps/load/http.hpp"
#include "apps/load/loop.hpp"
#include "transports/codec/dialect.hpp"
#include "transports/codec/ws/frame.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

class client;

/// What a client tells the run.
class client_observer {
public:
  virtual ~client_observer();

  /// The namespace let the client in.
  virtual void on_connected(client& who) = 0;

  /// An event or ack arrived; `text` is its Socket.IO packet.
  virtual void on_packet(client& who, std::string_view text) = 0;

  /// The client is gone, and why; nothing follows.
  virtual void on_failed(client& who, const std::string& why) = 0;

  /// Posts what a polling client has to say while its GET waits.
  virtual void post_aside(const std::string& target, std::string_view fields,
                          std::string_view body) = 0;
};

/// What all clients have in common.
struct client_settings {
  endpoint where;
  std::string path;
  std::string nsp;
  bool polling = false;
  /// What clients speak; they take turns.
  std::vector<codec::dialect> dialects{codec::dialect::eio4};
};

/// A client; lives as long as its loop runs.
class client : public tcp_connection {
public:
  /// `cookie` and `auth` may be empty.
  client(loop& parent, const client_settings& common, client_observer& observer,
         uint32_t index, std::string cookie, std::string auth);

  /// Connects.
  void start();

  /// Sends the text of a Socket.IO packet.
  void emit(std::string_view packet);

  /// Returns the index from 0.
  uint32_t index() const noexcept;

protected:
  void on_bytes(std::span<char> bytes) override;

  void on_end(const std::string& why) override;

private:
  enum class stage : uint8_t {
    greeting,
    upgrading,
    opening,
    joining,
    joined,
    ended,
  };

  enum class exchange : uint8_t { none, get, post };

  void fail(const std::string& why);

  void send_get(bool upgrade);

  // -- WebSocket --------------------------------------------------------------

  void take_greeting(std::span<char>& bytes);

  void take_upgrade(std::span<char>& bytes);

  void take_frames(std::span<char> bytes);

  void send_frame(ws::opcode op, std::string_view payload);

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

  const client_settings& common_;
  client_observer& observer_;
  uint32_t index_;
  codec::dialect speaks_;
  stage stage_ = stage::upgrading;
  exchange exchange_ = exchange::none;
  // Header lines that each request carries.
  std::string fields_;
  std::string auth_;
  std::string sid_;
  // Packets of a polling client that wait for the next POST.
  std::string outbox_;
  http_reader http_;
  ws::reader frames_;
};

} // namespace signalbox::load
