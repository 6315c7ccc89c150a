#include "actors/api/type_ids.hpp"
#include "actors/relay/relay_impl.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox {

// -- claims -------------------------------------------------------------------

/// Returns whether a key's owner may have been another one lately.
bool relay_impl::asks_all() {
  return changed_ != 0
         && now() - changed_ < opts_.ingest.idempotency_window.count();
}

/// Asks the owner of an event's key whether it was accepted before; for one
/// window after a change of the view all nodes, since the owner was another.
void relay_impl::claim(const event_ptr& e) {
  const auto& key = e->key();
  if (key.key.empty())
    return;
  wire::claim out;
  out.ticket = e->ticket();
  out.credential = key.credential;
  out.key = key.key;
  out.id = key.id;
  out.seq = key.seq;
  auto owner = mesh_->home(ring_name(key.credential, key.key));
  for (auto node : mesh_->nodes()) {
    out.owner = node == owner;
    if (node != mesh_->self() && (out.owner || asks_all())
        && mesh_->send(node, out) != 0)
      e->claims.insert(node);
  }
}

/// Returns whether an event under way, which INGEST objects with, is one of
/// this node that may not be sent yet, or never: two nodes that accept a key at
/// once ask each other, too, and its owner decides. One that may be sent was
/// allowed by the owner, or this node was the owner when it came. INGEST's word
/// comes behind the event.
bool relay_impl::is_undecided(const wire::claimed& x) {
  auto same = [&x](const event_ptr& e) {
    return e->key().id == x.id && e->key().seq == x.seq;
  };
  if (x.at != mesh_->self())
    return false;
  for (const auto& [ticket, e] : waiting_)
    if (!e->claims.empty() && same(e))
      return true;
  return std::any_of(repeats_.begin(), repeats_.end(),
                     [&](const auto& each) { return same(each.second); });
}

void relay_impl::on(wire::claimed& x) {
  if ((x.ticket & foreign_bit) != 0) {
    auto i = foreign_events_.find(x.ticket);
    if (i == foreign_events_.end())
      return;
    auto to = i->second;
    if (x.pending && to.owner_elsewhere && is_undecided(x))
      x = wire::claimed{};
    if (!x.pending)
      foreign_events_.erase(i);
    x.ticket = to.number;
    reply(to, x);
    return;
  }
  // The end of an event that is known to be a repeat; other nodes may not know
  // it.
  if (auto i = repeats_.find(x.ticket); i != repeats_.end()) {
    if (x.pending || (!x.dup && x.outcome == ec::none))
      return;
    auto e = i->second;
    repeats_.erase(i);
    e->objection = std::move(x);
    refuse(*e);
    return;
  }
  auto i = waiting_.find(x.ticket);
  if (i == waiting_.end() || i->second->claims.erase(x.from) == 0)
    return;
  auto e = i->second;
  // The fate of one that was under way at a process that is gone is unknown.
  if (x.pending && !lives(x.at, x.process))
    e->silent.push_back(x.at);
  else if (x.dup || x.outcome != ec::none)
    e->objection = std::move(x);
  if (e->objection && e->objection->pending)
    repeats_[e->ticket()] = e;
  settle(e);
}

/// An event with this key was accepted elsewhere, or cannot be remembered.
void relay_impl::refuse(event& x) {
  // Its numbers may be on their way, or have come already.
  if (x.answered || repeats_.count(x.ticket()) > 0)
    return;
  x.answered = true;
  routed out;
  out.ticket = x.ticket();
  out.outcome = x.objection->outcome;
  out.dup = x.objection->dup;
  out.id = x.objection->id;
  out.seq = x.objection->seq;
  out.matched = x.objection->matched;
  out.online = x.objection->online;
  if (x.objection->pending)
    out.unreachable = {x.objection->at};
  answer(std::move(out));
}

/// The first of its events takes long. It is a repeat all the same.
void relay_impl::give_up_repeat(uint64_t ticket) {
  if (auto node = repeats_.extract(ticket); !node.empty())
    refuse(*node.mapped());
}

/// Of repeats whose first events were under way at a process that is gone
/// nothing more will be heard. Their posters may try again.
void relay_impl::refuse_lost_repeats() {
  std::vector<event_ptr> lost;
  for (const auto& [ticket, e] : repeats_)
    if (!lives(e->objection->at, e->objection->process))
      lost.push_back(e);
  for (const auto& e : lost) {
    repeats_.erase(e->ticket());
    e->objection = wire::claimed{};
    e->objection->outcome = ec::unanswered;
    refuse(*e);
  }
}

