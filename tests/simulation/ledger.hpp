#pragma once

#include "tests/simulation/client.hpp"
#include "tests/simulation/node.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::simulation {

/// A seat that an event or command was for, when it was accepted.
struct addressee {
  seat* to = nullptr;
  /// Session with the node at which it is, 0 without one.
  uint64_t session = 0;
  /// The accepting node knew that it had lost the other one.
  bool known = false;
  /// The session stayed until the event must have been sent.
  bool kept = true;
};

/// An event, command or question of the site.
struct order {
  enum class kind { users, all, rooms, show, kick };

  uint64_t id = 0;
  kind what = kind::users;
  process at = 0;
  uint16_t number = 0;
  std::string nsp;
  /// It takes its way over a third node, with whose death less is promised.
  bool sequenced() const {
    return nsp == in_order && what != kind::show && what != kind::kick;
  }

  /// Users or rooms.
  std::vector<std::string> names;
  std::vector<addressee> to;
  std::set<client*> got;
  /// When it was accepted, and the same by the node's clock.
  int64_t when = 0;
  int64_t local = 0;
  bool confirm = false;
  /// By user: how often it was acknowledged, and how often that was said.
  std::map<std::string, int> acked;
  std::map<std::string, int> confirmed;
  bool answered = false;
  /// Too much waited; no client gets it.
  bool refused = false;
  /// Nodes that the answer named as unreachable.
  std::set<uint16_t> unreachable;
  /// Nothing was going on when it was accepted; then the answer must be this.
  bool calm = false;
  std::optional<uint64_t> matched;
  uint64_t online = 0;
  /// Number of connects of the user that was asked for before.
  uint64_t joins = 0;
};

/// A client has acknowledged an event with a confirm.
struct acknowledgement {
  order* of = nullptr;
  client* by = nullptr;
  const seat* in = nullptr;
  int64_t when = 0;
  /// Session with the node that waits for it, and how many turns it has lasted.
  uint64_t session = 0;
  int turns = 0;
  /// It must arrive unless one of the processes ends.
  bool due = false;
};

/// The model: connected clients, accepted events, the clients that must have
/// got them, and the right answers. Tells a fault at once where it shows at
/// once, and the rest in `audit`.
class ledger : public client_watcher, public answer_watcher {
public:
  ledger(network& net, const profile& how, journal& log)
    : net_(net), how_(how), log_(log) {
    // nop
  }

  /// Something happens to a node or between two, 0 for all.
  void disturb(uint16_t a = 0, uint16_t b = 0);

  /// Returns when that happened last to one of two nodes or between them.
  int64_t disturbed(uint16_t a, uint16_t b) const;

  /// Returns whether nothing has happened for so long that it shows no more.
  bool calm() const;

  /// A client comes.
  client& add(process at, uint16_t number, const std::string& user);

  const std::vector<std::unique_ptr<client>>& clients() const noexcept {
    return clients_;
  }

  /// Returns the seats of a user that have joined, in one namespace or all;
  /// those of all users for an empty one.
  std::vector<seat*> joined(const std::string& user,
                            const std::string& nsp = {}) const;

  /// A node is given an order; `send` hands it over. `whole` tells whether all
  /// nodes agree on which nodes live.
  order& accept(node& at, order x, bool whole,
                const std::function<void(const order&)>& send);

  /// Looks after what is under way at a node.
  void watch(node& at);

  /// A process has ended.
  void forget(process x) {
    ended_.insert(x);
  }

  /// After the end of everything: which client has missed an event?
  void audit();

  const std::vector<std::unique_ptr<order>>& orders() const noexcept {
    return orders_;
  }

  // -- watchers
  // -----------------------------------------------------------------

  void on_event(client& x, const codec::shared_event& event) override;
  void on_ack(client& x, const codec::shared_event& event) override;
  void on_stage(const seat& x) override;
  void on_routed(node& at, const routed& x) override;
  void on_confirmed(node& at, const confirmed& x) override;
  void on_info(node& at, const user_info& x) override;

private:
  order* find(const node& at, uint64_t ticket);
  order& order_of(const codec::shared_event& x) const;
  void foresee(order& x) const;
  void watch_acks(node& at);
  void audit_acks();
  void audit_row();
  void answered(node& at, order& x, const std::vector<uint16_t>& unreachable);
  void check_version(const node& at, order& x, const user_info& answer);
  bool addressed(const order& x, const client& to) const;
  void missed(const order& x, const addressee& to, const char* why);

  network& net_;
  const profile& how_;
  journal& log_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::unique_ptr<order>> orders_;
  std::vector<acknowledgement> acks_;
  /// Not answered yet.
  std::map<std::pair<process, uint64_t>, order*> open_;
  std::set<process> ended_;
  /// By process and number: the session at its last turn.
  std::map<std::pair<process, uint16_t>, uint64_t> sessions_;
  std::map<std::pair<uint16_t, uint16_t>, int64_t> disturbed_;
  int64_t last_fault_ = epoch;
  int64_t last_change_ = epoch;
  /// By user: when the last one left, and how many have come.
  std::map<std::string, int64_t> left_;
  std::map<std::string, uint64_t> joins_;
  /// By user: versions seen at a node, and while all agreed.
  std::map<std::pair<process, std::string>, std::pair<uint64_t, int64_t>>
    versions_at_;
  struct version {
    uint64_t number = 0;
    uint64_t joins = 0;
    int64_t when = 0;
  };
  std::map<std::string, version> versions_;
};

/// Returns an order in words.
std::string to_string(const order& x);

} // namespace signalbox::simulation
