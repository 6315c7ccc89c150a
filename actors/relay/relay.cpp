#include "actors/relay/relay.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/relay/gather.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <unordered_map>

namespace signalbox {

namespace {

/// Marks numbers that stand for an event or confirm of another node.
constexpr uint64_t foreign_bit = uint64_t{1} << 63;

/// How often RELAY looks for answers that are overdue, in milliseconds.
constexpr int64_t look = 100;

std::vector<std::string> attachments_of(const codec::shared_event& x) {
  std::vector<std::string> out;
  const auto& packets = x.packets(codec::wire_form::v4);
  for (size_t i = 1; i < packets.size(); ++i)
    out.emplace_back(packets[i]->text());
  return out;
}

codec::event_ptr make_event(std::string nsp, std::string args,
                            std::vector<std::string> attachments) {
  return std::make_shared<const codec::shared_event>(
    std::move(nsp), std::move(args), std::move(attachments));
}

class relay_impl : public light_actor {
public:
  relay_impl(caf::actor_config& cfg, shard& at, const cluster_settings& opts,
             mesh& others, users_actor users,
             std::map<std::string, nsp_actor> nsps, counters& count)
    : light_actor(cfg, at), opts_(opts), mesh_(&others),
      users_(std::move(users)), nsps_(std::move(nsps)),
      population_(count, actor_kind::relay),
      timer_(session::make_timer<&relay_impl::on_look>(this)) {
    // nop
  }

  const char* name() const override {
    return "signalbox.relay";
  }

  void set_ingest(ingest_actor ingest) {
    ingest_ = std::move(ingest);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    auto known =
      dispatch<deliver_users, broadcast, user_command, routed, user_info,
               confirmed, view_changed, batches_acked, wire::located,
               wire::deliver, wire::broadcast, wire::routed, wire::confirmed,
               wire::command, wire::command_done>(
        x, [this](auto& msg) { on(msg); });
    if (!known)
      unexpected(x);
  }

  void on_end(const caf::error&) override {
    population_.end();
    timer_.cancel();
    users_ = nullptr;
    nsps_.clear();
    ingest_ = nullptr;
    lanes_.clear();
    locating_.clear();
  }

private:
  /// An event on its way to the nodes.
  struct event {
    bool ready() const noexcept {
      return homes.empty();
    }

    /// One of the two.
    deliver_users users;
    broadcast all;
    bool to_users = false;
    /// Homes that were asked, with the positions of their users.
    std::map<uint16_t, std::vector<size_t>> homes;
    std::vector<wire::whereabouts> where;
    /// Nobody can say where the users are: it goes to every node.
    bool flood = false;
  };

  using event_ptr = std::shared_ptr<event>;

  /// What a number with `foreign_bit` stands for.
  struct foreign {
    uint16_t node = 0;
    uint64_t number = 0;
    session::time_point until = 0;
  };

  session::time_point now() {
    return home().home().wheel().now();
  }

  // -- events of this node ----------------------------------------------------

  void on(deliver_users& x) {
    auto e = std::make_shared<event>();
    e->to_users = true;
    e->users = std::move(x);
    locate(e);
    push(e->users.event->nsp(), e);
  }

  void on(broadcast& x) {
    auto e = std::make_shared<event>();
    e->all = std::move(x);
    push(e->all.event->nsp(), e);
  }

  void push(const std::string& nsp, const event_ptr& x) {
    auto& lane = lanes_[nsp];
    lane.push_back(x);
    pump(lane);
  }

  /// Sends what has nothing before it that waits.
  void pump(std::deque<event_ptr>& lane) {
    while (!lane.empty() && lane.front()->ready()) {
      auto x = std::move(lane.front());
      lane.pop_front();
      if (!x->to_users)
        send_broadcast(*x);
      else if (x->flood)
        send_to_all(*x);
      else
        send_to_holders(*x);
    }
  }

  /// Asks the homes of the users where they are.
  void locate(const event_ptr& e) {
    if (!mesh_->settled()) {
      e->flood = true;
      return;
    }
    const auto& users = e->users.users;
    e->where.resize(users.size());
    for (size_t i = 0; i < users.size(); ++i)
      e->homes[mesh_->home(users[i])].push_back(i);
    for (const auto& [node, positions] : e->homes) {
      wire::locate out;
      out.from = mesh_->self();
      out.ticket = e->users.ticket;
      out.nsp = e->users.event->nsp();
      out.view = mesh_->view();
      for (auto i : positions)
        out.users.push_back(users[i]);
      if (node == mesh_->self())
        caf::anon_send(users_, std::move(out));
      else
        mesh_->send(node, out);
    }
    locating_[e->users.ticket] = e;
    overdue_.emplace_back(now() + opts_.request_timeout.count(),
                          e->users.ticket);
    arm();
  }

