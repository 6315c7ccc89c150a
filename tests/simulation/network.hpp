#pragma once

#include "actors/api/handles.hpp"
#include "actors/shard/shard.hpp"
#include "tests/simulation/dice.hpp"
#include "tests/simulation/journal.hpp"
#include "tests/simulation/profile.hpp"

#include <caf/actor_system.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::simulation {

/// Names one start of a node.
using process = uint64_t;

struct connection;

/// The network between the nodes: connections with a queue each way, which
/// delivers late, stops, or is cut. What a LINK takes for the other LINK is an
/// actor of the network, a `cable`, whose end the LINK takes for the other's.
class network {
public:
  /// How a process ends, as the others see it.
  enum class ending { left, reset, silent };

  network(caf::actor_system& sys, dice& luck, const profile& how, journal& log);
  ~network();

  network(const network&) = delete;
  network& operator=(const network&) = delete;

  /// Ends everything; while the nodes are still there.
  void close();

  int64_t now() const noexcept {
    return now_;
  }

  /// Lets the time be `to` and delivers what is due by then.
  void advance(int64_t to);

  /// Returns when there is something to deliver next, at most `otherwise`.
  int64_t next_due(int64_t otherwise) const;

  /// Takes what the nodes have sent. Returns how much was done.
  size_t poll();

  /// A process listens.
  void add(process x, uint16_t number, membership_actor gate);

  void remove(process x, ending how);

  /// A process neither takes connections nor refuses them.
  void freeze(process x, bool on);

  /// Takes the place of the gateway's.
  void dial(process from, const std::string& address,
            const membership_actor& asker);

  /// Stops the way from one node to another, or lets it go on.
  void block(uint16_t from, uint16_t to, bool on);

  bool blocked(uint16_t from, uint16_t to) const {
    return blocked_.count({from, to}) > 0;
  }

  /// Lets everything go on.
  void heal() {
    blocked_.clear();
  }

  /// Cuts the connections between two nodes; those that are slow to open may
  /// stay.
  void cut(uint16_t a, uint16_t b);

  /// Returns whether a connection of two nodes is slow to open.
  bool opening(uint16_t a, uint16_t b) const;

  /// Returns the process that has a session with `x`, 0 if it is unknown.
  process partner(process x, uint64_t session) const;

  // -- for cables
  // ---------------------------------------------------------------

  void push(const std::shared_ptr<connection>& x, size_t to,
            std::function<void()> go);

  caf::strong_actor_ptr add_cable(const std::shared_ptr<connection>& x,
                                  size_t to, caf::strong_actor_ptr target);

  void note_session(const connection& x, uint64_t session);

  /// A LINK has ended whose words go to `to`.
  void on_link_end(const std::shared_ptr<connection>& x, size_t to);

private:
  struct listener {
    uint16_t number = 0;
    membership_actor gate;
    bool frozen = false;
  };

  struct dialing {
    int64_t due = 0;
    int64_t until = 0;
    process from = 0;
    std::string address;
    membership_actor asker;
  };

  bool stopped(const connection& x, size_t to) const;
  void end(connection& x);
  void answer(dialing& x);
  std::shared_ptr<connection> connect(process from, process to);
  int64_t delay();

  dice& luck_;
  const profile& how_;
  journal& log_;
  int64_t now_ = epoch;
  net::loop loop_{0};
  shard at_;
  std::map<process, listener> processes_;
  std::vector<std::shared_ptr<connection>> connections_;
  std::vector<dialing> dials_;
  std::set<std::pair<uint16_t, uint16_t>> blocked_;
  std::map<uint64_t, std::pair<process, process>> sessions_;
};

/// Returns the address of a node, and the other one by which it is found.
std::string address_of(uint16_t number);
std::string alias_of(uint16_t number);

} // namespace signalbox::simulation
