#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace signalbox {

/// Lines of a log on their way to a file descriptor. A thread of its own writes
/// them, so a reader that stands still stops nothing else. Beyond its bound the
/// oldest lines are dropped; as soon as the reader goes on, a line in their
/// place tells how many. From any thread.
class log_queue {
public:
  /// Makes the line, with its end, that stands for this many dropped ones.
  using notice = std::function<std::string(uint64_t dropped)>;

  /// `fd` stays open and belongs to the caller. `most_bytes` bounds the lines
  /// that wait; one alone may be longer. `tell` is called on the writing
  /// thread.
  log_queue(int fd, size_t most_bytes, notice tell);

  /// Drains. The thread ends now or, if the reader stands still, with the
  /// process.
  ~log_queue();

  log_queue(const log_queue&) = delete;
  log_queue& operator=(const log_queue&) = delete;

  /// Appends a line with its end.
  void push(std::string line);

  /// Returns when all lines are written. Gives up, and returns false, when the
  /// reader has taken nothing for a second, or not all within five.
  bool drain();

  /// Does what `drain` does, within two seconds, and may be called from a
  /// signal handler.
  void drain_in_signal() const noexcept;

  /// Returns how many lines were dropped, those included that the reader's end
  /// refused.
  uint64_t dropped() const noexcept;

private:
  struct state;

  /// The thread shares it.
  std::shared_ptr<state> state_;
};

} // namespace signalbox