  void on(wire::located& x) {
    auto i = locating_.find(x.ticket);
    if (i == locating_.end())
      return;
    auto e = i->second;
    auto node = e->homes.extract(x.from);
    if (node.empty())
      return;
    if (!x.settled || x.users.size() != node.mapped().size())
      e->flood = true;
    else
      for (size_t k = 0; k < x.users.size(); ++k)
        e->where[node.mapped()[k]] = std::move(x.users[k]);
    settle(e);
  }

  /// An event has one home less to wait for.
  void settle(const event_ptr& e) {
    if (e->flood)
      e->homes.clear();
    if (!e->ready())
      return;
    locating_.erase(e->users.ticket);
    pump(lanes_[e->users.event->nsp()]);
  }

  // -- to the nodes -----------------------------------------------------------

  gather& begin(uint64_t ticket, const std::vector<uint16_t>& nodes) {
    auto i = gathers_.insert_or_assign(ticket, gather{ticket, nodes}).first;
    overdue_.emplace_back(now() + opts_.request_timeout.count(), ticket);
    arm();
    return i->second;
  }

  void send_broadcast(event& x) {
    auto& g = begin(x.all.ticket, mesh_->nodes());
    wire::broadcast out;
    out.ticket = x.all.ticket;
    out.nsp = x.all.event->nsp();
    out.args = x.all.event->args();
    out.attachments = attachments_of(*x.all.event);
    out.rooms = x.all.rooms;
    out.volatile_ = x.all.volatile_;
    for (auto node : mesh_->nodes())
      if (node == mesh_->self())
        to_namespace(std::move(x.all));
      else if (mesh_->send(node, out) == 0)
        g.lost(node);
    finish_if_complete(out.ticket);
  }

  static wire::deliver describe(const deliver_users& x) {
    wire::deliver out;
    out.nsp = x.event->nsp();
    out.args = x.event->args();
    out.attachments = attachments_of(*x.event);
    out.volatile_ = x.volatile_;
    out.confirm = x.confirm;
    out.confirm_ms = x.confirm_ms;
    return out;
  }

  void send_to_all(event& x) {
    auto& g = begin(x.users.ticket, mesh_->nodes());
    auto out = describe(x.users);
    out.ticket = x.users.ticket;
    out.users = x.users.users;
    for (auto node : mesh_->nodes())
      if (node == mesh_->self())
        caf::anon_send(users_, x.users);
      else if (mesh_->send(node, out) == 0)
        g.lost(node);
    finish_if_complete(out.ticket);
  }

  /// What the homes said is the answer; it waits only until the nodes have the
  /// event.
  void send_to_holders(event& x) {
    routed answer;
    std::map<uint16_t, std::vector<std::string>> holders;
    for (size_t i = 0; i < x.where.size(); ++i) {
      const auto& at = x.where[i];
      const auto& user = x.users.users[i];
      answer.matched += at.known ? 1 : 0;
      answer.online += at.online;
      if (at.online == 0 && x.users.confirm != 0)
        answer.offline.push_back(user);
      for (auto node : at.nodes)
        holders[node].push_back(user);
    }
    auto ticket = x.users.ticket;
    std::vector<uint16_t> nodes{mesh_->self()};
    for (const auto& [node, users] : holders)
      if (node != mesh_->self())
        nodes.push_back(node);
    auto& g = begin(ticket, nodes);
    auto out = describe(x.users);
    for (auto& [node, users] : holders) {
      if (node == mesh_->self()) {
        auto local = x.users;
        local.ticket = 0;
        local.users = std::move(users);
        caf::anon_send(users_, std::move(local));
        continue;
      }
      out.users = std::move(users);
      if (auto number = mesh_->send(node, out); number != 0)
        acks_[node].emplace_back(number, ticket);
      else
        g.lost(node);
    }
    answer.ticket = ticket;
    g.event = std::move(answer);
    g.done(mesh_->self());
    finish_if_complete(ticket);
  }

  void to_namespace(broadcast x) {
    auto i = nsps_.find(x.event->nsp());
    if (i != nsps_.end() && i->second) {
      caf::anon_send(i->second, std::move(x));
      return;
    }
    routed nobody;
    nobody.ticket = x.ticket;
    on(nobody);
  }

  // -- answers ----------------------------------------------------------------