void relay_impl::tell_processes() {
  live_processes out;
  for (auto node : nodes_)
    out.all[node] = mesh_->process(node);
  if (ingest_)
    caf::anon_send(ingest_, std::move(out));
}

void relay_impl::on(wire::claim& x) {
  x.ticket = note(foreign_events_, x.from, x.ticket,
                  opts_.cluster.request_timeout.count());
  foreign_events_[x.ticket].owner_elsewhere = !x.owner;
  if (ingest_)
    caf::anon_send(ingest_, std::move(x));
}

void relay_impl::on(wire::claim_settled& x) {
  if (x.from != mesh_->self()) {
    if (ingest_)
      caf::anon_send(ingest_, std::move(x));
    return;
  }
  // A node that owned the key when the event was accepted waits for it, too.
  auto owner = mesh_->home(ring_name(x.credential, x.key));
  for (auto node : mesh_->nodes()) {
    x.owner = node == owner;
    if (node != mesh_->self() && (x.owner || asks_all()))
      mesh_->send(node, x);
  }
}

// -- keys that find other owners ----------------------------------------------

void relay_impl::on(wire::keys& x) {
  if (ingest_)
    caf::anon_send(ingest_, std::move(x));
}

/// The view has changed: the keys whose owner is another one now go there.
void relay_impl::walk_keys() {
  auto& w = walk_;
  // It begins when this node has nothing under way.
  if (w.leave_by != 0)
    return;
  if (w.from.empty())
    w.from[mesh_->self()] = mesh_->process(mesh_->self());
  ++w.number;
  w.credential = w.position = 0;
  w.last = false;
  w.outstanding.clear();
  w.to.clear();
  for (auto node : nodes_)
    if (node != mesh_->self() || !w.done)
      w.to[node] = mesh_->process(node);
  w.nodes.clear();
  w.last_nodes.clear();
  for (const auto& [node, process] : w.to)
    w.nodes.push_back(node);
  for (const auto& [node, process] : w.from)
    w.last_nodes.push_back(node);
  w.under_way = true;
  if (w.nodes.empty() || !ingest_)
    finish_walk();
  else
    walk_on();
}

void relay_impl::walk_on() {
  if (walk_.last)
    return finish_walk();
  walk_.until = now() + opts_.cluster.request_timeout.count();
  arm();
  caf::anon_send(ingest_,
                 list_keys{walk_.number, walk_.credential, walk_.position});
}

void relay_impl::finish_walk() {
  walk_.under_way = false;
  walk_.from = walk_.to;
  if (auto done = std::exchange(walk_.done, nullptr))
    done();
}

void relay_impl::on(keys_listed& x) {
  auto& w = walk_;
  if (!w.under_way || x.walk != w.number)
    return;
  w.credential = x.credential;
  w.position = x.position;
  w.last = x.last;
  std::map<uint16_t, wire::keys> out;
  for (auto& each : x.keys)
    if (auto to = w.heir(mesh_->self(), each))
      out[*to].all.push_back(std::move(each));
  for (const auto& [node, keys] : out)
    if (auto number = mesh_->send(node, keys); number != 0)
      w.outstanding[node].insert(number);
  w.until = now() + opts_.cluster.request_timeout.count();
  if (w.outstanding.empty())
    walk_on();
  else
    arm();
}

void relay_impl::on(batches_acked& x) {
  auto i = walk_.outstanding.find(x.node);
  if (!walk_.under_way || i == walk_.outstanding.end())
    return;
  auto& all = i->second;
  all.erase(all.begin(), all.upper_bound(x.number));
  if (!all.empty())
    return;
  walk_.outstanding.erase(i);
  if (walk_.outstanding.empty())
    walk_on();
}

/// Goes on without a node that does not say that it has the keys, leaves
/// without an INGEST that does not list them, and begins to leave when there is
/// nothing under way.
void relay_impl::look_after_keys() {
  auto& w = walk_;
  if (w.under_way && w.until <= now()) {
    if (!std::exchange(w.outstanding, {}).empty())
      walk_on();
    else if (w.done)
      finish_walk();
  }
  auto idle = waiting_.empty() && gathers_.empty() && repeats_.empty();
  if (w.done && w.leave_by != 0 && (idle || w.leave_by <= now())) {
    w.leave_by = 0;
    walk_keys();
  }
}

void relay_impl::leave(std::function<void()> done) {
  walk_.done = std::move(done);
  walk_.leave_by = now() + opts_.cluster.request_timeout.count();
  // A walk under way is begun anew; until then it must not call `done`.
  ++walk_.number;
  walk_.under_way = false;
  walk_.outstanding.clear();
  look_after_keys();
  arm();
}

} // namespace signalbox
