#pragma once

#include "transports/session/timer_wheel.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace signalbox::net {

class loop;

/// Gives each of many its turn, spread evenly over a time, so that clients that
/// are sent away do not all come back in the same moment. On the loop's thread.
class spread {
public:
  /// The loop outlives it.
  explicit spread(loop& home);

  /// Calls `next` with 0 to `count` - 1: with the first at once, with the last
  /// before `ms` milliseconds have passed. `next` is dropped after that.
  void start(size_t count, int64_t ms, std::function<void(size_t)> next);

  /// Drops what has not had its turn.
  void cancel();

private:
  void go_on();

  loop& home_;
  session::timer timer_;
  std::function<void(size_t)> next_;
  size_t count_ = 0;
  size_t done_ = 0;
  session::time_point from_ = 0;
  int64_t ms_ = 1;
};

} // namespace signalbox::net
