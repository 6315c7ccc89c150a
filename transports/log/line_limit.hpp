#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace signalbox {

/// Acts of strangers that are worth a line in the log.
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
  /// An exception in handling a client's bytes.
  exception,
  count_,
};

/// Allows the lines of one kind, however often there would be one, to come at
/// an interval, and counts those that are left out. From any thread.
class line_limit {
public:
  explicit line_limit(
    std::chrono::milliseconds interval = std::chrono::seconds{1})
    : interval_(interval.count()) {
    // nop
  }

  /// Returns what to add to the next line, which is empty or tells how many
  /// like it were left out before; nothing if it is to be left out too. `now`
  /// is in milliseconds of any clock that does not go back.
  std::optional<std::string> turn(int64_t now = clock());

private:
  static int64_t clock();

  const int64_t interval_;
  /// When the next line may be logged.
  std::atomic<int64_t> next_{INT64_MIN};
  std::atomic<uint64_t> left_out_{0};
};

/// Returns what to add to a line of this cause, of which this process logs one
/// a second; see `line_limit::turn`.
std::optional<std::string> log_turn(log_cause why);

/// Returns how many lines this process has left out, of all kinds.
uint64_t lines_left_out();

} // namespace signalbox
