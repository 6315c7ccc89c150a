#include "actors/api/log.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/membership/draw.hpp"
#include "actors/membership/fingerprints.hpp"
#include "actors/membership/membership_impl.hpp"
#include "transports/log/line_limit.hpp"

#include <algorithm>

namespace signalbox {

namespace {

/// Refusals that are remembered so that they are logged once.
constexpr size_t most_reported = 1000;

/// How often MEMBERSHIP looks for nodes to dial, in milliseconds.
constexpr int64_t look = 100;

/// Another process is there, or one that was there before it.
void change_process(peer& x, uint64_t incarnation, session::time_point until) {
  auto last =
    std::exchange(x.former, std::make_unique<link_stream>(std::move(x.stream)));
  x.stream.renew();
  if (last && x.former_incarnation == incarnation) {
    x.stream.out = std::move(last->out);
    x.stream.out_stream = last->out_stream;
    x.stream.in_stream = last->in_stream;
    x.stream.received = last->received;
  }
  x.former_incarnation = std::exchange(x.incarnation, incarnation);
  x.former_until = until;
}

/// Returns whether a text was not logged before, as far as that is known.
bool note_once(const std::string& text, std::set<std::string>& reported) {
  if (reported.size() >= most_reported)
    reported.clear();
  return reported.insert(text).second;
}

/// Logs a refusal, but not each time that the node comes again.
void report_refused(const wire::hello& x, const std::string& why,
                    std::set<std::string>& reported) {
  auto text = printable(x.address) + ": " + why;
  if (reported.contains(text))
    return;
  auto turn = log_turn(log_cause::node);
  if (!turn)
    return;
  note_once(text, reported);
  spdlog::warn("refused node {} at {}{}", x.node, text, *turn);
}

} // namespace

// -- sessions ---------------------------------------------------------------

wire::hello membership_impl::hello(uint64_t session,
                                   const link_stream* stream) {
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
  out.floor = floor_;
  out.age = age();
  out.alike = alike_;
  return out;
}

std::vector<wire::member> membership_impl::known() const {
  std::vector<wire::member> out;
  for (const auto& [node, x] : peers_)
    if (!x.left)
      out.push_back({node, x.address});
  return out;
}

misfit membership_impl::judge(const wire::hello& x) const {
  if (x.cluster != opts_.cluster.name)
    return {"it belongs to the cluster \"" + printable(x.cluster)
            + "\", not to \"" + opts_.cluster.name
            + "\"; compare cluster.name"};
  if (x.major != wire::major_version)
    return {"it speaks version " + std::to_string(x.major) + ", not "
            + std::to_string(wire::major_version)
            + "; run releases that are at most one minor version apart"};
  for (const auto& each : differences(alike_, x.alike))
    if (each == sid_key_setting)
      return {"its cluster.sid-key is another one: neither would know the "
              "sessions of the other; give all nodes the same"};
  auto i = peers_.find(x.node);
  if (x.node == self_
      || (i != peers_.end() && i->second.up != nullptr
          && i->second.incarnation != x.incarnation
          && i->second.address != x.address))
    return {"its number " + std::to_string(x.node)
              + " is taken; give each node its own router.node",
            true};
  if (leaving_)
    return {"this node leaves"};
  return {};
}

void membership_impl::on(link_open& x) {
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
  if (address_.empty()) {
    link::refuse(x.link, from.session, {0, "it is about to start"});
    return;
  }
  if (auto no = judge(from); !no.why.empty()) {
    report_refused(from, no.why, reported_);
    link::refuse(x.link, from.session,
                 {0, no.why, 0, no.number && must_yield(from)});
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

bool membership_impl::must_yield(const wire::hello& x) {
  if (x.node != self_)
    return true;
  // Younger ones give way, whichever called.
  if (std::pair{x.age, x.incarnation} < std::pair{age(), incarnation_})
    return true;
  note_conflict(x.address);
  return false;
}

void membership_impl::note_conflict(const std::string& by) {
  conflict_ = "router.node " + std::to_string(self_)
              + " belongs to another node, says the one at " + printable(by)
              + "; give each node its own";
  if (note_once(conflict_, reported_))
    spdlog::error("not ready: {}", conflict_);
  conflict_by_ = by;
  conflict_until_ = now() + conflict_holds;
}

void membership_impl::note_differences(peer& p, const wire::hello& from) {
  p.differs = differences(alike_, from.alike);
  std::string names;
  for (const auto& each : p.differs)
    names += (names.empty() ? "" : ", ") + each;
  if (!names.empty()
      && note_once(std::to_string(from.node) + from.address + names, reported_))
    spdlog::warn("node {} at {} differs from this one in {}: events and "
                 "clients fare otherwise there; give all nodes the same",
                 from.node, printable(from.address), names);
}

void membership_impl::dialed_self(uint64_t session) {
  for (auto& [x, p] : pending_) {
    if (x->session() != session)
      continue;
    targets_[p.address].self = true;
    x->end("it is this node");
    return;
  }
}

void membership_impl::bring_up(link& x, caf::strong_actor_ptr keep,
                               const wire::hello& from) {
  auto first = peers_.count(from.node) == 0;
  if (auto* old = peers_[from.node].up)
    old->end("a new session takes its place");
  auto& p = peers_[from.node];
  if (p.incarnation != from.incarnation)
    change_process(p, from.incarnation,
                   now() + opts_.cluster.dead_after.count());
  on_floor(from.floor);
  p.address = from.address;
  p.up = &x;
  p.keep = std::move(keep);
  p.left = false;
  p.told_floor = 0;
  note_differences(p, from);
  if (from.address == conflict_by_)
    conflict_until_ = 0;
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

void membership_impl::learn(const wire::member& x) {
  if (x.node == self_ || x.address.empty() || targets_.count(x.address) > 0)
    return;
  auto& at = targets_[x.address];
  at.known = true;
  at.node = x.node;
  at.next = now() + (self_ < x.node ? 0 : courtesy);
}

void membership_impl::changed() {
  settled_noted_ = false;
  for (const auto& to : {rooms_.users, rooms_.relay, rooms_.tunnels})
    if (to)
      caf::anon_send(to, view_changed{view_.serial(), view_.nodes()});
}

void membership_impl::note_settled() {
  if (view_.settled() && !std::exchange(settled_noted_, true)
      && view_.nodes().size() > 1)
    spdlog::info("{} nodes agree on which nodes live", view_.nodes().size());
}

uint16_t membership_impl::node_of(const link& x) const {
  for (const auto& [node, p] : peers_)
    if (p.up == &x)
      return node;
  return self_;
}

// -- dialing ----------------------------------------------------------------

target* membership_impl::target_of(const link& x) {
  auto i = pending_.find(const_cast<link*>(&x));
  return i == pending_.end() ? nullptr : &targets_[i->second.address];
}

bool membership_impl::wanted(const std::string& address,
                             const target& x) const {
  if (x.self || x.busy || leaving_ || address == address_)
    return false;
  if (!x.known)
    return true;
  auto i = peers_.find(x.node);
  return i == peers_.end()
         || (i->second.up == nullptr && (x.seed || !i->second.left));
}

void membership_impl::on_look() {
  for (auto& [address, x] : targets_)
    if (wanted(address, x) && now() >= x.next)
      dial(address, x);
  // Its numbers are kept, for it may live; its batches are not.
  for (auto& [node, p] : peers_)
    if (p.former && now() >= p.former_until) {
      p.former->out.clear();
      p.former->out_stream = 0;
    }
  home_wheel().arm(timer_, look);
}

void membership_impl::dial(const std::string& address, target& x) {
  x.busy = true;
  auto most = std::clamp(x.delay * 2, first_delay, longest_delay);
  x.delay = most;
  x.next = now() + most / 2
           + static_cast<int64_t>(draw() % static_cast<uint64_t>(most / 2));
  dial_(address,
        caf::actor_cast<membership_actor>(caf::strong_actor_ptr{ctrl()}));
}

void membership_impl::on(dialed& x) {
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
  pending_[self] = {x.address, caf::actor_cast<caf::strong_actor_ptr>(handle)};
  auto i = at.known ? peers_.find(at.node) : peers_.end();
  self->dial(x.gate,
             hello(session, i == peers_.end() ? nullptr : &i->second.stream));
}

void membership_impl::report(target& x, const std::string& why) {
  if (x.self || why.empty() || x.trouble == why || ending_)
    return;
  x.trouble = why;
  for (const auto& [address, each] : targets_)
    if (&each == &x)
      spdlog::warn("cannot link to {}: {}; trying again", address, why);
}

} // namespace signalbox
