#include "actors/api/type_ids.hpp"
#include "actors/relay/relay_impl.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <random>

namespace signalbox {

namespace {

/// How often RELAY looks for answers that are overdue, in milliseconds.
constexpr int64_t look = 100;

/// Confirms that wait for a node to come back.
constexpr size_t most_owed = 65536;

/// An event under way in a sequencer may wait there as long as one of its own.
constexpr int64_t patience = 3;

uint64_t draw() {
  std::random_device from;
  return static_cast<uint64_t>(from()) << 32 | from() | 1;
}

codec::event_ptr make_event(std::string& nsp, std::string& args,
                            std::vector<std::string>& attachments) {
  return std::make_shared<const codec::shared_event>(
    std::move(nsp), std::move(args), std::move(attachments));
}

} // namespace

relay_impl::relay_impl(caf::actor_config& cfg, shard& at, const settings& opts,
                       mesh& others, users_actor users,
                       std::map<std::string, nsp_actor> nsps, counters& count)
  : light_actor(cfg, at), opts_(opts), count_(count), mesh_(&others),
    users_(std::move(users)), nsps_(std::move(nsps)),
    population_(count, actor_kind::relay),
    timer_(make_actor_timer<&relay_impl::on_look>(this)),
    nodes_(others.nodes()), origin_(draw()) {
  for (const auto& each : opts.namespaces)
    if (each.sequenced)
      sequenced_.insert(each.name);
}

const char* relay_impl::name() const {
  return "signalbox.relay";
}

void relay_impl::receive(caf::mailbox_element& x) {
  auto known =
    dispatch<deliver_users, broadcast, user_command, routed, user_info,
             confirmed, view_changed, batches_acked, wire::located,
             wire::deliver, wire::broadcast, wire::submit, wire::routed,
             wire::confirmed, wire::command, wire::command_done, wire::claim,
             wire::claimed, wire::claim_settled, wire::keys, keys_listed>(
      x, [this](auto& msg) { on(msg); });
  if (!known)
    unexpected(x);
}

void relay_impl::on_end(const caf::error&) {
  population_.end();
  timer_.cancel();
  users_ = nullptr;
  nsps_.clear();
  ingest_ = nullptr;
  lanes_.clear();
  waiting_.clear();
  submitted_.clear();
  spare_.clear();
  owed_confirms_.clear();
  repeats_.clear();
  walk_ = {};
}

// -- answers ------------------------------------------------------------------

/// USERS or an NSP here has answered.
void relay_impl::on(routed& x) {
  // An event that was only passed on here; one that a sequencer handles for
  // another node has answers to gather first.
  if ((x.ticket & foreign_bit) != 0 && gathers_.count(x.ticket) == 0)
    answer(std::move(x));
  else
    add(mesh_->self(), x.ticket, x);
}

void relay_impl::on(wire::routed& x) {
  submitted_.erase(x.ticket);
  spare_.erase(x.ticket);
  routed part;
  part.matched = x.matched;
  part.online = x.online;
  part.offline = std::move(x.offline);
  part.found = std::move(x.found);
  part.unreachable = std::move(x.unreachable);
  part.outcome = x.outcome;
  add(x.from, x.ticket, part);
}

void relay_impl::on(user_info& x) {
  if ((x.ticket & foreign_bit) == 0) {
    add(mesh_->self(), x.ticket, x);
    return;
  }
  auto i = foreign_events_.extract(x.ticket);
  if (!i.empty())
    reply(i.mapped(),
          wire::command_done{0, i.mapped().number, x.version, std::move(x.info),
                             std::move(x.connections), std::move(x.online),
                             x.changed});
}

void relay_impl::on(wire::command_done& x) {
  user_info part;
  part.version = x.version;
  part.info = std::move(x.info);
  part.connections = std::move(x.connections);
  part.online = std::move(x.online);
  part.changed = x.changed;
  add(x.from, x.ticket, part);
}

template <class T>
void relay_impl::add(uint16_t node, uint64_t ticket, const T& part) {
  auto i = gathers_.find(ticket);
  if (i == gathers_.end())
    return;
  i->second.add(node, part);
  finish_if_complete(ticket);
}

void relay_impl::finish_if_complete(uint64_t ticket) {
  auto i = gathers_.find(ticket);
  if (i == gathers_.end() || !i->second.complete())
    return;
  auto done = std::move(i->second);
  gathers_.erase(i);
  done.finish(mesh_->lost());
  // Its sequencer may have died before it sent it on.
  if (auto j = submitted_.extract(ticket); !j.empty()) {
    j.mapped().what->answered = true;
    spare_.insert(std::move(j));
  }
  if (done.quiet)
    return;
  if (!done.command)
    answer(std::move(done.event));
  else if (ingest_)
    caf::anon_send(ingest_, std::move(done.info));
}

/// Answers the asker: INGEST, or another node.
void relay_impl::answer(routed x) {
  if ((x.ticket & foreign_bit) == 0) {
    if (ingest_)
      caf::anon_send(ingest_, std::move(x));
    return;
  }
  auto i = foreign_events_.extract(x.ticket);
  if (i.empty())
    return;
  const auto& to = i.mapped();
  if (auto* handled = handled_.find(to.event))
    *handled = x;
  tell_routed(to, std::move(x));
}

void relay_impl::tell_routed(const foreign& to, routed x) {
  reply(to,
        wire::routed{0, to.number, x.matched, x.online, std::move(x.offline),
                     std::move(x.found), std::move(x.unreachable), x.outcome});
}

// -- events of other nodes ----------------------------------------------------

uint64_t relay_impl::note(std::unordered_map<uint64_t, foreign>& in,
                          uint16_t node, uint64_t number, int64_t keep_ms) {
  auto out = ++last_foreign_ | foreign_bit;
  in[out] = {node, mesh_->process(node), number, now() + keep_ms, {}};
  arm();
  return out;
}

deliver_users relay_impl::read(wire::deliver& x) {
  deliver_users out;
  auto keep = opts_.cluster.request_timeout.count() * patience;
  if (x.ticket != 0)
    out.ticket = note(foreign_events_, x.from, x.ticket, keep);
  if (x.confirm != 0)
    out.confirm =
      note(foreign_confirms_, x.from, x.confirm, x.confirm_ms + keep);
  out.confirm_ms = x.confirm_ms;
  out.scoped = x.scoped;
  out.users = std::move(x.users);
  out.event = make_event(x.nsp, x.args, x.attachments);
  out.volatile_ = x.volatile_;
  out.before = x.before;
  return out;
}

broadcast relay_impl::read(wire::broadcast& x) {
  broadcast out;
  out.ticket = note(foreign_events_, x.from, x.ticket,
                    opts_.cluster.request_timeout.count() * patience);
  out.event = make_event(x.nsp, x.args, x.attachments);
  out.rooms = std::move(x.rooms);
  out.volatile_ = x.volatile_;
  out.before = x.before;
  return out;
}

void relay_impl::on(wire::deliver& x) {
  auto is_fresh = fresh(x.origin, x.number);
  auto out = read(x);
  if (is_fresh)
    caf::anon_send(users_, std::move(out));
  else if (out.ticket != 0)
    answer_nobody(out.ticket);
}

void relay_impl::on(wire::broadcast& x) {
  auto is_fresh = fresh(x.origin, x.number);
  auto out = read(x);
  if (is_fresh)
    to_namespace(std::move(out));
  else
    answer_nobody(out.ticket);
}

void relay_impl::on(wire::submit& x) {
  auto e = std::make_shared<event>();
  e->to_users = x.to_users;
  e->origin = x.to_users ? x.users.origin : x.all.origin;
  e->number = x.to_users ? x.users.number : x.all.number;
  // The link was cut and it was sent again, or meanwhile to the successor and
  // now back. If it is under way, its answer will come.
  const recent<bool>::key key{e->origin, e->number};
  if (e->origin != 0 && !handled_.insert(key)) {
    if (const auto& known = *handled_.find(key))
      tell_routed({x.from,
                   mesh_->process(x.from),
                   x.to_users ? x.users.ticket : x.all.ticket,
                   0,
                   {}},
                  *known);
    return;
  }
  x.users.from = x.from;
  x.all.from = x.from;
  if (x.to_users)
    e->users = read(x.users);
  else
    e->all = read(x.all);
  if (auto i = foreign_events_.find(e->ticket()); i != foreign_events_.end())
    i->second.event = key;
  push(e);
}

/// Returns whether a sequenced event was not sent on here before.
bool relay_impl::fresh(uint64_t origin, uint64_t number) {
  return origin == 0 || seen_.insert({origin, number});
}

void relay_impl::to_namespace(broadcast x) {
  auto i = nsps_.find(x.event->nsp());
  if (i != nsps_.end() && i->second)
    caf::anon_send(i->second, std::move(x));
  else
    answer_nobody(x.ticket);
}

void relay_impl::answer_nobody(uint64_t ticket) {
  routed nobody;
  nobody.ticket = ticket;
  on(nobody);
}

void relay_impl::on(wire::command& x) {
  user_command out;
  out.what = static_cast<user_command::kind>(x.what);
  out.ticket = note(foreign_events_, x.from, x.ticket,
                    opts_.cluster.request_timeout.count());
  out.connections = x.connections;
  out.ids = std::move(x.ids);
  out.nsp = std::move(x.nsp);
  out.join = std::move(x.join);
  out.leave = std::move(x.leave);
  out.scope = std::move(x.scope);
  if (!out.ids.empty())
    caf::anon_send(users_, std::move(out));
}

// -- confirms and keys --------------------------------------------------------

/// A client here has acknowledged an event, or will not get it.
void relay_impl::on(confirmed& x) {
  if ((x.confirm & foreign_bit) == 0) {
    if (ingest_)
      caf::anon_send(ingest_, std::move(x));
    return;
  }
  // Kept until its time is over: several users may owe one.
  auto i = foreign_confirms_.find(x.confirm);
  if (i != foreign_confirms_.end())
    tell_confirmed(i->second,
                   {0, i->second.number, std::move(x.user), x.dropped});
}

/// The link to the node that waits for it may be cut for a moment.
void relay_impl::tell_confirmed(const foreign& to, wire::confirmed x) {
  if (reply(to, x) != 0 || owed_confirms_.size() == most_owed)
    return;
  owed_confirms_.push_back({to, std::move(x)});
  arm();
}

void relay_impl::tell_owed_confirms() {
  for (auto& x : std::exchange(owed_confirms_, {}))
    if (x.to.until > now() && mesh_->process(x.to.node) == x.to.process)
      tell_confirmed(x.to, std::move(x.what));
}

void relay_impl::on(wire::confirmed& x) {
  confirmed out{x.confirm, std::move(x.user), x.dropped};
  on(out);
}

// -- deadlines ----------------------------------------------------------------

void relay_impl::arm() {
  if (!std::exchange(armed_, true))
    home().home().wheel().arm(timer_, look);
}

/// Has an event or command given up when its time is over. Returns when.
session::time_point relay_impl::expire(uint64_t ticket) {
  auto at = now() + opts_.cluster.request_timeout.count();
  overdue_.emplace_back(at, ticket);
  arm();
  return at;
}

/// The time of an event or command is over.
void relay_impl::give_up(uint64_t ticket) {
  give_up_repeat(ticket);
  auto i = gathers_.find(ticket);
  // It may have been sent again since.
  if (i == gathers_.end() || i->second.until > now())
    return;
  i->second.give_up();
  finish_if_complete(ticket);
}

void relay_impl::on_look() {
  armed_ = false;
  // Events that were not sent go first: their receivers have half of the time.
  while (!unsaid_.empty() && unsaid_.front().first <= now()) {
    auto i = waiting_.find(unsaid_.front().second);
    unsaid_.pop_front();
    if (i == waiting_.end())
      continue;
    auto e = i->second;
    e->flood = e->flood || !e->homes.empty();
    e->silent.insert(e->silent.end(), e->claims.begin(), e->claims.end());
    e->claims.clear();
    settle(e);
  }
  while (!overdue_.empty() && overdue_.front().first <= now()) {
    auto ticket = overdue_.front().second;
    overdue_.pop_front();
    give_up(ticket);
  }
  look_after_keys();
  for (auto* each : {&foreign_events_, &foreign_confirms_})
    std::erase_if(*each,
                  [this](const auto& x) { return x.second.until <= now(); });
  std::erase_if(owed_confirms_,
                [this](const auto& x) { return x.to.until <= now(); });
  for (auto* each : {&submitted_, &spare_})
    std::erase_if(*each,
                  [this](const auto& x) { return x.second.until <= now(); });
  if (!overdue_.empty() || walk_.busy() || !foreign_events_.empty()
      || !foreign_confirms_.empty() || !owed_confirms_.empty()
      || !submitted_.empty() || !spare_.empty())
    arm();
}

} // namespace signalbox
