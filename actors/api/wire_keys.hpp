#pragma once

#include "actors/api/error.hpp"
#include "actors/api/wire_item.hpp"

#include <cstdint>
#include <string>
#include <vector>

// Messages between INGESTs about idempotency keys, through their RELAYs.

namespace signalbox::wire {

/// Asks whether an event with this idempotency key was accepted before.
struct claim {
  SIGNALBOX_WIRE(claim, 27);
  uint64_t ticket = 0;
  /// Name of the credential.
  std::string credential;
  std::string key;
  std::string id;
  uint64_t seq = 0;
  /// Whether the receiver decides, as the key's owner, and is to remember it.
  bool owner = true;
  /// What names the process that asks; set by the link, not sent.
  uint64_t from_process = 0;
};
SIGNALBOX_INSPECT(claim, x.ticket, x.credential, x.key, x.id, x.seq, x.owner)

/// Answers `claim`.
struct claimed {
  SIGNALBOX_WIRE(claimed, 28);
  uint64_t ticket = 0;
  /// `none`, or why the event must be refused.
  ec outcome = ec::none;
  /// Whether it was accepted before; the rest is about that event then.
  bool dup = false;
  std::string id;
  uint64_t seq = 0;
  uint64_t matched = 0;
  uint64_t online = 0;
  /// That event is still under way at node `at`, and the numbers are to come,
  /// in another answer.
  bool pending = false;
  uint16_t at = 0;
  /// What names the process that node `at` was then; 0 if it is unknown.
  uint64_t process = 0;
};
SIGNALBOX_INSPECT(claimed, x.ticket, x.outcome, x.dup, x.id, x.seq, x.matched,
                  x.online, x.pending, x.at, x.process)

/// Tells a node that was asked about a key how the event was routed, or that it
/// was refused.
struct claim_settled {
  SIGNALBOX_WIRE(claim_settled, 29);
  std::string credential;
  std::string key;
  std::string id;
  uint64_t matched = 0;
  uint64_t online = 0;
  /// `none`, or why it was refused after all: the key is free again.
  ec outcome = ec::none;
  /// As in `claim`.
  uint64_t seq = 0;
  bool owner = true;
  uint64_t from_process = 0;
};
SIGNALBOX_INSPECT(claim_settled, x.credential, x.key, x.id, x.matched, x.online,
                  x.outcome, x.seq, x.owner)

/// An idempotency key and its event.
struct held_key {
  std::string credential;
  std::string key;
  std::string id;
  uint64_t seq = 0;
  /// Node that accepted the event.
  uint16_t at = 0;
  /// Whether the numbers are final.
  bool done = false;
  uint64_t matched = 0;
  uint64_t online = 0;
  /// How long it is to be remembered, in milliseconds.
  int64_t left = 0;
  /// As in `claimed`.
  uint64_t process = 0;
};
SIGNALBOX_INSPECT(held_key, x.credential, x.key, x.id, x.seq, x.at, x.done,
                  x.matched, x.online, x.left, x.process)

/// Gives keys to the receiver, which owns them from now on.
struct keys {
  SIGNALBOX_WIRE(keys, 31);
  std::vector<held_key> all;
};
SIGNALBOX_INSPECT(keys, x.all)

} // namespace signalbox::wire
