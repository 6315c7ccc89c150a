#pragma once

#include "transports/net/channel.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/poller.hpp"

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

struct ssl_st;

namespace signalbox::net {

class tls_context;

/// A function that is called once, when a wait is over.
class callback {
public:
  callback() = default;

  /// Keeps a function object.
  template <class F>
  requires std::is_invocable_v<F&> callback(F fun)
    : owner_(std::make_shared<F>(std::move(fun))),
      call_([](void* x) { (*static_cast<F*>(x))(); }) {
    // nop
  }

  /// Calls `Fun` of an object, which is kept alive until then. Unlike the
  /// other one without an allocation.
  template <auto Fun, class T>
  static callback to(std::shared_ptr<T> owner) {
    callback out;
    out.call_ = [](void* x) { (static_cast<T*>(x)->*Fun)(); };
    out.owner_ = std::move(owner);
    return out;
  }

  explicit operator bool() const noexcept {
    return call_ != nullptr;
  }

  void operator()() {
    call_(owner_.get());
  }

private:
  std::shared_ptr<void> owner_;
  void (*call_)(void*) = nullptr;
};

/// A connected TCP socket, plain or under TLS, that never blocks and holds no
/// buffer while nothing happens. Bound to one loop at a time. A channel may
/// take the place of the socket.
class stream final : private poller::watched {
public:
  /// Result of an operation that would have to wait.
  static constexpr ssize_t again = -1;
  /// Result of an operation on a connection that is gone.
  static constexpr ssize_t gone = -2;

  /// Takes over a connected, non-blocking socket. With `tls`, speaks TLS as
  /// the server, or as the client if `host` names the server to verify.
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

  /// Looks at up to `size` bytes of the socket itself, below TLS, and leaves
  /// them there. Results as of `read`.
  ssize_t peek(char* data, size_t size);

  /// Writes from the given pieces. Returns how many bytes went out, `again`
  /// or `gone`.
  ssize_t write(const iovec* pieces, size_t count);

  /// Calls `fun` once when a read may make progress. One wait at a time; `fun`
  /// is kept (with all that it owns) until then or `close`.
  void wait_readable(callback fun);

  /// Calls `fun` once when a write may make progress.
  void wait_writable(callback fun);

  /// Calls `fun` once when a connect under way has ended either way.
  void wait_connected(callback fun);

  /// Says that nothing more will be written; bytes in flight still arrive.
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

  /// Returns whether TLS, if it is spoken, has finished its handshake; `read`
  /// and `write` drive it.
  bool secured() const noexcept;

  /// Says in words why TLS failed, and what to do about it. Right after an
  /// operation that returned `gone`; empty if TLS has nothing to say.
  std::string tls_fault() const;

  /// Returns how many written bytes the kernel still holds for the peer; none
  /// for a channel.
  int64_t unacknowledged() const;

  /// The same on a link between nodes, of certificates alone; see
  /// `net::peer_fault`.
  std::string peer_fault(const std::string& mine) const;

  /// Returns the socket if bytes may be written past this class, else -1.
  int plain_socket() const;

  /// Returns a number that no other connection of this process has.
  uint64_t id() const noexcept {
    return id_;
  }

  /// Calls `fun` if the client is connected to another node that is about to
  /// end. Replaces an earlier one.
  void on_release(std::function<void()> fun) {
    if (channel_ != nullptr)
      channel_->on_release(std::move(fun));
  }

  /// Returns whether the client is connected elsewhere.
  bool tunnelled() const noexcept {
    return channel_ != nullptr;
  }

  /// Returns whether the client's own connection is encrypted.
  bool encrypted() const;

  /// Returns the address of the socket's peer, e.g. `192.0.2.1`.
  std::string peer_address() const;

private:
  bool on_ready(uint8_t what) override;
  void abandon() override;
  void wait(uint8_t what, bool to_read, callback fun);

  static uint64_t next_id() noexcept;

  const uint64_t id_ = next_id();
  std::shared_ptr<channel> channel_;
  /// Where the socket is watched; null while it is parked or closed.
  loop* home_ = nullptr;
  int fd_ = -1;
  /// What each wait is for. TLS may want the opposite direction of what was
  /// asked for.
  uint8_t reads_when_ = poller::readable;
  uint8_t writes_when_ = poller::writable;
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  ssl_st* ssl_ = nullptr;
  callback reader_;
  /// Seldom there.
  std::unique_ptr<callback> writer_;
};

} // namespace signalbox::net
