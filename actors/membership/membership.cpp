#include "actors/membership/membership.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/membership/draw.hpp"
#include "actors/membership/membership_impl.hpp"

#include <algorithm>
#include <ctime>

namespace signalbox {

// -- membership_side ----------------------------------------------------------

cluster_info membership_impl::info() const {
  cluster_info out;
  out.node = self_;
  out.name = opts_.cluster.name;
  out.settled = view_.settled();
  if (now() < conflict_until_)
    out.conflict = conflict_;
  for (const auto& [node, x] : peers_) {
    const auto& s = x.stream;
    peer_info one;
    one.node = node;
    one.state = x.up != nullptr ? "up" : x.left ? "left" : "dead";
    one.address = x.address;
    one.round_trip_us = s.round_trip;
    one.queue_bytes = s.out.bytes();
    one.reconnects = x.reconnects;
    if (x.up != nullptr)
      one.differs = x.differs;
    one.sent_bytes = s.sent_bytes;
    one.received_bytes = s.received_bytes;
    one.sent_batches = s.sent_batches;
    one.received_batches = s.received_batches;
    out.members.push_back(std::move(one));
  }
  return out;
}

void membership_impl::leave() {
  leaving_ = true;
  for (auto node : view_.nodes())
    mesh::send(node, wire::leaving{});
}

bool membership_impl::drain(uint16_t node) {
  if (node != self_)
    return mesh::send(node, wire::drain{}) != 0;
  if (rooms_.drain)
    rooms_.drain();
  return true;
}

void membership_impl::start(mesh_rooms rooms, std::string address,
                            std::vector<wire::fingerprint> alike) {
  rooms_ = std::move(rooms);
  address_ = std::move(address);
  alike_ = std::move(alike);
  on_look();
}

// -- link_owner -------------------------------------------------------------

void membership_impl::on_welcome(link& x, const wire::hello& from) {
  auto* at = target_of(x);
  if (at == nullptr) {
    x.end("no node was dialed");
    return;
  }
  auto why = judge(from).why;
  if (why.empty()) {
    // Also if there is a session: another address of a node that is linked
    // need not be dialed again.
    at->known = true;
    at->node = from.node;
    // Both dialed at the same time: the session that the lower one dialed
    // stays.
    if (session(from.node) != 0 && self_ > from.node)
      why = "there is a session already";
  }
  if (!why.empty()) {
    x.end(why);
    return;
  }
  at->busy = false;
  at->delay = 0;
  at->trouble.clear();
  auto pending = pending_.extract(&x);
  bring_up(x, std::move(pending.mapped().keep), from);
}

void membership_impl::on_refused(link& x, const wire::refusal& what) {
  auto* at = target_of(x);
  if (at == nullptr)
    return;
  if (what.node != 0) {
    at->known = true;
    at->node = what.node;
  }
  if (what.taken)
    note_conflict(pending_[&x].address);
}

void membership_impl::on_item(link& x, uint8_t tag, std::string_view item) {
  auto node = node_of(x);
  late_ = x.repeats();
  // Its sender has given it to another sequencer since.
  if (late_ && tag == wire::submit::tag)
    return;
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
  case wire::floor::tag:
    take<wire::floor>(node, item,
                      [this](wire::floor& y) { on_floor(y.version); });
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
    // Items about users of an earlier session have been sent anew since.
    pass_to_users(late_ ? caf::actor{} : rooms_.users, node, tag, item)
      || pass_to_relay(node, tag, item);
  }
}

void membership_impl::on_acked(link& x, uint64_t number) {
  if (rooms_.relay)
    caf::anon_send(rooms_.relay, batches_acked{node_of(x), number});
}

void membership_impl::on_lost(link& x, const std::string& why) {
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
    p.losses = ++losses_;
    if (!ending_)
      spdlog::warn("node {} at {} is {}: {}", node, p.address,
                   p.left ? "gone" : "dead", why);
    if (auto i = targets_.find(p.address); i != targets_.end())
      i->second.next = now() + first_delay + (self_ < node ? 0 : courtesy);
    view_.down(node);
    changed();
    return;
  }
}

void membership_impl::on_broken(const caf::node_id& process) {
  if (cut_)
    cut_(process);
}

uint64_t membership_impl::draw() {
  return chance_.draw();
}

void membership_impl::on_floor(uint64_t there) {
  floor_ = std::max(floor_, there);
}

void membership_impl::receive(caf::mailbox_element& x) {
  auto known = dispatch<link_open, dialed>(x, [this](auto& msg) { on(msg); });
  if (!known)
    unexpected(x);
}

void membership_impl::on_end(const caf::error&) {
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

// -- mesh -------------------------------------------------------------------

std::vector<uint16_t> membership_impl::lost() const {
  std::vector<uint16_t> out;
  for (const auto& [node, x] : peers_)
    if (x.up == nullptr && !x.left
        && now() - x.lost_at < opts_.cluster.forget_after.count())
      out.push_back(node);
  return out;
}

uint64_t membership_impl::session(uint16_t node) const {
  auto i = peers_.find(node);
  return i == peers_.end() || i->second.up == nullptr ? 0
                                                      : i->second.up->session();
}

uint64_t membership_impl::process(uint16_t node) const {
  if (node == self_)
    return incarnation_;
  auto i = peers_.find(node);
  return i == peers_.end() ? 0 : i->second.incarnation;
}

void membership_impl::raise_version_floor() {
  floor_ = std::max(floor_, (chance_.seconds() + clock_skew) << version_bits)
           + version_leap;
}

std::string* membership_impl::begin(uint16_t node) {
  auto i = peers_.find(node);
  if (i == peers_.end() || i->second.up == nullptr)
    return nullptr;
  auto& p = i->second;
  auto& out = p.up->open();
  if (std::exchange(p.told_floor, floor_) != floor_)
    wire::append(out, wire::floor{0, floor_});
  return &out;
}

uint64_t membership_impl::end(uint16_t node) {
  return peers_[node].up->wrote();
}

// -- items ------------------------------------------------------------------

bool membership_impl::pass_to_users(const caf::actor& to, uint16_t node,
                                    uint8_t tag, std::string_view item) {
  return pass_one_of<wire::attach, wire::attached, wire::detach, wire::hold,
                     wire::release, wire::recall, wire::displace, wire::locate>(
    to, node, tag, item);
}

bool membership_impl::pass_to_relay(uint16_t node, uint8_t tag,
                                    std::string_view item) {
  return pass_one_of<wire::located, wire::deliver, wire::broadcast,
                     wire::routed, wire::confirmed, wire::command,
                     wire::command_done, wire::submit, wire::claim,
                     wire::claimed, wire::claim_settled, wire::keys>(
    rooms_.relay, node, tag, item);
}

namespace {

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
                      std::string address,
                      std::vector<wire::fingerprint> alike) {
  auto& impl = impl_of(x);
  impl.light_actor::home().home().post(
    [&impl, keep = x.handle, rooms = std::move(rooms),
     address = std::move(address), alike = std::move(alike)] {
      impl.attempt([&] { impl.start(rooms, address, alike); });
    });
}

} // namespace signalbox
