#pragma once

#include "transports/codec/dialect.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace signalbox::net {

/// Counts which generations of clients come, over which transports and from
/// which pages, so that an operator knows when an old one can go. Logs each
/// combination when it comes, and again after an hour. From any thread.
class client_census {
public:
  using clock = std::chrono::system_clock;

  /// One combination.
  struct entry {
    codec::dialect dialect = codec::dialect::eio4;
    std::string transport;
    /// Origin of the page; empty if the client named none.
    std::string origin;
    uint64_t sessions = 0;
    clock::time_point first;
    clock::time_point last;
    clock::time_point logged;
  };

  /// Keeps at most so many combinations; the one that was not seen for longest
  /// goes first.
  explicit client_census(size_t most = 1000) : most_(most) {
    // nop
  }

  /// Notes a session that has opened.
  void note(codec::dialect dialect, std::string_view transport,
            std::string_view origin, clock::time_point now = clock::now());

  /// Returns all combinations, the most recent first.
  std::vector<entry> entries() const;

  /// Returns how many sessions have opened, by dialect and transport.
  std::vector<entry> totals() const;

private:
  using key = std::tuple<codec::dialect, std::string, std::string>;

  size_t most_;
  mutable std::mutex mutex_;
  std::map<key, entry> entries_;
  std::map<std::pair<codec::dialect, std::string>, uint64_t> totals_;
};

} // namespace signalbox::net
