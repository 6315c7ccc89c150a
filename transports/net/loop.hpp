#pragma once

#include "transports/net/send_batch.hpp"
#include "transports/session/timer_wheel.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

namespace boost::asio {
class io_context;
}

namespace signalbox::net {

class poller;
class press;

/// One thread's event loop: sockets, deadlines, and work from other threads.
class loop {
public:
  /// Does something once before the loop sleeps or turns to the next socket.
  class flushable {
  public:
    virtual ~flushable() = default;

    /// Writes out what the turn has queued, perhaps by `batch`.
    virtual void flush() = 0;
  };

  explicit loop(size_t index);
  ~loop();

  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;

  /// Returns the position of this loop among its siblings.
  size_t index() const noexcept {
    return index_;
  }

  /// Runs until `stop`. An exception of a handler is logged and costs only that
  /// handler.
  void run();

  /// Runs the ready handlers without waiting; for tests. Returns how many ran.
  size_t poll();

  /// Makes `run` return after the current handler. From any thread.
  void stop();

  /// Runs `fun` on the loop's thread, later. From any thread.
  void post(std::function<void()> fun);

  /// Flushes `x` at the end of the turn. What a turn has no time for leaves in
  /// later ones, behind what these queue, so that a broadcast to very many
  /// delays no answer to another client. `x` is kept alive until then; the
  /// caller sees to it that it is added once.
  void flush_later(std::shared_ptr<flushable> x);

  /// Says, from within `flushable::flush`, that it has taken long.
  void took_long() noexcept;

  /// Returns the deadlines of this loop. On its thread only. Its time stands
  /// still while the thread does not run (a stopped process), so it compares
  /// with no other loop's.
  session::timer_wheel& wheel() noexcept {
    return wheel_;
  }

  /// Returns where to write from within `flushable::flush`; it is submitted
  /// when all of them have had their turn.
  send_batch& batch() noexcept;

  /// Returns what makes large bodies; for this floor.
  press& bodies() noexcept;

  /// Returns the poller, which tells which sockets are ready; for this floor.
  poller& sockets() noexcept;

  /// Returns a buffer that any code on this thread may use within a handler.
  std::span<char> scratch() noexcept;

  /// Returns the Asio side; for this floor.
  boost::asio::io_context& context() noexcept;

  /// Returns the time of the wheel as it would be after a tick now.
  session::time_point now() const noexcept;

  /// Returns the monotonic clock in milliseconds.
  static session::time_point clock() noexcept;

private:
  struct impl;
  void tick();

  size_t index_;
  session::timer_wheel wheel_;
  /// Milliseconds the clock went on while the thread did not.
  session::time_point lost_ = 0;
  std::unique_ptr<impl> impl_;
};

} // namespace signalbox::net
