#pragma once

#include "transports/codec/ws/frame.hpp"
#include "transports/net/press.hpp"
#include "transports/net/server.hpp"
#include "transports/net/stream.hpp"
#include "transports/session/engine_session.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace signalbox::net {

/// A client connection after its upgrade: frames in, the session's outbox out.
/// Holds no buffer while nothing happens.
class websocket_connection
  : public session::carrier,
    public loop::flushable,
    public send_batch::writer,
    public std::enable_shared_from_this<websocket_connection> {
public:
  /// Bounds and timings, shared by all connections.
  struct options {
    ws::limits messages;
    int64_t assembly_ms = 30000;
    session::transfer_rules transfers;
    /// Whether permessage-deflate is offered.
    bool deflate = false;
    /// How long the client may take to answer a close frame.
    int64_t close_ms = 10000;
  };

  websocket_connection(server& owner, loop& home, std::unique_ptr<stream> io,
                       const std::string& peer, const options& opts,
                       bool deflate);
  ~websocket_connection() override;

  /// Begins to carry, or to probe for, `x`. `handshake` is the 101 response;
  /// `rest` was read behind the request.
  void start(std::shared_ptr<session::carried> x, std::string handshake,
             std::string rest);

  // -- session::carrier -------------------------------------------------------

  void wake() override;
  void catch_up() override;
  void resume() override;
  void send_probe(std::string_view text) override;
  void finish() override;
  void abort() override;
  bool takes() override;

  // -- loop::flushable --------------------------------------------------------

  void flush() override;

  // -- send_batch::writer -----------------------------------------------------

  void wrote(ssize_t n) override;

private:
  /// With so many bytes of our own waiting, nothing more is read.
  static constexpr size_t control_limit = 16384;

  /// Bytes that were on their way to the client at a time or since then.
  struct going {
    session::time_point since = 0;
    int64_t bytes = 0;
  };

  /// Bytes of an unfinished message.
  struct coming {
    int64_t bytes = 0;
    session::transfer_watch watch;
  };

  /// Bytes that were read and not taken, from `begin` on.
  struct kept {
    std::string bytes;
    size_t begin = 0;
    /// Otherwise the wait for more keeps the connection alive.
    std::shared_ptr<websocket_connection> self;
  };

  bool must_wait() const;
  void read();
  void on_readable();
  size_t take(std::span<char> bytes);
  void take_or_keep(std::span<char> bytes);
  void take_kept();
  size_t on_message(const ws::message& x);
  size_t on_compressed(const ws::message& x);
  void pack();
  void press_next();
  void pressed(ws::opcode op, const press::body& x);
  void send_close(uint16_t code, std::string_view reason);
  void fault(uint16_t code, std::string_view reason, session::close_reason why);
  void linger();
  bool write_in_batch();
  void write();
  bool went(ssize_t n);
  void written();
  void consume(size_t n);
  void await_rest();
  void forget_rest();
  void on_timeout();
  void lost(session::close_reason why);
  void die();

  const shared_limits& limits_;
  loop& home_;
  std::unique_ptr<stream> io_;
  /// What its client's address counts; null if nothing is counted.
  address_limiter::entry* const address_;
  const options& opts_;
  session::rare_timer timer_;
  std::shared_ptr<session::carried> session_;
  ws::reader reader_;
  /// Bytes that belong to the connection itself: handshake, pongs, probe
  /// answers, the close frame.
  std::string control_;
  /// How much of the outbox's first packet has left.
  size_t sent_ = 0;
  /// There while the session is not ready, or others have their turn first.
  /// Nothing more is read until it is taken.
  std::unique_ptr<kept> kept_;
  /// There while something waits for a client that is asked after; see `takes`.
  std::unique_ptr<going> going_;
  /// There while a message is unfinished.
  std::unique_ptr<coming> coming_;
  /// Whether permessage-deflate was negotiated.
  bool deflate_ = false;
  /// A large message is being compressed; what follows it waits.
  bool pressing_ = false;
  /// Whether `pack` runs.
  bool packing_ = false;
  bool reading_ = false;
  bool writing_ = false;
  /// Whether `take_kept` is yet to come.
  bool taking_ = false;
  /// The client takes nothing any more; what it has sent is still taken.
  bool deaf_ = false;
  bool dirty_ = false;
  bool finishing_ = false;
  bool close_sent_ = false;
  bool close_received_ = false;
  /// The client broke the protocol; it may still be sending.
  bool faulty_ = false;
};

} // namespace signalbox::net
