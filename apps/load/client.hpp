#pragma once

#include "apps/load/loop.hpp"
#include "transports/codec/dialect.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// What the clients of all protocols have in common.

namespace signalbox::load {

class client;

/// What clients speak.
enum class protocol : uint8_t {
  /// Socket.IO over WebSocket or long-polling.
  socket_io,
  /// Bare messages over WebSocket.
  websocket,
  /// Bare messages, each the answer to a GET that waited for it.
  long_poll,
  /// NATS over WebSocket.
  nats,
};

/// What a client tells the run.
class client_observer {
public:
  virtual ~client_observer();

  /// The server let the client in.
  virtual void on_connected(client& who) = 0;

  /// An event or ack arrived; `text` is its Socket.IO packet.
  virtual void on_packet(client& who, std::string_view text) = 0;

  /// A bare message arrived.
  virtual void on_body(client& who, std::string_view text) = 0;

  /// The client has left, as it was told to; nothing follows.
  virtual void on_left(client& who) = 0;

  /// The client is gone, and why; nothing follows.
  virtual void on_failed(client& who, const std::string& why) = 0;

  /// Posts what a polling client has to say while its GET waits.
  virtual void post_aside(const std::string& target, std::string_view fields,
                          std::string_view body) = 0;
};

/// What many clients have in common.
struct client_settings {
  protocol speaks = protocol::socket_io;
  endpoint where;
  /// Path of the server; `%d` is the client's index.
  std::string path;
  /// Namespaces; clients take turns.
  std::vector<std::string> namespaces{"/"};
  bool polling = false;
  /// Generations of Socket.IO; clients take turns.
  std::vector<codec::dialect> dialects{codec::dialect::eio4};
  /// Subject of NATS; `%d` is the client's index.
  std::string subject;
};

/// A client; lives as long as its loop runs, or until the loop has handed out
/// all events of the turn in which it ended.
class client : public tcp_connection {
public:
  /// `cookie` may be empty.
  client(loop& parent, const client_settings& common, client_observer& observer,
         uint32_t index, const std::string& cookie);

  /// Connects.
  virtual void start() = 0;

  /// Sends the text of a packet.
  virtual void emit(std::string_view packet) = 0;

  /// Says farewell, if the protocol has one, and closes.
  virtual void leave();

  /// Closes without a farewell.
  void vanish();

  /// Returns the index from 0.
  uint32_t index() const noexcept;

protected:
  void on_end(const std::string& why) override;

  void fail(const std::string& why);

  bool ended() const noexcept;

  const client_settings& common() const noexcept;

  client_observer& observer() const noexcept;

  /// Returns the header lines that each request carries.
  const std::string& fields() const noexcept;

private:
  const client_settings& common_;
  client_observer& observer_;
  uint32_t index_;
  bool ended_ = false;
  std::string fields_;
};

/// Makes a client of the protocol that `common` names. `cookie` and `auth`, the
/// payload of a Socket.IO CONNECT, may be empty.
std::unique_ptr<client> make_client(loop& parent, const client_settings& common,
                                    client_observer& observer, uint32_t index,
                                    const std::string& cookie,
                                    const std::string& auth);

} // namespace signalbox::load
