#pragma once

#include "actors/relay/gather.hpp"
#include "actors/relay/key_walk.hpp"
#include "actors/relay/recent.hpp"
#include "actors/relay/relay.hpp"
#include "actors/shard/light_actor.hpp"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace signalbox {

/// The actor behind `spawn_relay`. What this node's INGEST accepts is in
/// relay.cpp, what other nodes send in relay_serving.cpp.
class relay_impl : public light_actor {
public:
  relay_impl(caf::actor_config& cfg, shard& at, const settings& opts,
             mesh& others, users_actor users,
             std::map<std::string, nsp_actor> nsps, counters& count);

  const char* name() const override;

  void set_ingest(ingest_actor ingest) {
    ingest_ = std::move(ingest);
    tell_processes();
  }

  void leave(std::function<void()> done);

protected:
  void receive(caf::mailbox_element& x) override;
  void on_end(const caf::error& reason) override;

private:
  /// An event on its way to the nodes.
  struct event {
    event() = default;

    ~event() {
      if (queued != nullptr)
        *queued -= bytes;
    }

    event(const event&) = delete;
    event& operator=(const event&) = delete;

    bool ready() const noexcept {
      return homes.empty() && claims.empty();
    }

    uint64_t ticket() const noexcept {
      return to_users ? users.ticket : all.ticket;
    }

    const std::string& nsp() const noexcept {
      return to_users ? users.event->nsp() : all.event->nsp();
    }

    const event_key& key() const noexcept {
      return to_users ? users.claim : all.claim;
    }

    /// One of the two.
    deliver_users users;
    broadcast all;
    bool to_users = false;
    /// Homes that were asked, with the positions of their users.
    std::map<uint16_t, std::vector<size_t>> homes;
    std::vector<wire::whereabouts> where;
    /// The view in which they were asked.
    uint64_t view = 0;
    /// No home can say where the users are: it goes to every node.
    bool flood = false;
    /// Nodes that were asked about its key, and an objection of one of them.
    std::set<uint16_t> claims;
    std::optional<wire::claimed> objection;
    /// Nodes that said nothing about its key.
    std::vector<uint16_t> silent;
    /// Tells it from all others if it should come again; 0 in namespaces that
    /// are not sequenced.
    uint64_t origin = 0;
    uint64_t number = 0;
    /// When its poster is answered at the latest.
    session::time_point deadline = 0;
    /// Its poster has been told that it is a repeat, or that the sequencer
    /// could not be reached, and is told no more.
    bool answered = false;
    /// Its size, and the sum that it is part of as long as it is kept.
    size_t bytes = 0;
    size_t* queued = nullptr;
  };

  using event_ptr = std::shared_ptr<event>;

  /// An event that a sequencer has not answered yet.
  struct submission {
    uint16_t node = 0;
    event_ptr what;
    /// The sequencer has it or is known to be dead by then.
    session::time_point until = 0;
  };

  /// Another node's number, for which one with `foreign_bit` stands.
  struct foreign {
    uint16_t node = 0;
    /// The process that gave it; numbers of another one mean something else.
    uint64_t process = 0;
    uint64_t number = 0;
    session::time_point until = 0;
    /// The event if it was submitted.
    recent<std::optional<routed>>::key event{};
    /// It asks about a key and takes another node for the key's owner.
    bool owner_elsewhere = false;
  };

  /// A confirm that is to be told to a node that is not live.
  struct owed_confirm {
    foreign to;
    wire::confirmed what;
  };

  /// Sequenced events that are known by their numbers.
  static constexpr size_t most_recent = 65536;

  /// Marks numbers that stand for an event or confirm of another node.
  static constexpr uint64_t foreign_bit = uint64_t{1} << 63;

  session::time_point now() {
    return home().home().wheel().now();
  }

  bool lives(uint16_t node) const;

  /// Returns whether a node is still this process; 0 is any.
  bool lives(uint16_t node, uint64_t process) const;

  /// Tells a node about a number of its own. Returns 0 if the process that gave
  /// it is not live.
  template <class T>
  uint64_t reply(const foreign& to, const T& x) {
    return mesh_->process(to.node) == to.process ? mesh_->send(to.node, x) : 0;
  }

  // -- events of this node ----------------------------------------------------

  void on(deliver_users& x);
  void on(broadcast& x);
  void on(view_changed& x);
  void on(wire::located& x);
  void on(wire::claimed& x);
  void push(const event_ptr& x);
  bool make_room(size_t bytes);
  void pump(std::deque<event_ptr>& lane);
  void locate(const event_ptr& e);
  void claim(const event_ptr& e);
  void settle(const event_ptr& e);

