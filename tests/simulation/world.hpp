#pragma once

#include "tests/simulation/ledger.hpp"
#include "tests/simulation/parcels.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace signalbox::simulation {

/// One run: a cluster, its clients, and what happens to them.
class world {
public:
  world(caf::actor_system& sys, uint64_t seed, bool trace);
  ~world();

  /// Runs to the end. Returns whether all went well.
  bool run();

  const journal& log() const noexcept {
    return log_;
  }

private:
  using step = void (world::*)();

  // -- steps
  // --------------------------------------------------------------------

  void take_step();
  void take_fault();
  void start_node();
  void leave_node();
  void hand_keys_over(node& x);
  void crash_node();
  void freeze_node();
  void thaw_node();
  void block();
  void unblock();
  void heal();
  void cut();
  void connect();
  void come_back();
  void disconnect();
  void leave_namespace();
  void publish();
  void post();
  void show();
  void kick();
  void wait();

  // -- parts
  // --------------------------------------------------------------------

  void start(uint16_t number);
  void end(uint16_t number, network::ending how);
  void thaw(node& x);
  void publish_at(node& at);
  void give(node& at, order x);
  node* some_node();
  std::vector<node*> running() const;
  client* some_client();
  client* mover(const node& at, const std::string& user);
  std::string some_user();
  std::vector<uint16_t> stopped() const;

  // -- time
  // ---------------------------------------------------------------------

  void pass(int64_t ms);
  void turn();

  // -- the end
  // ------------------------------------------------------------------

  bool whole() const;
  std::string views() const;
  void converge();
  void compare();
  void probe();
  void count();
  void end_all();

  dice luck_;
  profile how_;
  journal log_;
  caf::actor_system& sys_;
  size_t actors_before_;
  network net_;
  ledger books_;
  parcels parcels_;
  std::map<uint16_t, std::unique_ptr<node>> nodes_;
  /// Processes that have ended.
  std::vector<std::unique_ptr<node>> past_;
  process last_process_ = 0;
};

} // namespace signalbox::simulation
