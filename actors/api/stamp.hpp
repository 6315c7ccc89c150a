#pragma once

#include <atomic>
#include <cstdint>

namespace signalbox {

/// Returns a number above all that were returned before in this process, on
/// any thread. It tells which of two things came first where their times in
/// milliseconds may be equal.
inline uint64_t next_stamp() noexcept {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

} // namespace signalbox
