#include "actors/relay/relay.hpp"

#include "actors/api/ring.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/relay/relay_impl.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace signalbox {

namespace {

std::vector<std::string> attachments_of(const codec::shared_event& x) {
  std::vector<std::string> out;
  const auto& packets = x.packets(codec::wire_form::v4);
  for (size_t i = 1; i < packets.size(); ++i)
    out.emplace_back(packets[i]->text());
  return out;
}

wire::deliver describe(const deliver_users& x) {
  wire::deliver out;
  out.ticket = x.ticket;
  out.nsp = x.event->nsp();
  out.users = x.users;
  out.args = x.event->args();
  out.attachments = attachments_of(*x.event);
  out.volatile_ = x.volatile_;
  out.confirm = x.confirm;
  out.confirm_ms = x.confirm_ms;
  out.scoped = x.scoped;
  return out;
}

wire::broadcast describe(const broadcast& x) {
  wire::broadcast out;
  out.ticket = x.ticket;
  out.nsp = x.event->nsp();
  out.args = x.event->args();
  out.attachments = attachments_of(*x.event);
  out.rooms = x.rooms;
  out.volatile_ = x.volatile_;
  return out;
}

/// Returns about how much memory an event takes while it waits.
size_t size_of(const codec::shared_event& x,
               const std::vector<std::string>& names) {
  constexpr size_t overhead = 512;
  constexpr size_t per_name = 64;
  auto out = overhead + x.args().size();
  for (const auto& each : names)
    out += per_name + each.size();
  const auto& packets = x.packets(codec::wire_form::v4);
  for (size_t i = 1; i < packets.size(); ++i)
    out += packets[i]->text().size();
  return out;
}

} // namespace

// -- events of this node ------------------------------------------------------

void relay_impl::on(deliver_users& x) {
  auto e = std::make_shared<event>();
  e->to_users = true;
  e->users = std::move(x);
  push(e);
}

void relay_impl::on(broadcast& x) {
  auto e = std::make_shared<event>();
  e->all = std::move(x);
  push(e);
}

void relay_impl::push(const event_ptr& x) {
  auto bytes = x->to_users ? size_of(*x->users.event, x->users.users)
                           : size_of(*x->all.event, x->all.rooms);
  if (!make_room(bytes)) {
    ++count_.limit_cluster_queue;
    routed refused;
    refused.ticket = x->ticket();
    refused.outcome = ec::busy;
    answer(std::move(refused));
    return;
  }
  x->bytes = bytes;
  x->queued = &queued_;
  queued_ += bytes;
  x->deadline = expire(x->ticket());
  if (x->origin == 0 && sequenced_.count(x->nsp()) > 0) {
    x->origin = origin_;
    x->number = ++last_number_;
  }
  claim(x);
  // A sequencer asks where the users are itself.
  if (x->to_users
      && (x->origin == 0 || x->origin != origin_
          || sequencer(x->nsp()) == mesh_->self()))
    locate(x);
  if (!x->ready()) {
    waiting_[x->ticket()] = x;
    // The other half of the time is for the nodes that it goes to then.
    unsaid_.emplace_back(now() + opts_.cluster.request_timeout.count() / 2,
                         x->ticket());
  }
  auto& lane = lanes_[x->nsp()];
  lane.push_back(x);
  pump(lane);
}

/// Returns whether so much more may wait; one event alone may be larger. An
/// event that is only kept in case that its sequencer dies gives way.
bool relay_impl::make_room(size_t bytes) {
  auto full = [&] {
    return queued_ > 0 && queued_ + bytes > opts_.cluster.queue_bytes;
  };
  while (!spare_.empty()
         && (full() || submitted_.size() + spare_.size() >= most_recent))
    spare_.erase(spare_.begin());
  return !full();
}

/// Sends the events that have no waiting one before them.
void relay_impl::pump(std::deque<event_ptr>& lane) {
  while (!lane.empty() && lane.front()->ready()) {
    auto x = std::move(lane.front());
    lane.pop_front();
    if (x->objection)
      refuse(*x);
    else if (auto to = sequencer(x->nsp());
             x->origin == origin_ && to != mesh_->self())
      submit(x, to);
    else
      send_out(*x);
  }
}