  /// USERS or an NSP here has answered.
  void on(routed& x) {
    if ((x.ticket & foreign_bit) != 0) {
      auto i = foreign_events_.extract(x.ticket);
      if (!i.empty())
        mesh_->send(i.mapped().node,
                    wire::routed{0, i.mapped().number, x.matched, x.online,
                                 std::move(x.offline), std::move(x.found)});
      return;
    }
    add(mesh_->self(), x.ticket, x);
  }

  void on(wire::routed& x) {
    routed part;
    part.matched = x.matched;
    part.online = x.online;
    part.offline = std::move(x.offline);
    part.found = std::move(x.found);
    add(x.from, x.ticket, part);
  }

  void on(batches_acked& x) {
    auto& all = acks_[x.node];
    while (!all.empty() && all.front().first <= x.number) {
      auto ticket = all.front().second;
      all.pop_front();
      auto i = gathers_.find(ticket);
      if (i == gathers_.end())
        continue;
      i->second.done(x.node);
      finish_if_complete(ticket);
    }
  }

  template <class T>
  void add(uint16_t node, uint64_t ticket, const T& part) {
    auto i = gathers_.find(ticket);
    if (i == gathers_.end())
      return;
    i->second.add(node, part);
    finish_if_complete(ticket);
  }

  void finish_if_complete(uint64_t ticket) {
    auto i = gathers_.find(ticket);
    if (i == gathers_.end() || !i->second.complete())
      return;
    auto done = std::move(i->second);
    gathers_.erase(i);
    done.finish(mesh_->lost());
    if (!ingest_)
      return;
    if (done.command)
      caf::anon_send(ingest_, std::move(done.info));
    else
      caf::anon_send(ingest_, std::move(done.event));
  }

  void on(view_changed& x) {
    auto lives = [&x](uint16_t node) {
      return std::binary_search(x.nodes.begin(), x.nodes.end(), node);
    };
    // Without its home's word an event goes to everybody; the order of each
    // namespace stays.
    std::vector<event_ptr> asked;
    for (const auto& [ticket, e] : locating_)
      if (std::any_of(e->homes.begin(), e->homes.end(),
                      [&](const auto& y) { return !lives(y.first); }))
        asked.push_back(e);
    for (const auto& e : asked) {
      e->flood = true;
      settle(e);
    }
    std::erase_if(acks_, [&](const auto& y) { return !lives(y.first); });
    std::vector<uint64_t> all;
    for (auto& [ticket, g] : gathers_)
      all.push_back(ticket);
    for (auto ticket : all) {
      for (auto node : nodes_)
        if (!lives(node))
          gathers_.at(ticket).lost(node);
      finish_if_complete(ticket);
    }
    nodes_ = std::move(x.nodes);
  }

  // -- commands ---------------------------------------------------------------

  void on(user_command& x) {
    auto& g = begin(x.ticket, mesh_->nodes());
    g.command = true;
    wire::command out{0,
                      x.ticket,
                      static_cast<uint8_t>(x.what),
                      x.connections,
                      x.ids,
                      x.nsp,
                      x.join,
                      x.leave};
    for (auto node : mesh_->nodes())
      if (node == mesh_->self())
        caf::anon_send(users_, x);
      else if (mesh_->send(node, out) == 0)
        g.lost(node);
  }

  void on(user_info& x) {
    if ((x.ticket & foreign_bit) != 0) {
      auto i = foreign_events_.extract(x.ticket);
      if (!i.empty())
        mesh_->send(i.mapped().node,
                    wire::command_done{0, i.mapped().number, x.version,
                                       std::move(x.info),
                                       std::move(x.connections),
                                       std::move(x.online), x.changed});
      return;
    }
    add(mesh_->self(), x.ticket, x);
  }

  void on(wire::command_done& x) {
    user_info part;
    part.version = x.version;
    part.info = std::move(x.info);
    part.connections = std::move(x.connections);
    part.online = std::move(x.online);
    part.changed = x.changed;
    add(x.from, x.ticket, part);
  }

  // -- events of other nodes --------------------------------------------------

  uint64_t note(std::unordered_map<uint64_t, foreign>& in, uint16_t node,
                uint64_t number, int64_t keep_ms) {
    auto out = ++last_foreign_ | foreign_bit;
    in[out] = {node, number, now() + keep_ms};
    arm();
    return out;
  }

  void on(wire::deliver& x) {
    deliver_users out;
    if (x.ticket != 0)
      out.ticket =
        note(foreign_events_, x.from, x.ticket, opts_.request_timeout.count());
    if (x.confirm != 0)
      out.confirm = note(foreign_confirms_, x.from, x.confirm,
                         x.confirm_ms + opts_.request_timeout.count());
    out.confirm_ms = x.confirm_ms;
    out.users = std::move(x.users);
    out.event =
      make_event(std::move(x.nsp), std::move(x.args), std::move(x.attachments));
    out.volatile_ = x.volatile_;
    caf::anon_send(users_, std::move(out));
  }

