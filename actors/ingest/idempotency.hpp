#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace signalbox {

/// Remembers which keyed events were accepted; one table per credential. Pure:
/// time is a parameter, in milliseconds.
class idempotency {
public:
  /// A key's event.
  struct entry {
    std::string id;
    uint64_t seq = 0;
    /// Node that accepted it, and what names its process; 0 if that is unknown.
    uint16_t node = 0;
    uint64_t process = 0;
    /// Whether the numbers below are final.
    bool done = false;
    uint64_t matched = 0;
    uint64_t online = 0;
    /// Tickets of the repeats that wait for the numbers.
    std::vector<uint64_t> waiting;
    /// When it came to be known here, and when it is forgotten.
    int64_t since = 0;
    int64_t until = 0;
    /// Position of its end among those of all keys. The table's own.
    uint64_t place = 0;
  };

  /// Called with the repeats that waited for an event whose key is forgotten
  /// because its time is over. Must not use the table.
  using abandoned = std::function<void(const std::vector<uint64_t>& tickets)>;

  idempotency(size_t max_keys, int64_t window_ms, abandoned tell = {})
    : max_keys_(max_keys), window_ms_(window_ms), tell_(std::move(tell)) {
    // nop
  }

  /// Returns a key's event, null if the key is unknown.
  entry* find(const std::string& key, int64_t now);

  /// Remembers a key that `find` did not know. Returns null if the table is
  /// full of keys that are still valid.
  entry* insert(const std::string& key, int64_t now) {
    return insert(key, now, window_ms_);
  }

  /// Remembers it for `left` milliseconds, at most the window.
  entry* insert(const std::string& key, int64_t now, int64_t left);

  /// Calls `look` with keys in the order in which they were inserted, from
  /// `position` on (0 at first), which is moved behind the last that was looked
  /// at. Looks at no more than `most`. Returns false if there are no more. May
  /// begin anew when keys were inserted and erased meanwhile.
  template <class F>
  bool walk(uint64_t& position, size_t most, int64_t now, F&& look) {
    expire(now);
    auto i = position > gone_ ? position - gone_ : 0;
    for (size_t n = 0; n < most && i < ages_.size(); ++n, ++i) {
      auto x = entry_of(i);
      if (x != entries_.end() && x->second.until > now)
        look(x->first, x->second);
    }
    position = gone_ + i;
    return i < ages_.size();
  }

  /// Forgets a key: its event was refused after all.
  void erase(const std::string& key) {
    entries_.erase(key);
  }

  size_t size() const noexcept {
    return entries_.size();
  }

private:
  using entries = std::unordered_map<std::string, entry>;

  /// Returns the key whose end `ages_` has there; it may have been erased and
  /// come again.
  entries::iterator entry_of(size_t i) {
    auto x = entries_.find(ages_[i].second);
    return x == entries_.end() || x->second.place == gone_ + i ? x
                                                               : entries_.end();
  }

  void expire(int64_t now);
  void forget(entries::iterator x);
  void drop_erased();

  size_t max_keys_;
  int64_t window_ms_;
  abandoned tell_;
  entries entries_;
  /// When keys end, in the order in which they came; such of other nodes may
  /// end sooner than those before them. Some are of keys that were erased; all
  /// are at most twice as many as keys may be known.
  std::deque<std::pair<int64_t, std::string>> ages_;
  /// How many have left `ages_`.
  uint64_t gone_ = 0;
};

} // namespace signalbox
