#pragma once

#include "actors/api/ring.hpp"
#include "actors/api/wire.hpp"
#include "actors/membership/membership.hpp"
#include "actors/membership/peers.hpp"
#include "actors/membership/view.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <map>
#include <set>
#include <string>

namespace signalbox {

/// Between two attempts to reach a node, in milliseconds; doubled each time,
/// and a random part of it is taken off.
constexpr int64_t first_delay = 200;
constexpr int64_t longest_delay = 5000;

/// Of two nodes that could dial each other the lower one does; the other one
/// waits so much longer, in milliseconds.
constexpr int64_t courtesy = longest_delay / 2;

/// How long a conflict holds, in milliseconds: the other node calls again
/// within the longest delay.
constexpr int64_t conflict_holds = 3 * longest_delay;

/// Versions per second of the clock, as USERS numbers them.
constexpr int version_bits = 20;

/// The clocks of two nodes may differ by so many seconds.
constexpr uint64_t clock_skew = 2;

/// More versions than one record gets before the clock tells of them; small, so
/// that the floor stays near the clock, by which new nodes begin.
constexpr uint64_t version_leap = uint64_t{1} << 16;

/// The actor behind `spawn_membership`. The items of links are handled
/// in membership.cpp, their coming and going in sessions.cpp.
class membership_impl : public light_actor,
                        public membership_side,
                        public link_owner {
public:
  membership_impl(caf::actor_config& cfg, shard& at, const settings& opts,
                  counters& count, dial_function dial, chance from,
                  cut_function cut)
    : light_actor(cfg, at), opts_(opts), count_(count),
      population_(count, actor_kind::membership), dial_(std::move(dial)),
      chance_(std::move(from)), cut_(std::move(cut)),
      self_(static_cast<uint16_t>(opts.router.node)),
      incarnation_(chance_.draw()), view_(self_, incarnation_),
      // Above what other nodes may have raised theirs to.
      floor_((chance_.seconds() + 2 * clock_skew) << version_bits),
      timer_(make_actor_timer<&membership_impl::on_look>(this)),
      born_(at.home().wheel().now()) {
    for (const auto& each : opts.cluster.seeds)
      targets_[each].seed = true;
  }

  const char* name() const override {
    return "signalbox.membership";
  }

  // -- mesh -------------------------------------------------------------------

  uint16_t self() const noexcept override {
    return self_;
  }

  const std::vector<uint16_t>& nodes() const noexcept override {
    return view_.nodes();
  }

  std::vector<uint16_t> lost() const override;

  uint16_t home(std::string_view user) const override {
    return ring_home(user, view_.nodes());
  }

  uint64_t view() const noexcept override {
    return view_.hash();
  }

  bool settled() const noexcept override {
    return view_.settled();
  }

  uint64_t session(uint16_t node) const override;

  uint64_t process(uint16_t node) const override;

  uint32_t losses() const noexcept override {
    return losses_;
  }

  void reattached(uint64_t serial) override {
    if (!view_.reattached(serial))
      return;
    for (auto node : view_.nodes())
      if (node != self_)
        mesh::send(node, view_.say(node));
    note_settled();
  }

  uint64_t version_floor() override {
    return floor_;
  }

  void raise_version_floor() override;

  // -- membership_side --------------------------------------------------------

  cluster_info info() const override;

  void leave() override;

  bool drain(uint16_t node) override;

  void start(mesh_rooms rooms, std::string address,
             std::vector<wire::fingerprint> alike);

  // -- link_owner -------------------------------------------------------------

  void on_welcome(link& x, const wire::hello& from) override;

  void on_refused(link& x, const wire::refusal& what) override;

  void on_item(link& x, uint8_t tag, std::string_view item) override;

  void on_acked(link& x, uint64_t number) override;

  void on_lost(link& x, const std::string& why) override;

  void on_broken(const caf::node_id& process) override;

  uint64_t floor() override {
    return floor_;
  }

  uint64_t draw() override;

  void on_floor(uint64_t there) override;

protected:
  void receive(caf::mailbox_element& x) override;

  void on_end(const caf::error&) override;

  std::string* begin(uint16_t node) override;

  uint64_t end(uint16_t node) override;

private:
  struct opening {
    std::string address;
    caf::strong_actor_ptr keep;
  };

  session::time_point now() const noexcept {
    return home_wheel().now();
  }

  session::timer_wheel& home_wheel() const noexcept {
    return light_actor::home().home().wheel();
  }

  // -- items ------------------------------------------------------------------

  template <class T, class F>
  void take(uint16_t node, std::string_view item, F&& fun) {
    T x;
    wire::reader in{item};
    inspect(in, x);
    x.from = node;
    if (in.ok())
      fun(x);
    else
      spdlog::error("node {} sent a broken {}", node, T::label);
  }

  template <class T>
  void pass(const caf::actor& to, uint16_t node, std::string_view item) {
    take<T>(node, item, [&](T& x) {
      if constexpr (requires { x.before; })
        x.before = late_ ? peers_[node].losses : 0;
      if constexpr (requires { x.from_process; })
        x.from_process = peers_[node].incarnation;
      // What other nodes have reported by now is before it in USERS' queue, and
      // what makes the view settled later is not.
      if constexpr (requires { x.settled_here; })
        x.settled_here = view_.settled();
      if (to)
        caf::anon_send(to, std::move(x));
    });
  }

  template <class... Ts>
  bool pass_one_of(const caf::actor& to, uint16_t node, uint8_t tag,
                   std::string_view item) {
    return ((Ts::tag == tag && (pass<Ts>(to, node, item), true)) || ...);
  }

  bool pass_to_users(const caf::actor& to, uint16_t node, uint8_t tag,
                     std::string_view item);

  bool pass_to_relay(uint16_t node, uint8_t tag, std::string_view item);

  // -- sessions ---------------------------------------------------------------

  wire::hello hello(uint64_t session, const link_stream* stream);

  std::vector<wire::member> known() const;

  /// Returns why a node may not be linked.
  misfit judge(const wire::hello& x) const;

  /// Returns whether a node with a number that is taken has to give way: not
  /// to this one if it was there before. This one gives way then.
  bool must_yield(const wire::hello& x);

  /// The node at this address says that our number is another one's.
  void note_conflict(const std::string& by);

  void note_differences(peer& p, const wire::hello& from);

  uint64_t age() const {
    return static_cast<uint64_t>(now() - born_);
  }

  /// Another node dials.
  void on(link_open& x);

  void dialed_self(uint64_t session);

  void bring_up(link& x, caf::strong_actor_ptr keep, const wire::hello& from);

  void learn(const wire::member& x);

  /// The set of live nodes is another one.
  void changed();

  void note_settled();

  uint16_t node_of(const link& x) const;

  // -- dialing ----------------------------------------------------------------

  target* target_of(const link& x);

  bool wanted(const std::string& address, const target& x) const;

  void on_look();

  void dial(const std::string& address, target& x);

  void on(dialed& x);

  void report(target& x, const std::string& why);

  const settings& opts_;
  counters& count_;
  population population_;
  dial_function dial_;
  chance chance_;
  cut_function cut_;
  uint16_t self_;
  uint64_t incarnation_;
  std::string address_;
  mesh_rooms rooms_;
  view_state view_;
  uint64_t floor_;
  session::timer timer_;
  session::time_point born_;
  std::vector<wire::fingerprint> alike_;
  /// Why this node must not take part, and until when that holds unless it is
  /// heard again.
  std::string conflict_;
  /// Address of the node that says so.
  std::string conflict_by_;
  session::time_point conflict_until_ = 0;
  std::map<uint16_t, peer> peers_;
  /// By address.
  std::map<std::string, target> targets_;
  /// Sessions that were dialed and not answered yet.
  std::map<link*, opening> pending_;
  /// Refusals that were logged.
  std::set<std::string> reported_;
  uint32_t losses_ = 0;
  /// Whether the item that is being taken was filled before its session.
  bool late_ = false;
  bool settled_noted_ = true;
  bool leaving_ = false;
  bool ending_ = false;
};

} // namespace signalbox
