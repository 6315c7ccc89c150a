#pragma once

#include "transports/net/channel.hpp"
#include "transports/net/tunnel_board.hpp"

#include <functional>
#include <memory>
#include <string>

namespace signalbox::net {

/// The owner's end of a tunnel: the bytes of a client of another node, and the
/// way back to it. Lives on the session's loop.
class tunnel_host : public channel,
                    public std::enable_shared_from_this<tunnel_host> {
public:
  tunnel_host(std::shared_ptr<tunnel_board> board, loop& home, tunnel_key key,
              bool secure);
  ~tunnel_host() override;

  /// Counts the request, which reaches the connection by another way.
  bool begin(size_t request);

  /// A frame of the opener.
  void on_frame(tunnel_frame&& x);

  /// The opener's node is gone.
  void lost();

  // -- channel ----------------------------------------------------------------

  ssize_t read(char* data, size_t size) override;
  ssize_t write(const iovec* pieces, size_t count) override;
  void wait(bool readable, std::function<void()> fun) override;
  void shutdown_write() override;
  void on_release(std::function<void()> fun) override;
  void close() override;

  bool encrypted() const override {
    return secure_;
  }

private:
  bool readable() const noexcept {
    return taken_ < in_.size() || over_;
  }

  bool writable() const noexcept {
    return flow_.room() > 0 || over_;
  }

  void wake();
  void pass(size_t n);
  bool send(tunnel_frame::kind what, std::string bytes = {},
            uint32_t credit = 0);

  std::shared_ptr<tunnel_board> board_;
  loop& home_;
  tunnel_key key_;
  tunnel_flow flow_;
  std::string in_;
  /// How much of it has been read.
  size_t taken_ = 0;
  std::function<void()> on_readable_;
  std::function<void()> on_writable_;
  std::function<void()> on_release_;
  /// The opener's node is about to end.
  bool released_ = false;
  bool secure_;
  /// The opener has ended the tunnel.
  bool over_ = false;
  /// The connection has.
  bool closed_ = false;
};

} // namespace signalbox::net
