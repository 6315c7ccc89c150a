#pragma once

#include <atomic>
#include <cstdint>

namespace signalbox::net {

/// The memory of the process as a whole.
struct memory_counters {
  /// Whether it is above its limit, so that nothing new is taken.
  std::atomic<bool> full{false};
  /// Bytes, when it was looked at last.
  std::atomic<uint64_t> used{0};
  /// Bytes it may have.
  std::atomic<uint64_t> limit{0};
  /// Clients that were closed for it.
  std::atomic<uint64_t> closed{0};
  /// Handshakes and posts that were refused for it.
  std::atomic<uint64_t> refused{0};
};

} // namespace signalbox::net