  // -- to the nodes -----------------------------------------------------------

  uint16_t sequencer(const std::string& nsp) const;
  gather& begin(uint64_t ticket, const std::vector<uint16_t>& nodes,
                session::time_point until);
  gather& begin(event& x, const std::vector<uint16_t>& nodes);
  void send_out(event& x);
  void refuse(event& x);
  void submit(const event_ptr& x, uint16_t node);
  void submit_again();
  void send_broadcast(event& x);
  void send_to_all(event& x);
  void send_to_holders(event& x);
  void to_namespace(broadcast x);
  bool fresh(uint64_t origin, uint64_t number);
  void answer_nobody(uint64_t ticket);

  // -- answers ----------------------------------------------------------------

  void on(routed& x);
  void on(wire::routed& x);
  void on(user_info& x);
  void on(wire::command_done& x);
  void finish_if_complete(uint64_t ticket);
  void answer(routed x);
  void tell_routed(const foreign& to, routed x);
  template <class T>
  void add(uint16_t node, uint64_t ticket, const T& part);

  // -- commands, confirms ---------------------------------------------------

  void on(user_command& x);
  void on(confirmed& x);
  void tell_confirmed(const foreign& to, wire::confirmed x);
  void tell_owed_confirms();

  // -- idempotency keys -------------------------------------------------------

  bool is_undecided(const wire::claimed& x);
  void on(wire::claim& x);
  void on(wire::claim_settled& x);
  void give_up_repeat(uint64_t ticket);
  void refuse_lost_repeats();
  void tell_processes();
  bool asks_all();
  void on(wire::keys& x);
  void walk_keys();
  void walk_on();
  void finish_walk();
  void on(keys_listed& x);
  void on(batches_acked& x);
  void look_after_keys();

  // -- for other nodes --------------------------------------------------------

  uint64_t note(std::unordered_map<uint64_t, foreign>& in, uint16_t node,
                uint64_t number, int64_t keep_ms);
  deliver_users read(wire::deliver& x);
  broadcast read(wire::broadcast& x);
  void on(wire::deliver& x);
  void on(wire::broadcast& x);
  void on(wire::submit& x);
  void on(wire::command& x);
  void on(wire::confirmed& x);

  // -- deadlines --------------------------------------------------------------

  session::time_point expire(uint64_t ticket);
  void give_up(uint64_t ticket);
  void arm();
  void on_look();

  const settings& opts_;
  counters& count_;
  mesh* mesh_;
  users_actor users_;
  std::map<std::string, nsp_actor> nsps_;
  ingest_actor ingest_;
  population population_;
  session::timer timer_;
  bool armed_ = false;
  std::vector<uint16_t> nodes_;
  std::set<std::string> sequenced_;
  uint64_t origin_;
  uint64_t last_number_ = 0;
  /// When the view changed last; keys of before may be known anywhere.
  session::time_point changed_ = 0;
  /// Bytes of the events in the next four.
  size_t queued_ = 0;
  /// Events of each namespace in the order of acceptance.
  std::unordered_map<std::string, std::deque<event_ptr>> lanes_;
  /// Events whose homes or keys are asked for, in the order of acceptance.
  std::map<uint64_t, event_ptr> waiting_;
  std::map<uint64_t, submission> submitted_;
  /// Those whose posters wait no more; kept as long as there is room.
  std::map<uint64_t, submission> spare_;
  /// Events and commands whose answers are awaited.
  std::unordered_map<uint64_t, gather> gathers_;
  /// Repeats of events that are under way elsewhere; their numbers are to come.
  std::unordered_map<uint64_t, event_ptr> repeats_;
  key_walk walk_;
  /// When homes and owners of keys are too late, in that order.
  std::deque<std::pair<session::time_point, uint64_t>> unsaid_;
  /// When an answer is too late, in that order.
  std::deque<std::pair<session::time_point, uint64_t>> overdue_;
  std::unordered_map<uint64_t, foreign> foreign_events_;
  std::unordered_map<uint64_t, foreign> foreign_confirms_;
  uint64_t last_foreign_ = 0;
  std::deque<owed_confirm> owed_confirms_;
  /// Sequenced events that were sent on here lately.
  recent<bool> seen_{most_recent};
  /// Events that other nodes have submitted, and the answers to them.
  recent<std::optional<routed>> handled_{most_recent};
};

} // namespace signalbox
