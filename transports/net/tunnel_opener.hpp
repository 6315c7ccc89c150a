#pragma once

#include "transports/codec/response_meter.hpp"
#include "transports/net/http_connection.hpp"
#include "transports/net/tunnel_board.hpp"

#include <memory>
#include <string>

namespace signalbox::net {

/// The opener's end of a tunnel: a client whose request another node answers.
/// Lives on the client's loop, until the answer is complete or, where that has
/// no end, as long as the client or the tunnel.
class tunnel_opener : public std::enable_shared_from_this<tunnel_opener> {
public:
  /// The client and its request.
  struct task {
    server* owner = nullptr;
    std::unique_ptr<stream> io;
    std::string peer;
    /// Whether a PROXY header told of TLS.
    bool secure = false;
    /// The request without its body, and without the empty line.
    std::string head;
    /// Whether the answer will have no body.
    bool head_only = false;
    /// Bytes read behind the request.
    std::string rest;
  };

  tunnel_opener(std::shared_ptr<tunnel_board> board, loop& home, tunnel_key key,
                task x);
  ~tunnel_opener();

  /// Returns the number of the owner's node.
  uint16_t node() const noexcept {
    return key_.node;
  }

  /// Sends the request, for which `first` says whose it is.
  void start(tunnel_frame&& first, std::string request);

  /// A frame of the owner.
  void on_frame(tunnel_frame&& x);

  /// The owner's node is gone.
  void lost();

  /// Has the owner answer what it holds.
  void release();

  /// Ends the tunnel and the connection.
  void drop();

private:
  void read();
  void on_readable();
  void push();
  std::string next_piece();
  void on_data(std::string bytes);
  void write();
  void pass(size_t n);
  void settle();
  void complete();
  void again(detour_fate fate);
  bool send(tunnel_frame::kind what, std::string bytes = {},
            uint32_t credit = 0);
  void leave();
  int64_t taken() const;
  void on_timeout();

  std::shared_ptr<tunnel_board> board_;
  loop& home_;
  tunnel_key key_;
  task task_;
  tunnel_flow flow_;
  codec::response_meter meter_;
  session::timer timer_;
  /// While it runs.
  std::unique_ptr<session::transfer_watch> watch_;
  /// Bytes that were written to the client.
  int64_t passed_ = 0;
  /// Bytes that wait for the owner, and how many of them have been sent.
  std::string up_;
  size_t sent_ = 0;
  /// Bytes that wait for the client, and how many of them have been written.
  std::string down_;
  size_t written_ = 0;
  bool reading_ = false;
  bool writing_ = false;
  /// The client says nothing more.
  bool half_closed_ = false;
  /// The owner says nothing more.
  bool finished_ = false;
  /// The tunnel has ended; the rest is to be written.
  bool over_ = false;
};

} // namespace signalbox::net
