#pragma once

#include "actors/connection/connection.hpp"
#include "actors/membership/membership.hpp"
#include "actors/nsp/nsp.hpp"
#include "actors/relay/relay.hpp"
#include "tests/simulation/network.hpp"
#include "tests/simulation/parcels.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace signalbox::simulation {

class node;

/// Takes the place of INGEST for all events without a key.
class answer_watcher {
public:
  virtual ~answer_watcher() = default;
  virtual void on_routed(node& at, const routed& x) = 0;
  virtual void on_confirmed(node& at, const confirmed& x) = 0;
  virtual void on_info(node& at, const user_info& x) = 0;
};

/// One process of the router: all actors that know of the cluster, on two
/// threads whose turns are given by hand.
class node {
public:
  node(caf::actor_system& sys, network& net, dice& luck, const profile& how,
       answer_watcher& watcher, parcel_watcher& keys, process id,
       uint16_t number, std::vector<std::string> seeds);
  ~node();

  /// Every actor ends. Returns what is left.
  std::string end();

  /// Gives each thread a turn, or not if it is `late`. Returns how much was
  /// done.
  size_t poll(bool late);

  /// Lets time pass.
  void advance(int64_t ms);

  /// Returns the time by the node's own clock.
  int64_t now() {
    return first_.wheel().now();
  }

  process id() const noexcept {
    return id_;
  }

  uint16_t number() const noexcept {
    return number_;
  }

  membership_side& cluster() const noexcept {
    return *membership_.local;
  }

  const relay_ref& relay() const noexcept {
    return relay_;
  }

  /// Returns what gets the answers to posts of events with keys.
  const transport_actor& asker() const noexcept {
    return asker_;
  }

  /// Returns the INGEST of events with keys.
  const ingest_actor& posts() const noexcept {
    return posts_;
  }

  const connection_context& shared() const noexcept {
    return shared_;
  }

  const counters& count() const noexcept {
    return count_;
  }

  /// Returns a thread for a connection.
  shard& some_shard() {
    return luck_.percent(50) ? one_ : two_;
  }

  shard& control() noexcept {
    return one_;
  }

  uint64_t next_ticket() noexcept {
    return ++last_ticket_;
  }

  /// Since when it stands still, 0 if it runs.
  int64_t frozen_since = 0;

private:
  network& net_;
  dice& luck_;
  process id_;
  uint16_t number_;
  settings opts_;
  counters count_;
  net::loop first_{0};
  net::loop second_{1};
  shard one_;
  shard two_;
  std::vector<nsp_ref> nsps_;
  membership_ref membership_;
  relay_ref relay_;
  ingest_actor posts_;
  nsp_actor letterbox_;
  relay_actor way_out_;
  transport_actor asker_;
  credentials keys_;
  connection_context shared_{opts_, keys_, count_, {}, {}, {}, {}, {}, {}};
  uint64_t last_ticket_ = 0;
  uint64_t last_sid_ = 0;
  bool ended_ = false;
};

} // namespace signalbox::simulation
