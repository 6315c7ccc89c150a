#pragma once

#include "transports/session/timer_wheel.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace signalbox::session {

/// How fast a transfer must be that has begun.
struct transfer_rules {
  /// Least bytes a second.
  int64_t rate = 1024;
  /// Milliseconds over which that is measured.
  int64_t rate_ms = 10000;
  /// Milliseconds that a transfer may take in all.
  int64_t whole_ms = 1200000;
};

/// Sees to it that a transfer goes on: over each window of time it must make
/// the least rate, and end in time. Bytes are counted by the caller, from any
/// beginning.
class transfer_watch {
public:
  /// The first window ends after `first_ms`, the others after that of the
  /// rules.
  transfer_watch(time_point now, int64_t bytes, int64_t first_ms,
                 const transfer_rules& rules) noexcept
    : since_(now), next_(now + first_ms), end_(now + rules.whole_ms),
      bytes_(bytes) {
    // nop
  }

  /// Returns milliseconds until it is to be looked at again.
  time_point wait(time_point now) const noexcept {
    return std::max<time_point>(std::min(next_, end_) - now, 0);
  }

  /// Looks when the time has come. Returns false if the transfer is to be given
  /// up.
  bool goes_on(time_point now, int64_t bytes,
               const transfer_rules& rules) noexcept {
    if (now >= end_)
      return false;
    if (now < next_)
      return true;
    // However late it looks, only the window counts.
    if ((bytes - bytes_) * 1000 < (next_ - since_) * rules.rate)
      return false;
    since_ = now;
    next_ = now + rules.rate_ms;
    bytes_ = bytes;
    return true;
  }

private:
  time_point since_;
  time_point next_;
  time_point end_;
  int64_t bytes_;
};

} // namespace signalbox::session
