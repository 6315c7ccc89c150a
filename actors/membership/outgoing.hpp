#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>

namespace signalbox {

/// The items on their way to one other process, in batches that are numbered
/// from 1 and kept until they are acknowledged; it outlives the sessions that
/// carry it. Pure.
class outgoing {
public:
  struct batch {
    uint64_t number = 0;
    std::string bytes;
  };

  /// Bytes that may be sent and not acknowledged.
  static constexpr size_t window = 4194304;
  /// A batch is full when it has so many bytes.
  static constexpr size_t batch_bytes = 131072;
  /// While so many batches are under way, a small one waits for more to come;
  /// the next acknowledgement sends it. A node may leave half as many
  /// unacknowledged.
  static constexpr size_t eager_batches = 8;
  static constexpr size_t small_batch = 16384;

  /// Returns the batch being filled, to append one item.
  std::string& open();

  /// Returns the number of the batch being filled last.
  uint64_t number() const noexcept {
    return last_;
  }

  /// Counts the item appended last. Call after each item.
  void appended();

  /// Returns the next batch to send, null if it has to wait. It stays where it
  /// is until `acked`.
  const batch* next();

  /// Everything up to this number has arrived. Returns whether that is news.
  bool acked(uint64_t number);

  /// A new session begins; the other side has everything up to `received`.
  /// Later batches are sent again, each as it was and with nothing added: one
  /// that did arrive meanwhile is known by its number. The other side may have
  /// said so before it acknowledged more. Returns false if it has a batch that
  /// was never sent.
  bool resume(uint64_t received);

  /// Forgets everything; numbers begin anew.
  void clear();

  /// Bytes kept, sent or not.
  size_t bytes() const noexcept {
    return bytes_;
  }

private:
  std::deque<batch> batches_;
  /// How many of them are sent, and their bytes.
  size_t sent_ = 0;
  size_t sent_bytes_ = 0;
  size_t bytes_ = 0;
  /// Size of the batch being filled before the item under way.
  size_t before_ = 0;
  uint64_t last_ = 0;
  /// The last batch that was ever sent; none up to it takes more items.
  uint64_t closed_ = 0;
};

} // namespace signalbox
