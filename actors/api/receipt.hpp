#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/event_messages.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace signalbox {

/// The answer to one `deliver_users`, shared by the messages to the
/// connections. It leaves when the last of them is handled, or dropped because
/// its connection has ended: so no connection is counted as online that could
/// not take the event any more.
class receipt {
public:
  /// For an event of `asker`, which is null if no answer is wanted.
  /// `count` outlives the receipt.
  receipt(counters& count, ingest_actor asker, const deliver_users& x);

  /// Sends the answer.
  ~receipt();

  receipt(const receipt&) = delete;
  receipt& operator=(const receipt&) = delete;

  /// The event goes to so many connections of the next user; `found` tells
  /// whether the user counts as found. By USERS, in the order of the users.
  void add(uint64_t connections, bool found);

  /// A connection of the user with this index has taken the event. On any
  /// thread, before the message to the connection is destroyed.
  void took(uint32_t user) noexcept;

private:
  void answer();

  counters& count_;
  ingest_actor asker_;
  uint64_t ticket_;
  uint64_t matched_ = 0;
  uint64_t expected_ = 0;
  std::vector<bool> found_;
  std::atomic<uint64_t> online_{0};
  /// For a confirm: the users, and how many connections of each took it.
  std::vector<std::string> names_;
  std::unique_ptr<std::atomic<uint32_t>[]> taken_;
};

} // namespace signalbox
