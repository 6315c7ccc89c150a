#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace signalbox {

/// What a stranger can do that is worth a line in the log.
enum class log_cause : uint8_t {
  /// A page that may not speak to the router.
  page,
  /// A publisher without a key that is not let in.
  publisher,
  /// A request that listen.operations refuses.
  operations,
  /// A key that is wrong, or lacks a right.
  key,
  /// A site that does not answer a client's question or event.
  site,
  /// A combination of client, transport and page that is new.
  client,
  /// A node that is not let in.
  node,
  /// An exception on the way of what a client sent.
  exception,
  count_,
};

/// Allows each cause one line a second, and counts those that were left out.
/// From any thread.
class line_limit {
public:
  /// Returns what to add to a line of this cause, which is empty or tells how
  /// many like it were left out before; nothing if it is to be left out too.
  /// `now` is in milliseconds of any clock that does not go back.
  std::optional<std::string> turn(log_cause why, int64_t now);

  /// Returns how many lines were left out in all.
  uint64_t left_out() const noexcept {
    return left_out_.load(std::memory_order_relaxed);
  }

private:
  struct slot {
    /// When the next line may be logged.
    std::atomic<int64_t> next{INT64_MIN};
    std::atomic<uint64_t> left_out{0};
  };

  std::array<slot, static_cast<size_t>(log_cause::count_)> slots_;
  std::atomic<uint64_t> left_out_{0};
};

/// Returns the limit of this process.
line_limit& lines_of_strangers();

/// The same as `line_limit::turn`, of this process and now.
std::optional<std::string> log_turn(log_cause why);

} // namespace signalbox
