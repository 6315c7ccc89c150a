#pragma once

#include "actors/api/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox {

/// Where the answer to one event goes.
struct answer_slot {
  /// Number of the HTTP call that posted a batch, else 0.
  uint64_t call = 0;
  /// Position in the batch.
  size_t index = 0;
  /// The TRANSPORT that passed on an HTTP call of one event, and its ticket.
  transport_actor asker;
  uint64_t ticket = 0;
  connection_actor publisher;
  /// RELAY, if another node asks for the key, and the ticket of the question.
  relay_actor relay;
  uint64_t claim = 0;
  uint64_t publisher_ticket = 0;
  /// Whether the publisher wants to know more than that it was handled.
  bool publisher_asks = false;
};

/// An accepted event on its way.
struct under_way {
  answer_slot slot;
  std::string id;
  uint64_t seq = 0;
  bool dup = false;
  uint64_t matched = 0;
  uint64_t online = 0;
  /// Nodes that could not be reached.
  std::vector<uint16_t> unreachable;
  /// Idempotency key; empty without one.
  std::string key;
  /// Index of the poster's credential.
  size_t credential = 0;
  /// Namespace whose NSP has yet to answer; empty if USERS has.
  std::string broadcast_in;
};

/// Returns the answer to an accepted event, without its closing brace.
std::string describe_event(const under_way& x);

/// Returns the part of an answer that names nodes that could not be reached,
/// with a comma before it; empty if all could.
std::string describe_partial(const std::vector<uint16_t>& unreachable);

/// Puts the answers to HTTP calls together, one event at a time, and passes
/// those of publishers on. Part of INGEST.
class answers {
public:
  /// Begins a call of a batch of `events` events. Returns its number.
  uint64_t open(transport_actor asker, uint64_t ticket, size_t events);

  /// Takes the answer to one event; `status` counts if it came without a batch.
  /// The last one of a batch completes the call.
  void add(const answer_slot& to, std::string json, unsigned status = 200);

  void clear() {
    calls_.clear();
  }

private:
  struct call {
    transport_actor asker;
    uint64_t ticket = 0;
    size_t outstanding = 0;
    std::vector<std::string> parts;
    /// Bytes of these, with the commas between them.
    size_t bytes = 0;
  };

  uint64_t last_ = 0;
  std::unordered_map<uint64_t, call> calls_;
};

} // namespace signalbox