  void on(wire::broadcast& x) {
    broadcast out;
    out.ticket =
      note(foreign_events_, x.from, x.ticket, opts_.request_timeout.count());
    out.event =
      make_event(std::move(x.nsp), std::move(x.args), std::move(x.attachments));
    out.rooms = std::move(x.rooms);
    out.volatile_ = x.volatile_;
    to_namespace(std::move(out));
  }

  void on(wire::command& x) {
    user_command out;
    out.what = static_cast<user_command::kind>(x.what);
    out.ticket =
      note(foreign_events_, x.from, x.ticket, opts_.request_timeout.count());
    out.connections = x.connections;
    out.ids = std::move(x.ids);
    out.nsp = std::move(x.nsp);
    out.join = std::move(x.join);
    out.leave = std::move(x.leave);
    if (!out.ids.empty())
      caf::anon_send(users_, std::move(out));
  }

  /// A client here has acknowledged an event.
  void on(confirmed& x) {
    if ((x.confirm & foreign_bit) == 0) {
      if (ingest_)
        caf::anon_send(ingest_, std::move(x));
      return;
    }
    // Kept until its time is over: several users may owe one.
    auto i = foreign_confirms_.find(x.confirm);
    if (i != foreign_confirms_.end())
      mesh_->send(i->second.node,
                  wire::confirmed{0, i->second.number, std::move(x.user)});
  }

  void on(wire::confirmed& x) {
    if (ingest_)
      caf::anon_send(ingest_, confirmed{x.confirm, std::move(x.user)});
  }

  // -- deadlines --------------------------------------------------------------

  void arm() {
    if (!std::exchange(armed_, true))
      home().home().wheel().arm(timer_, look);
  }

  void on_look() {
    armed_ = false;
    while (!overdue_.empty() && overdue_.front().first <= now()) {
      auto ticket = overdue_.front().second;
      overdue_.pop_front();
      if (auto i = locating_.find(ticket); i != locating_.end()) {
        auto e = i->second;
        e->flood = true;
        settle(e);
      } else if (auto j = gathers_.find(ticket); j != gathers_.end()) {
        j->second.give_up();
        finish_if_complete(ticket);
      }
    }
    for (auto* each : {&foreign_events_, &foreign_confirms_})
      std::erase_if(*each,
                    [this](const auto& x) { return x.second.until <= now(); });
    if (!overdue_.empty() || !foreign_events_.empty()
        || !foreign_confirms_.empty())
      arm();
  }

  const cluster_settings& opts_;
  mesh* mesh_;
  users_actor users_;
  std::map<std::string, nsp_actor> nsps_;
  ingest_actor ingest_;
  population population_;
  session::timer timer_;
  bool armed_ = false;
  std::vector<uint16_t> nodes_;
  /// Events of each namespace in the order of acceptance.
  std::unordered_map<std::string, std::deque<event_ptr>> lanes_;
  /// Events whose homes have been asked, in the order of acceptance.
  std::map<uint64_t, event_ptr> locating_;
  /// Events and commands whose answers are awaited.
  std::unordered_map<uint64_t, gather> gathers_;
  /// By node: batches, and the events that are complete when they arrive.
  std::unordered_map<uint16_t, std::deque<std::pair<uint64_t, uint64_t>>> acks_;
  /// When an answer is too late, in that order.
  std::deque<std::pair<session::time_point, uint64_t>> overdue_;
  std::unordered_map<uint64_t, foreign> foreign_events_;
  std::unordered_map<uint64_t, foreign> foreign_confirms_;
  uint64_t last_foreign_ = 0;
};

} // namespace

relay_ref spawn_relay(shard& home, const cluster_settings& opts, mesh& others,
                      users_actor users, std::map<std::string, nsp_actor> nsps,
                      counters& count) {
  auto handle = spawn_light<relay_impl, caf::actor>(
                  home, opts, others, std::move(users), std::move(nsps), count)
                  .first;
  return {caf::actor_cast<users_actor>(handle),
          caf::actor_cast<nsp_actor>(handle),
          caf::actor_cast<ingest_actor>(handle), handle};
}

void set_ingest(const relay_ref& x, ingest_actor ingest) {
  static_cast<relay_impl*>(caf::actor_cast<caf::abstract_actor*>(x.self))
    ->set_ingest(std::move(ingest));
}

} // namespace signalbox
