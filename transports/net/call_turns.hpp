#pragma once

#include "transports/net/ip_address.hpp"
#include "transports/net/turn_ring.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

namespace signalbox::net {

/// The kind of a call to the site.
enum class call_kind : uint8_t {
  /// A question for the user of a client.
  question,
  /// An event of a browser.
  event,
};

/// The client for which a call is made.
struct call_origin {
  ip_address address;
  /// Tells the connections of one address apart.
  uint64_t connection = 0;
};

/// Decides which call is next and which one gives way. Questions go before
/// events, but of eight calls that begin while an event waits one is an event,
/// and events leave a quarter of the places to questions. Within a kind the
/// addresses take turns (of IPv6 the first 64 bits count), and within an
/// address its connections, so that one client that asks much delays itself.
/// Knows calls by ids, makes none.
class call_turns {
public:
  struct options {
    /// Most calls under way.
    size_t concurrency = 28;
    /// Most calls that wait.
    size_t most = 1000;
  };

  /// An event that waits is the next one after so many questions.
  static constexpr size_t questions_in_a_row = 7;

  explicit call_turns(const options& opts);

  /// Adds a call that waits. Its id is one of no other call.
  void add(uint64_t id, call_kind kind, const call_origin& from);

  /// Returns a call that is to begin now, which counts as under way then;
  /// nothing if none may.
  std::optional<uint64_t> next();

  /// Returns a call that gives way because too many wait; nothing if they do
  /// not. Once the calls that may begin have begun; `newest` is the origin of
  /// the call that was added last. An event gives way as long as events have
  /// more than an eighth of the queue, else a question, of the address with the
  /// most of that kind the newest of its connection with the most.
  std::optional<uint64_t> overflow(const call_origin& newest);

  /// Moves a call that waits to another client that wants the same, if fewer of
  /// that connection's calls would come before it and no more calls of its
  /// address wait. Returns whether it has been moved.
  bool share(uint64_t id, call_kind kind, const call_origin& from,
             const call_origin& to);

  /// Forgets a call that waits.
  void remove(uint64_t id, call_kind kind, const call_origin& from);

  /// Says that a call that was under way has ended.
  void end(call_kind kind);

  /// Returns how many calls wait.
  size_t waiting() const noexcept {
    return questions_.size() + events_.size();
  }

private:
  using connections = turn_ring<uint64_t, std::hash<uint64_t>, turn_line>;
  using addresses = turn_ring<ip_address, ip_address::hash, connections>;

  addresses& of(call_kind kind) noexcept {
    return kind == call_kind::question ? questions_ : events_;
  }

  options opts_;
  /// Most events under way.
  size_t event_places_;
  addresses questions_;
  addresses events_;
  size_t active_questions_ = 0;
  size_t active_events_ = 0;
  /// Questions that began since an event did, while one waited.
  size_t in_a_row_ = 0;
};

} // namespace signalbox::net
