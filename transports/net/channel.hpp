#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <functional>

namespace signalbox::net {

/// Stands in for the socket of a `stream` whose client is connected elsewhere.
/// Its operations mean what those of the stream do.
class channel {
public:
  virtual ~channel() = default;

  virtual ssize_t read(char* data, size_t size) = 0;
  virtual ssize_t write(const iovec* pieces, size_t count) = 0;

  /// Calls `fun` once, later, when a read or a write may make progress.
  virtual void wait(bool readable, std::function<void()> fun) = 0;

  virtual void shutdown_write() = 0;

  /// Calls `fun` when the client's node is about to end, at once if it has said
  /// so. Replaces an earlier one.
  virtual void on_release(std::function<void()> fun) {
    static_cast<void>(fun);
  }

  /// Ends it; waiting callbacks are dropped without a call. Once.
  virtual void close() = 0;

  /// Returns whether the client's own connection is encrypted.
  virtual bool encrypted() const = 0;
};

} // namespace signalbox::net
