#pragma once

#include "transports/net/loop.hpp"
#include "transports/net/tunnel.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

// What the ends of tunnels share; for this floor.

namespace signalbox::net {

class tunnel_host;
class tunnel_opener;

/// What all tunnels of this process have on its way to one node.
struct tunnel_load {
  std::atomic<int64_t> bytes{0};
};

/// One end's account of the bytes in both directions.
class tunnel_flow {
public:
  /// Bytes that a tunnel may have under way however much the others have.
  static constexpr uint32_t share = 4096;

  /// Together with all that share `load` it has at most `most` bytes under way,
  /// apart from its share.
  tunnel_flow(std::shared_ptr<tunnel_load> load, size_t most,
              tunnel_counters& count)
    : load_(std::move(load)), most_(static_cast<int64_t>(most)), count_(count) {
    // nop
  }

  ~tunnel_flow() {
    freed(tunnels::window - room_);
  }

  tunnel_flow(const tunnel_flow&) = delete;
  tunnel_flow& operator=(const tunnel_flow&) = delete;

  /// Returns how many bytes may be sent.
  size_t room() const noexcept {
    auto own = tunnels::window - room_;
    auto shared = most_ - load_->bytes.load(std::memory_order_relaxed);
    auto least = static_cast<int64_t>(share > own ? share - own : 0);
    return std::min<size_t>(room_,
                            static_cast<size_t>(std::max(shared, least)));
  }

  void sent(size_t n) noexcept {
    if (n == 0)
      return;
    room_ -= static_cast<uint32_t>(n);
    auto all = load_->bytes += static_cast<int64_t>(n);
    count_.waiting += static_cast<int64_t>(n);
    if (all >= most_)
      ++count_.narrowed;
  }

  void granted(uint32_t n) noexcept {
    n = std::min(n, tunnels::window - room_);
    room_ += n;
    freed(n);
  }

  /// Counts bytes that came. Returns false if they were too many.
  bool came(size_t n) noexcept {
    if (n > tunnels::window - waiting_)
      return false;
    waiting_ += static_cast<uint32_t>(n);
    return true;
  }

  /// Counts bytes that left for where they belong. Returns how many the other
  /// end is to be granted now. Few frames are worth more than exact ones, but a
  /// sender that has no more than its share waits for all of it.
  uint32_t passed(size_t n) noexcept {
    passed_ += static_cast<uint32_t>(n);
    if (passed_ < tunnels::window / 4
        && (passed_ < waiting_ || passed_ < share))
      return 0;
    waiting_ -= passed_;
    return std::exchange(passed_, 0);
  }

private:
  void freed(uint32_t n) noexcept {
    load_->bytes -= n;
    count_.waiting -= n;
  }

  std::shared_ptr<tunnel_load> load_;
  int64_t most_;
  tunnel_counters& count_;
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

  tunnel_board(tunnel_carrier& via, tunnel_counters& with, size_t bytes)
    : carrier(via), count(with), most_bytes(bytes) {
    // nop
  }

  /// Sends a frame unless everything has ended.
  bool send(uint16_t node, tunnel_frame&& x) {
    return !ended && carrier.send(node, std::move(x));
  }

  /// Returns the account of a tunnel with this node.
  tunnel_flow flow(uint16_t node) {
    std::lock_guard guard{mutex};
    auto& x = loads[node];
    if (x == nullptr)
      x = std::make_shared<tunnel_load>();
    return {x, most_bytes, count};
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
  /// Bytes that tunnels have under way to one node.
  const size_t most_bytes;
  /// Loops on which tunnels are being released one after the other.
  std::atomic<size_t> retiring{0};
  /// New tunnels are released at once.
  std::atomic<bool> releasing{false};
  /// No new tunnels.
  std::atomic<bool> closing{false};
  /// The carrier may be gone.
  std::atomic<bool> ended{false};
  /// By the indexes of the loops.
  std::vector<desk> desks;
  std::mutex mutex;
  std::unordered_map<tunnel_key, size_t, tunnel_hash> routes;
  /// By node.
  std::unordered_map<uint16_t, std::shared_ptr<tunnel_load>> loads;
};

} // namespace signalbox::net
