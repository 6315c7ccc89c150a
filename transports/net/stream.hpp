#pragma once

#include "transports/net/channel.hpp"
#include "transports/net/loop.hpp"

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

struct ssl_st;

namespace signalbox::net {

class tls_context;

/// A connected TCP socket, plain or under TLS, that never blocks and holds no
/// buffer while nothing happens. Bound to one loop at a time. A channel may
/// take the place of the socket.
class stream {
public:
  /// Result of an operation that would have to wait.
  static constexpr ssize_t again = -1;
  /// Result of an operation on a connection that is gone.
  static constexpr ssize_t gone = -2;

  /// Takes over a connected, non-blocking socket. With `tls`, speaks TLS as
  /// the server, or as the client if `host` names whom to verify.
  stream(loop& home, int fd, std::shared_ptr<tls_context> tls,
         const std::string& host = {});

  /// Takes a channel, which stays on its loop.
  explicit stream(std::shared_ptr<channel> via);

  ~stream();

  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  /// Goes on under TLS; see the constructor. Before anything was read.
  void secure(const tls_context& tls, const std::string& host);

  /// Reads up to `size` bytes. Returns 0 at the end of the stream, `again` or
  /// `gone`.
  ssize_t read(char* data, size_t size);

  /// Writes from the given pieces. Returns how many bytes went out, `again`
  /// or `gone`.
  ssize_t write(const iovec* pieces, size_t count);

  /// Calls `fun` once when a read may make progress. One wait at a time; `fun`
  /// is kept (with whatever it owns) until then or `close`.
  void wait_readable(std::function<void()> fun);

  /// Calls `fun` once when a write may make progress.
  void wait_writable(std::function<void()> fun);

  /// Calls `fun` once when a connect under way has ended either way.
  void wait_connected(std::function<void()> fun);

  /// Says that nothing more will be written; what is in flight still arrives.
  void shutdown_write();

  /// Closes the socket; pending waits are dropped without a call.
  void close();

  bool is_open() const noexcept;

  /// Moves to another loop; no wait may be pending. Call `resume` there.
  void leave();
  void resume(loop& home);

  bool tls() const noexcept {
    return ssl_ != nullptr;
  }

  /// Returns the socket if bytes may be written past this class, else -1.
  int plain_socket() const;

  /// Returns whether the client is connected elsewhere.
  bool tunnelled() const noexcept {
    return channel_ != nullptr;
  }

  /// Returns whether the client's own connection is encrypted.
  bool encrypted() const;

  /// Returns the address of the socket's peer, e.g. `192.0.2.1`.
  std::string peer_address() const;

private:
  struct impl;
  void wait(bool readable, std::function<void()> fun);

  std::unique_ptr<impl> impl_;
  std::shared_ptr<channel> channel_;
  ssl_st* ssl_ = nullptr;
  int parked_ = -1;
  /// TLS may want the opposite direction of what was asked for.
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
};

} // namespace signalbox::net
