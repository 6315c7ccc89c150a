#include "actors/membership/membership.hpp"

#include "actors/api/ring.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/membership/draw.hpp"
#include "actors/membership/peers.hpp"
#include "actors/membership/view.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <ctime>

namespace signalbox {

namespace {

/// How often MEMBERSHIP looks whom to dial, in milliseconds.
constexpr int64_t look = 100;

/// Between two attempts to reach a node, in milliseconds; doubled each time,
/// and a random part of it is taken off.
constexpr int64_t first_delay = 200;
constexpr int64_t longest_delay = 5000;

/// Versions per second of the clock, as USERS numbers them.
constexpr int version_bits = 20;

/// A clock may be so many seconds ahead of what its node last told.
constexpr uint64_t version_leap = 2;

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
      timer_(session::make_timer<&membership_impl::on_look>(this)) {
    for (const auto& each : opts.cluster.seeds)
      targets_[each];
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

  std::vector<uint16_t> lost() const override {
    std::vector<uint16_t> out;
    for (const auto& [node, x] : peers_)
      if (x.up == nullptr && !x.left
          && now() - x.lost_at < opts_.cluster.forget_after.count())
        out.push_back(node);
    return out;
  }

  uint16_t home(std::string_view user) const override {
    return ring_home(user, view_.nodes());
  }

  uint64_t view() const noexcept override {
    return view_.hash();
  }

  bool settled() const noexcept override {
    return view_.settled();
  }

  uint64_t session(uint16_t node) const override {
    auto i = peers_.find(node);
    return i == peers_.end() || i->second.up == nullptr
             ? 0
             : i->second.up->session();
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
    return floor();
  }

  // -- membership_side --------------------------------------------------------

  cluster_info info() const override {
    cluster_info out;
    out.node = self_;
    out.name = opts_.cluster.name;
    out.settled = view_.settled();
    for (const auto& [node, x] : peers_) {
      const auto& s = x.stream;
      out.members.push_back({node,
                             x.up != nullptr ? "up"
                             : x.left        ? "left"
                                             : "dead",
                             x.address, s.round_trip, s.out.bytes(),
                             x.reconnects, s.sent_bytes, s.received_bytes,
                             s.sent_batches, s.received_batches});
    }
    return out;
  }

  void leave() override {
    leaving_ = true;
    for (auto node : view_.nodes())
      mesh::send(node, wire::leaving{});
  }

  bool drain(uint16_t node) override {
    if (node != self_)
      return mesh::send(node, wire::drain{}) != 0;
    if (rooms_.drain)
      rooms_.drain();
    return true;
  }

  void start(mesh_rooms rooms, std::string address) {
    rooms_ = std::move(rooms);
    address_ = std::move(address);
    on_look();
  }

  // -- link_owner -------------------------------------------------------------

  void on_welcome(link& x, const wire::hello& from) override {
    auto* at = target_of(x);
    if (at == nullptr) {
      x.end("nobody dialed");
      return;
    }
    auto why = judge(from);
    auto known = peers_.find(from.node);
    // Both dialed at the same time: the session that the lower one dialed
    // stays.
    if (why.empty() && known != peers_.end() && known->second.up != nullptr
        && self_ > from.node)
      why = "there is a session already";
    if (!why.empty()) {
      x.end(why);
      return;
    }
    at->busy = false;
    at->known = true;
    at->node = from.node;
    at->delay = 0;
    at->trouble.clear();
    auto pending = pending_.extract(&x);
    bring_up(x, std::move(pending.mapped().keep), from);
  }

  void on_refused(link& x, uint16_t node) override {
    if (auto* at = target_of(x)) {
      at->known = true;
      at->node = node;
    }
  }

  void on_item(link& x, uint8_t tag, std::string_view item) override {
    auto node = node_of(x);
    switch (tag) {
    case wire::view::tag:
      take<wire::view>(node, item, [&](wire::view& y) {
        if (view_.take(node, y))
          mesh::send(node, view_.say(node));
        note_settled();
      });
      break;
    case wire::members::tag:
      take<wire::members>(node, item, [&](wire::members& y) {
        for (const auto& each : y.known)
          learn(each);
      });
      break;
    case wire::leaving::tag:
      peers_[node].left = true;
      x.end("it left");
      break;
    case wire::drain::tag:
      spdlog::info("node {} asks this one to drain", node);
      drain(self_);
      break;
    case wire::tunnel::tag:
      take<wire::tunnel>(node, item, [&](wire::tunnel& y) {
        if (rooms_.tunnels && y.session == x.session())
          caf::anon_send(rooms_.tunnels, std::move(y));
      });
      break;
    default:
      pass_to_users(node, tag, item) || pass_to_relay(node, tag, item);
    }
  }

  void on_acked(link& x, uint64_t number) override {
    if (rooms_.relay)
      caf::anon_send(rooms_.relay, batches_acked{node_of(x), number});
  }

  void on_lost(link& x, const std::string& why) override {
    if (auto* at = target_of(x)) {
      at->busy = false;
      if (wanted(pending_[&x].address, *at))
        report(*at, why);
      pending_.erase(&x);
      return;
    }
    for (auto& [node, p] : peers_) {
      if (p.up != &x)
        continue;
      p.up = nullptr;
      p.keep = nullptr;
      p.lost_at = now();
      if (!ending_)
        spdlog::warn("node {} at {} is {}: {}", node, p.address,
                     p.left ? "gone" : "dead", why);
      if (auto i = targets_.find(p.address); i != targets_.end())
        i->second.next = now() + first_delay;
      view_.down(node);
      changed();
      return;
    }
  }

  void on_broken(const caf::node_id& process) override {
    if (cut_)
      cut_(process);
  }

  uint64_t floor() override {
    floor_ = std::max(floor_, chance_.seconds() << version_bits);
    return floor_;
  }

  uint64_t draw() override {
    return chance_.draw();
  }

  void on_floor(uint64_t there) override {
    floor_ = std::max(floor_, there);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known = dispatch<link_open, dialed>(x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error&) override {
    population_.end();
    ending_ = true;
    timer_.cancel();
    auto all = std::move(peers_);
    peers_.clear();
    for (auto& [node, x] : all)
      if (x.up != nullptr)
        x.up->end("this node ends");
    auto dials = std::move(pending_);
    pending_.clear();
    for (auto& [x, p] : dials)
      x->end("this node ends");
    rooms_ = {};
    dial_ = nullptr;
    cut_ = nullptr;
  }

  std::string* begin(uint16_t node) override {
    auto i = peers_.find(node);
    return i == peers_.end() || i->second.up == nullptr ? nullptr
                                                        : &i->second.up->open();
  }

  uint64_t end(uint16_t node) override {
    return peers_[node].up->wrote();
  }

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
    take<T>(node, item, [&to](T& x) {
      if (to)
        caf::anon_send(to, std::move(x));
    });
  }

  template <class... Ts>
  bool pass_one_of(const caf::actor& to, uint16_t node, uint8_t tag,
                   std::string_view item) {
    return ((Ts::tag == tag && (pass<Ts>(to, node, item), true)) || ...);
  }

  bool pass_to_users(uint16_t node, uint8_t tag, std::string_view item) {
    return pass_one_of<wire::attach, wire::attached, wire::detach, wire::hold,
                       wire::release, wire::recall, wire::locate>(
      rooms_.users, node, tag, item);
  }

  bool pass_to_relay(uint16_t node, uint8_t tag, std::string_view item) {
    return pass_one_of<wire::located, wire::deliver, wire::broadcast,
                       wire::routed, wire::confirmed, wire::command,
                       wire::command_done, wire::submit, wire::claim,
                       wire::claimed, wire::claim_settled>(rooms_.relay, node,
                                                           tag, item);
  }

  // -- sessions ---------------------------------------------------------------

  wire::hello hello(uint64_t session, const link_stream* stream) const {
    wire::hello out;
    out.cluster = opts_.cluster.name;
    out.node = self_;
    out.incarnation = incarnation_;
    out.session = session;
    out.address = address_;
    if (stream != nullptr) {
      out.stream = stream->in_stream;
      out.received = stream->received;
    }
    out.known = known();
    return out;
  }

  std::vector<wire::member> known() const {
    std::vector<wire::member> out;
    for (const auto& [node, x] : peers_)
      if (!x.left)
        out.push_back({node, x.address});
    return out;
  }

  /// Returns why a node may not be linked, empty if it may.
  std::string judge(const wire::hello& x) const {
    if (x.cluster != opts_.cluster.name)
      return "it belongs to the cluster \"" + x.cluster + "\", not to \""
             + opts_.cluster.name + "\"; compare cluster.name";
    if (x.major != wire::major_version)
      return "it speaks version " + std::to_string(x.major) + ", not "
             + std::to_string(wire::major_version)
             + "; run releases that are at most one minor version apart";
    auto i = peers_.find(x.node);
    if (x.node == self_
        || (i != peers_.end() && i->second.up != nullptr
            && i->second.incarnation != x.incarnation
            && i->second.address != x.address))
      return "its number " + std::to_string(x.node)
             + " is taken; give each node its own router.node";
    if (leaving_)
      return "this node leaves";
    return {};
  }

  /// Another node dials.
  void on(link_open& x) {
    std::string_view bytes{x.bytes};
    std::string_view item;
    uint8_t tag = 0;
    wire::hello from;
    if (!x.link || !wire::next(bytes, tag, item) || tag != wire::hello::tag)
      return;
    wire::reader in{item};
    inspect(in, from);
    if (!in.ok())
      return;
    if (from.incarnation == incarnation_) {
      dialed_self(from.session);
      return;
    }
    if (auto why = judge(from); !why.empty()) {
      if (reported_.insert(from.address + why).second)
        spdlog::warn("refused node {} at {}: {}", from.node, from.address, why);
      link::refuse(x.link, from.session, {0, why});
      return;
    }
    // It called while it was called, or lost a session that ends here soon. Its
    // hello tells of the batches before this session.
    auto i = peers_.find(from.node);
    if (i != peers_.end() && i->second.up != nullptr
        && i->second.incarnation == from.incarnation) {
      link::refuse(x.link, from.session,
                   {0, "there is a session already", self_});
      return;
    }
    auto [handle, self] = spawn_light<link, caf::actor>(
      light_actor::home(), *this, opts_.cluster, count_, from.session);
    self->welcome(
      std::move(x.link),
      hello(from.session, i == peers_.end() ? nullptr : &i->second.stream));
    bring_up(*self, caf::actor_cast<caf::strong_actor_ptr>(handle), from);
  }

  void dialed_self(uint64_t session) {
    for (auto& [x, p] : pending_) {
      if (x->session() != session)
        continue;
      targets_[p.address].self = true;
      x->end("it is this node");
      return;
    }
  }

  void bring_up(link& x, caf::strong_actor_ptr keep, const wire::hello& from) {
    auto first = peers_.count(from.node) == 0;
    if (auto* old = peers_[from.node].up)
      old->end("a new session takes its place");
    auto& p = peers_[from.node];
    p.address = from.address;
    p.incarnation = from.incarnation;
    p.up = &x;
    p.keep = std::move(keep);
    p.left = false;
    if (!first)
      ++p.reconnects;
    auto& at = targets_[from.address];
    at.known = true;
    at.node = from.node;
    x.begin(p.stream, from);
    spdlog::info("node {} at {} is {}", from.node, from.address,
                 first ? "here" : "back");
    view_.up(from.node, from.incarnation);
    changed();
    for (const auto& each : from.known)
      learn(each);
    for (auto node : view_.nodes())
      mesh::send(node, wire::members{0, known()});
  }

  void learn(const wire::member& x) {
    if (x.node == self_ || x.address.empty() || targets_.count(x.address) > 0)
      return;
    auto& at = targets_[x.address];
    at.known = true;
    at.node = x.node;
    // The lower one dials, the other one only if nothing comes of it.
    at.next = now() + (self_ < x.node ? 0 : longest_delay / 2);
  }

  /// The set of live nodes is another one.
  void changed() {
    floor_ = floor() + (version_leap << version_bits);
    settled_noted_ = false;
    for (const auto& to : {rooms_.users, rooms_.relay, rooms_.tunnels})
      if (to)
        caf::anon_send(to, view_changed{view_.serial(), view_.nodes()});
  }

  void note_settled() {
    if (view_.settled() && !std::exchange(settled_noted_, true)
        && view_.nodes().size() > 1)
      spdlog::info("{} nodes agree on who lives", view_.nodes().size());
  }

  uint16_t node_of(const link& x) const {
    for (const auto& [node, p] : peers_)
      if (p.up == &x)
        return node;
    return self_;
  }

  // -- dialing ----------------------------------------------------------------

  target* target_of(const link& x) {
    auto i = pending_.find(const_cast<link*>(&x));
    return i == pending_.end() ? nullptr : &targets_[i->second.address];
  }

  bool wanted(const std::string& address, const target& x) const {
    if (x.self || x.busy || leaving_ || address == address_)
      return false;
    if (!x.known)
      return true;
    auto i = peers_.find(x.node);
    return i == peers_.end() || (i->second.up == nullptr && !i->second.left);
  }

  void on_look() {
    for (auto& [address, x] : targets_)
      if (wanted(address, x) && now() >= x.next)
        dial(address, x);
    home_wheel().arm(timer_, look);
  }

  void dial(const std::string& address, target& x) {
    x.busy = true;
    auto most = std::clamp(x.delay * 2, first_delay, longest_delay);
    x.delay = most;
    x.next = now() + most / 2
             + static_cast<int64_t>(draw() % static_cast<uint64_t>(most / 2));
    dial_(address,
          caf::actor_cast<membership_actor>(caf::strong_actor_ptr{ctrl()}));
  }

  void on(dialed& x) {
    auto& at = targets_[x.address];
    at.busy = false;
    // It may have called meanwhile.
    if (!x.gate || !wanted(x.address, at)) {
      report(at, x.error);
      return;
    }
    at.busy = true;
    auto session = draw();
    auto [handle, self] = spawn_light<link, caf::actor>(
      light_actor::home(), *this, opts_.cluster, count_, session);
    pending_[self] = {x.address,
                      caf::actor_cast<caf::strong_actor_ptr>(handle)};
    auto i = at.known ? peers_.find(at.node) : peers_.end();
    self->dial(x.gate,
               hello(session, i == peers_.end() ? nullptr : &i->second.stream));
  }

  void report(target& x, const std::string& why) {
    if (x.self || why.empty() || x.trouble == why || ending_)
      return;
    x.trouble = why;
    for (const auto& [address, each] : targets_)
      if (&each == &x)
        spdlog::warn("cannot link to {}: {}; trying again", address, why);
  }

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
  session::timer timer_;
  std::map<uint16_t, peer> peers_;
  /// By address.
  std::map<std::string, target> targets_;
  /// Sessions that were dialed and not answered yet.
  std::map<link*, opening> pending_;
  /// Refusals that were logged.
  std::set<std::string> reported_;
  uint64_t floor_ = 0;
  bool settled_noted_ = true;
  bool leaving_ = false;
  bool ending_ = false;
};

membership_impl& impl_of(const membership_ref& x) {
  return *static_cast<membership_impl*>(x.local);
}

} // namespace

chance real_chance() {
  return {[] { return draw(); },
          [] { return static_cast<uint64_t>(std::time(nullptr)); }};
}

membership_ref spawn_membership(shard& home, const settings& opts,
                                counters& count, dial_function dial,
                                chance from, cut_function cut) {
  auto [handle, self] = spawn_light<membership_impl, membership_actor>(
    home, opts, count, std::move(dial), std::move(from), std::move(cut));
  return {handle, self};
}

void start_membership(const membership_ref& x, mesh_rooms rooms,
                      std::string address) {
  auto& impl = impl_of(x);
  impl.light_actor::home().home().post(
    [&impl, keep = x.handle, rooms = std::move(rooms),
     address = std::move(address)] { impl.start(rooms, address); });
}

} // namespace signalbox
