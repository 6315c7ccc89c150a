#pragma once

#include "tests/simulation/network.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::simulation {

class node;

/// The namespace of events with idempotency keys, which has no clients.
constexpr const char* keyed = "/keyed";

/// Hears of events with idempotency keys.
class parcel_watcher {
public:
  virtual ~parcel_watcher() = default;

  /// An event with this key has come to a node's namespace.
  virtual void on_parcel(node& at, const std::string& key) = 0;

  /// A node's INGEST has answered a post.
  virtual void on_answer(node& at, uint64_t ticket, unsigned status,
                         const std::string& json) = 0;
};

/// The books about events with idempotency keys: while nothing worse happens
/// than that nodes come, and go in good order, each is sent once, wherever and
/// however often it is posted, and each post is answered alike. Posts are
/// answered in any case.
class parcels : public parcel_watcher {
public:
  parcels(network& net, const profile& how, journal& log)
    : net_(net), how_(how), log_(log) {
    // nop
  }

  /// Something happens by which an event may be lost, or be sent twice.
  void disturb() {
    upheaval_ = net_.now();
  }

  /// Posts an event to a node. `whole` tells whether all nodes agree on which
  /// nodes live; `known` that it can be nothing but a repeat.
  void post(node& at, const std::string& key, bool whole, bool known = false);

  /// Returns the keys that were posted and that nodes must still know.
  std::vector<std::string> keys() const;

  /// Returns one of these, or a new one.
  std::string some_key(dice& luck);

  /// Looks after what is under way at a node.
  void watch(node& at);

  /// A process has ended.
  void forget(process x);

  /// Nothing waits for an answer any more.
  void audit();

  void on_parcel(node& at, const std::string& key) override;
  void on_answer(node& at, uint64_t ticket, unsigned status,
                 const std::string& json) override;

private:
  struct parcel {
    int64_t first = 0;
    /// Whether nothing has happened since then that allows for more than one.
    bool sure = true;
    /// Processes that it came to.
    std::set<process> at;
    /// Whether a post was answered as the first one, and what was said of it.
    bool accepted = false;
    std::string numbers;
  };

  struct call {
    std::string key;
    int64_t when = 0;
    /// By the node's clock.
    int64_t local = 0;
    bool sure = false;
    bool known = false;
  };

  bool calm_since(int64_t when) const;
  bool sure(parcel& x) const;

  network& net_;
  const profile& how_;
  journal& log_;
  int64_t upheaval_ = 0;
  uint64_t last_ = 0;
  std::map<std::string, parcel> all_;
  std::map<std::pair<process, uint64_t>, call> open_;
};

} // namespace signalbox::simulation
