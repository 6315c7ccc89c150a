#pragma once

#include "transports/net/loop.hpp"
#include "transports/net/tunnel.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

// What the ends of tunnels share; for this floor.

namespace signalbox::net {

class tunnel_host;
class tunnel_opener;

/// One end's account of the bytes in both directions.
class tunnel_flow {
public:
  /// Returns how many bytes may be sent.
  size_t room() const noexcept {
    return room_;
  }

  void sent(size_t n) noexcept {
    room_ -= static_cast<uint32_t>(n);
  }

  void granted(uint32_t n) noexcept {
    room_ += std::min(n, tunnels::window - room_);
  }

  /// Counts bytes that came. Returns false if they were too many.
  bool came(size_t n) noexcept {
    if (n > tunnels::window - waiting_)
      return false;
    waiting_ += static_cast<uint32_t>(n);
    return true;
  }

  /// Counts bytes that left for where they belong. Returns how many the other
  /// end is to be granted now; few frames are worth more than exact ones.
  uint32_t passed(size_t n) noexcept {
    passed_ += static_cast<uint32_t>(n);
    if (passed_ < tunnels::window / 4)
      return 0;
    waiting_ -= passed_;
    return std::exchange(passed_, 0);
  }

private:
  uint32_t room_ = tunnels::window;
  /// Came, and was not granted again.
  uint32_t waiting_ = 0;
  /// The part of it that has been passed on.
  uint32_t passed_ = 0;
};

/// What identifies a tunnel at its owner.
struct tunnel_key {
  uint16_t node = 0;
  uint64_t id = 0;

  bool operator==(const tunnel_key&) const = default;
};

/// Hashes a `tunnel_key`.
struct tunnel_hash {
  size_t operator()(const tunnel_key& x) const noexcept {
    return std::hash<uint64_t>{}((x.id + x.node) * 0x9E3779B97F4A7C15);
  }
};

/// All ends of a process. Outlives the last of them.
struct tunnel_board {
  /// The ends on one loop; touched by its thread only.
  struct desk {
    loop* home = nullptr;
    uint64_t next = 0;
    std::unordered_map<uint64_t, std::shared_ptr<tunnel_opener>> openers;
    std::unordered_map<tunnel_key, std::shared_ptr<tunnel_host>, tunnel_hash>
      hosts;
  };

  tunnel_board(tunnel_carrier& via, tunnel_counters& with)
    : carrier(via), count(with) {
    // nop
  }

  /// Sends a frame unless everything has ended.
  bool send(uint16_t node, tunnel_frame&& x) {
    return !ended && carrier.send(node, std::move(x));
  }

  /// Returns the loop of a tunnel of another node.
  std::optional<size_t> find_route(const tunnel_key& x) {
    std::lock_guard guard{mutex};
    auto i = routes.find(x);
    if (i == routes.end())
      return {};
    return i->second;
  }

  /// Keeps the loop of a tunnel. Returns false if there is such a tunnel.
  bool add_route(const tunnel_key& x, size_t index) {
    std::lock_guard guard{mutex};
    return routes.emplace(x, index).second;
  }

  void forget_route(const tunnel_key& x) {
    std::lock_guard guard{mutex};
    routes.erase(x);
  }

  tunnel_carrier& carrier;
  tunnel_counters& count;
  /// No new tunnels.
  std::atomic<bool> closing{false};
  /// The carrier may be gone.
  std::atomic<bool> ended{false};
  /// By the indexes of the loops.
  std::vector<desk> desks;
  std::mutex mutex;
  std::unordered_map<tunnel_key, size_t, tunnel_hash> routes;
};

} // namespace signalbox::net
