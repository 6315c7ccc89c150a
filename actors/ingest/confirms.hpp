#pragma once

#include "actors/api/messages.hpp"
#include "actors/ingest/answers.hpp"
#include "actors/shard/shard.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace signalbox {

/// The events whose acks are awaited. Part of INGEST.
class confirms {
public:
  /// Called when an event is done with: its users have answered, or its time
  /// is over. `routed` tells whether it has been routed; `outcome` is
  /// the part of the answer about the users, with a comma before it.
  using finished = std::function<void(under_way& event, bool routed,
                                      const std::string& outcome)>;

  confirms(session::timer_wheel& wheel, finished tell)
    : wheel_(wheel), tell_(std::move(tell)) {
    // nop
  }

  /// Awaits the acks of `users` for so long.
  void open(uint64_t ticket, under_way event, std::vector<std::string> users,
            int64_t deadline_ms);

  /// Returns the event with this ticket, null for one that waits for none.
  under_way* find(uint64_t ticket);

  /// The event has been routed.
  void on_routed(const routed& x);

  /// A client has acknowledged, or will not get the event.
  void on_confirmed(const confirmed& x);

  /// Takes an event out without a word.
  std::optional<under_way> take(uint64_t ticket);

  /// Ends the waiting for all, as if their time was over.
  void finish_all();

  size_t size() const noexcept {
    return all_.size();
  }

  void clear() {
    all_.clear();
    tell_ = nullptr;
  }

private:
  struct entry {
    entry(confirms* to, uint64_t number)
      : owner(to), ticket(number),
        deadline(session::make_timer<&entry::on_deadline>(this)) {
      // nop
    }

    void on_deadline() {
      owner->finish(ticket);
    }

    confirms* owner;
    uint64_t ticket;
    session::timer deadline;
    under_way event;
    bool routed = false;
    std::vector<std::string> users;
    std::unordered_set<std::string> delivered;
    /// None of these.
    std::unordered_set<std::string> offline;
    /// Users with a connection that did not take it.
    std::unordered_set<std::string> dropped;
  };

  void settle(const entry& x);
  void finish(uint64_t ticket);

  session::timer_wheel& wheel_;
  finished tell_;
  std::unordered_map<uint64_t, std::unique_ptr<entry>> all_;
};

} // namespace signalbox
