#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace signalbox {

/// Remembers which keyed events were accepted; one table per credential. Pure:
/// time is a parameter, in milliseconds.
class idempotency {
public:
  /// What is known of a key.
  struct entry {
    std::string id;
    uint64_t seq = 0;
    /// Node that accepted it.
    uint16_t node = 0;
    /// Whether the numbers below are final.
    bool done = false;
    uint64_t matched = 0;
    uint64_t online = 0;
    /// Whoever posted it again meanwhile and waits for the numbers.
    std::vector<uint64_t> waiting;
    /// When it is forgotten.
    int64_t until = 0;
  };

  idempotency(size_t max_keys, int64_t window_ms)
    : max_keys_(max_keys), window_ms_(window_ms) {
    // nop
  }

  /// Returns what is known of a key, null if nothing is.
  entry* find(const std::string& key, int64_t now);

  /// Remembers a key that `find` did not know. Returns null if the table is
  /// full of keys that are still valid.
  entry* insert(const std::string& key, int64_t now);

  /// Forgets a key: its event was refused after all.
  void erase(const std::string& key) {
    entries_.erase(key);
  }

  size_t size() const noexcept {
    return entries_.size();
  }

private:
  void expire(int64_t now);

  size_t max_keys_;
  int64_t window_ms_;
  std::unordered_map<std::string, entry> entries_;
  std::deque<std::pair<int64_t, std::string>> ages_;
};

} // namespace signalbox
