#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace signalbox::load {

/// Number of a message, from 0 on, warm-up included.
using sequence = uint32_t;

/// Keeps the account of every pair of message and receiver.
class ledger {
public:
  /// Shape of what is counted.
  struct shape {
    uint32_t receivers = 0;
    uint32_t messages = 0;
    /// Whether each message goes to all receivers; otherwise message `s` goes
    /// to user `s % users`.
    bool everybody = false;
    /// Users; receiver `r` is one of user `r % users`. Divides the receivers.
    uint32_t users = 0;
    /// Publishing connections; order is only demanded of messages that went
    /// over the same one. 0 if no order is demanded.
    uint32_t lanes = 1;
    /// Consecutive messages that share a request.
    uint32_t batch = 1;
  };

  /// Says what a receipt was.
  enum class receipt : uint8_t { first, repeated, misrouted, unknown };

  explicit ledger(shape x);

  /// Notes that a message was sent. Messages are sent in order.
  void sent(sequence s, int64_t now);

  /// Notes a receipt.
  receipt received(uint32_t receiver, sequence s);

  /// Returns when a message was sent, in nanoseconds.
  int64_t sent_at(sequence s) const;

  /// Returns whether all receivers of a message have it.
  bool complete(sequence s) const;

  /// Returns the user of a message that is not for all.
  uint32_t user_of(sequence s) const noexcept;

  /// Returns the publishing connection of a message.
  uint32_t lane_of(sequence s) const noexcept;

  /// Returns how many receipts the messages sent so far ask for.
  uint64_t expected() const noexcept;

  /// Returns how many different receipts came.
  uint64_t delivered() const noexcept;

  /// Returns how many receipts came twice or more.
  uint64_t duplicated() const noexcept;

  /// Returns how many receipts came after a later message.
  uint64_t reordered() const noexcept;

  /// Returns how many messages came to a client they were not meant for.
  uint64_t misrouted() const noexcept;

private:
  // Returns the place of a receipt that was asked for in seen_.
  size_t place_of(uint32_t receiver, sequence s) const noexcept;

  shape shape_;
  // Receivers of each message.
  uint32_t copies_;
  std::vector<int64_t> sent_at_;
  std::vector<uint32_t> missing_;
  std::vector<bool> seen_;
  // One more than the latest message, by receiver and lane.
  std::vector<sequence> latest_;
  uint64_t expected_ = 0;
  uint64_t delivered_ = 0;
  uint64_t duplicated_ = 0;
  uint64_t reordered_ = 0;
  uint64_t misrouted_ = 0;
};

} // namespace signalbox::load
