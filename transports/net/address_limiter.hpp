#pragma once

#include "transports/net/ip_address.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <string>
#include <unordered_map>

namespace signalbox::net {

/// Counts connections and sessions per client address and refuses further
/// ones. IPv6 clients are counted by their first 64 bits. From any thread.
class address_limiter {
public:
  /// Bounds are for one address: connections at a time, new ones per second,
  /// sessions at a time.
  address_limiter(size_t concurrent, size_t per_second, bool count_loopback,
                  size_t sessions = std::numeric_limits<size_t>::max())
    : concurrent_(concurrent), per_second_(per_second), sessions_(sessions),
      count_loopback_(count_loopback) {
    // nop
  }

  /// What is counted of one address.
  struct entry {
    size_t open = 0;
    int64_t second = 0;
    size_t started = 0;
    size_t sessions = 0;
  };

  /// Why a connection or a session is refused.
  enum class verdict : uint8_t { admitted, too_many, too_fast, crowded };

  /// Counts a new connection from `address` at `second`.
  verdict enter(const std::string& address, int64_t second);

  /// Counts a new session of `address`, which is its client's connection too
  /// where that one ends at a proxy (`proxied`). `at` becomes where it
  /// counts, null for nowhere; it is set also for one that is `crowded`, as one
  /// session too many is called.
  verdict enter_session(const std::string& address, bool proxied,
                        int64_t second, entry*& at);

  /// Returns where an admitted connection counts, null for nowhere. It stays
  /// until that connection leaves.
  entry* find(const std::string& address);

  /// Forgets one connection that was admitted.
  void leave(entry& x);

  /// Forgets one session that was admitted.
  void leave_session(entry& x, bool proxied);

private:
  entry& at(const ip_address& address, int64_t second);
  verdict judge(const entry& x) const;

  size_t concurrent_;
  size_t per_second_;
  size_t sessions_;
  bool count_loopback_;
  std::mutex mutex_;
  std::unordered_map<ip_address, entry, ip_address::hash> entries_;
  int64_t swept_ = 0;
};

} // namespace signalbox::net