/// Asks the homes of the users where they are.
void relay_impl::locate(const event_ptr& e) {
  if (!mesh_->settled()) {
    e->flood = true;
    return;
  }
  const auto& users = e->users.users;
  e->view = mesh_->view();
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
}

void relay_impl::on(wire::located& x) {
  auto i = waiting_.find(x.ticket);
  if (i == waiting_.end())
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

/// An event has one answer less to wait for.
void relay_impl::settle(const event_ptr& e) {
  if (e->flood)
    e->homes.clear();
  if (e->objection) {
    e->homes.clear();
    e->claims.clear();
  }
  if (!e->ready())
    return;
  waiting_.erase(e->ticket());
  pump(lanes_[e->nsp()]);
}

void relay_impl::on(view_changed& x) {
  nodes_ = std::move(x.nodes);
  changed_ = now();
  tell_processes();
  refuse_lost_repeats();
  // Without its home's word an event goes to all nodes; the order of each
  // namespace stays.
  std::vector<event_ptr> asked;
  for (const auto& [ticket, e] : waiting_)
    asked.push_back(e);
  for (const auto& e : asked) {
    for (const auto& [node, positions] : e->homes)
      e->flood = e->flood || !lives(node);
    for (auto node : std::exchange(e->claims, {}))
      if (lives(node))
        e->claims.insert(node);
      else
        e->silent.push_back(node);
    settle(e);
  }
  tell_owed_confirms();
  submit_again();
  std::vector<uint64_t> all;
  for (auto& [ticket, g] : gathers_)
    all.push_back(ticket);
  for (auto ticket : all) {
    gathers_.at(ticket).keep([this](uint16_t node) { return lives(node); });
    finish_if_complete(ticket);
  }
  walk_keys();
}

/// Events that a sequencer has not answered go to its successor, in order; one
/// that has an event already knows it by its number.
void relay_impl::submit_again() {
  std::map<uint64_t, submission> moved;
  for (auto* each : {&submitted_, &spare_})
    std::erase_if(*each, [&](const auto& x) {
      const auto& [node, e, until] = x.second;
      if (sequencer(e->nsp()) == node && lives(node))
        return false;
      moved[e->number] = x.second;
      return true;
    });
  for (const auto& [number, x] : moved) {
    const auto& e = x.what;
    auto to = sequencer(e->nsp());
    gathers_.erase(e->ticket());
    if (to != mesh_->self()) {
      submit(e, to);
      continue;
    }
    e->flood = e->to_users;
    send_out(*e);
  }
}

// -- to the nodes -------------------------------------------------------------

bool relay_impl::lives(uint16_t node) const {
  return std::binary_search(nodes_.begin(), nodes_.end(), node)
         || node == mesh_->self();
}

bool relay_impl::lives(uint16_t node, uint64_t process) const {
  return lives(node) && (process == 0 || process == mesh_->process(node));
}

uint16_t relay_impl::sequencer(const std::string& nsp) const {
  return mesh_->home("sequencer:" + nsp);
}

gather& relay_impl::begin(uint64_t ticket, const std::vector<uint16_t>& nodes,
                          session::time_point until) {
  auto& out =
    gathers_.insert_or_assign(ticket, gather{ticket, nodes}).first->second;
  // They may be back by the time the others have answered.
  out.blame(mesh_->lost());
  out.until = until;
  return out;
}

gather& relay_impl::begin(event& x, const std::vector<uint16_t>& nodes) {
  auto& out =
    begin(x.ticket(), nodes, x.answered ? expire(x.ticket()) : x.deadline);
  out.blame(x.silent);
  out.quiet = x.answered;
  return out;
}

void relay_impl::send_out(event& x) {
  if (!x.to_users)
    send_broadcast(x);
  // While the event waited for others, a node may have come that the home did
  // not know.
  else if (x.flood || x.view != mesh_->view())
    send_to_all(x);
  else
    send_to_holders(x);
}

void relay_impl::submit(const event_ptr& x, uint16_t node) {
  auto& g = begin(*x, {node});
  wire::submit out;
  out.to_users = x->to_users;
  if (x->to_users)
    out.users = describe(x->users);
  else
    out.all = describe(x->all);
  (x->to_users ? out.users.origin : out.all.origin) = x->origin;
  (x->to_users ? out.users.number : out.all.number) = x->number;
  const auto& c = opts_.cluster;
  if (mesh_->send(node, out) == 0)
    g.lost(node);
  else
    (x->answered ? spare_ : submitted_)[x->ticket()] = {
      node, x, now() + (c.dead_after + c.request_timeout).count()};
  finish_if_complete(x->ticket());
}

void relay_impl::send_broadcast(event& x) {
  auto& g = begin(x, mesh_->nodes());
  auto out = describe(x.all);
  out.origin = x.origin;
  out.number = x.number;
  for (auto node : mesh_->nodes())
    if (node != mesh_->self() && mesh_->send(node, out) == 0)
      g.lost(node);
  if (fresh(x.origin, x.number))
    to_namespace(std::move(x.all));
  else
    answer_nobody(out.ticket);
}

void relay_impl::send_to_all(event& x) {
  auto& g = begin(x, mesh_->nodes());
  auto out = describe(x.users);
  out.origin = x.origin;
  out.number = x.number;
  for (auto node : mesh_->nodes())
    if (node != mesh_->self() && mesh_->send(node, out) == 0)
      g.lost(node);
  if (fresh(x.origin, x.number))
    caf::anon_send(users_, x.users);
  else
    answer_nobody(out.ticket);
}

/// The homes have said which nodes have the users; how many connections take
/// the event these nodes say themselves, for some may close this moment.
void relay_impl::send_to_holders(event& x) {
  std::map<uint16_t, std::vector<std::string>> holders;
  uint64_t matched = 0;
  for (size_t i = 0; i < x.where.size(); ++i) {
    const auto& at = x.where[i];
    matched += at.online > 0 || (at.known && !x.users.scoped) ? 1 : 0;
    for (auto node : at.nodes)
      holders[node].push_back(x.users.users[i]);
  }
  std::vector<uint16_t> nodes;
  for (const auto& [node, users] : holders)
    nodes.push_back(node);
  auto& g = begin(x, nodes);
  g.matched(matched);
  for (size_t i = 0; x.users.confirm != 0 && i < x.where.size(); ++i)
    if (x.where[i].nodes.empty())
      g.event.offline.push_back(x.users.users[i]);
    else
      g.held_by(x.users.users[i], x.where[i].nodes);
  auto out = describe(x.users);
  out.origin = x.origin;
  out.number = x.number;
  auto is_fresh = fresh(x.origin, x.number);
  for (auto& [node, users] : holders) {
    if (node != mesh_->self()) {
      out.users = std::move(users);
      if (mesh_->send(node, out) == 0)
        g.lost(node);
    } else if (is_fresh) {
      auto local = x.users;
      local.users = std::move(users);
      caf::anon_send(users_, std::move(local));
    } else {
      answer_nobody(out.ticket);
    }
  }
  finish_if_complete(x.users.ticket);
}

void relay_impl::on(user_command& x) {
  auto& g = begin(x.ticket, mesh_->nodes(), expire(x.ticket));
  g.command = true;
  wire::command out{0,
                    x.ticket,
                    static_cast<uint8_t>(x.what),
                    x.connections,
                    x.ids,
                    x.nsp,
                    x.join,
                    x.leave,
                    x.scope};
  for (auto node : mesh_->nodes())
    if (node == mesh_->self())
      caf::anon_send(users_, x);
    else if (mesh_->send(node, out) == 0)
      g.lost(node);
}

relay_ref spawn_relay(shard& home, const settings& opts, mesh& others,
                      users_actor users, std::map<std::string, nsp_actor> nsps,
                      counters& count) {
  auto handle = spawn_light<relay_impl, caf::actor>(
                  home, opts, others, std::move(users), std::move(nsps), count)
                  .first;
  return {caf::actor_cast<users_actor>(handle),
          caf::actor_cast<relay_actor>(handle),
          caf::actor_cast<ingest_actor>(handle), handle};
}

namespace {

relay_impl& impl_of(const relay_ref& x) {
  return *static_cast<relay_impl*>(
    caf::actor_cast<caf::abstract_actor*>(x.self));
}

} // namespace

void set_ingest(const relay_ref& x, ingest_actor ingest) {
  impl_of(x).set_ingest(std::move(ingest));
}

void leave(const relay_ref& x, std::function<void()> done) {
  impl_of(x).leave(std::move(done));
}

} // namespace signalbox
