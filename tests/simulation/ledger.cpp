#include "tests/simulation/ledger.hpp"

#include <algorithm>

namespace signalbox::simulation {

namespace {

/// After a fault a node needs so long to notice and to find the others again,
/// besides the time until a silent one is dead.
constexpr int64_t recovery = 6000;

/// What a client does shows within this time.
constexpr int64_t propagation = 1500;

/// After so many turns of a node its threads have done what they had to do.
constexpr int settling = 20;

/// An acknowledgement waits so long for a lost node.
constexpr int64_t confirm_patience = 1500;

template <class T>
std::string list(const T& from) {
  std::string out;
  for (const auto& each : from)
    out += text(out.empty() ? "" : ",", each);
  return out;
}

} // namespace

std::string to_string(const order& x) {
  constexpr const char* kinds[] = {"event to users", "broadcast",
                                   "event to rooms", "show", "disconnect"};
  return text(kinds[static_cast<size_t>(x.what)], " ", list(x.names), " #",
              x.id, " in ", x.nsp, " at node ", x.number, " (process ", x.at,
              ", ", x.when - epoch, " ms)");
}

// -- the world
// ------------------------------------------------------------------

void ledger::disturb(uint16_t a, uint16_t b) {
  last_fault_ = net_.now();
  disturbed_[{a, b}] = net_.now();
  disturbed_[{b, a}] = net_.now();
}

int64_t ledger::disturbed(uint16_t a, uint16_t b) const {
  int64_t out = epoch;
  for (auto key : {std::pair<uint16_t, uint16_t>{a, b}, {a, 0}, {b, 0}, {0, 0}})
    if (auto i = disturbed_.find(key); i != disturbed_.end())
      out = std::max(out, i->second);
  return out;
}

bool ledger::calm() const {
  return !how_.slow()
         && net_.now() - last_fault_
              > how_.opts.cluster.dead_after.count() + recovery
         && net_.now() - last_change_ > propagation;
}

client& ledger::add(process at, uint16_t number, const std::string& user) {
  last_change_ = net_.now();
  return *clients_.emplace_back(
    std::make_unique<client>(*this, at, number, user));
}

std::vector<seat*> ledger::joined(const std::string& user,
                                  const std::string& nsp) const {
  std::vector<seat*> out;
  for (const auto& x : clients_)
    if (x->connected() && (user.empty() || x->user() == user))
      for (const auto& each : x->seats())
        if (each->at == seat::stage::joined
            && (nsp.empty() || each->nsp == nsp))
          out.push_back(each.get());
  return out;
}

void ledger::on_stage(const seat& x) {
  const auto& user = x.owner->user();
  last_change_ = net_.now();
  constexpr const char* stages[] = {"asks", "has joined", "is refused", "left"};
  log_.detail(user, " ", stages[static_cast<size_t>(x.at)], " ", x.nsp,
              " at node ", x.owner->number(), " ", x.sid);
  if (x.at == seat::stage::joined)
    ++joins_[user];
  else if (x.at != seat::stage::asking)
    left_[user] = net_.now();
}

// -- orders
// ---------------------------------------------------------------------

order& ledger::accept(node& at, order x, bool whole,
                      const std::function<void(const order&)>& send) {
  auto& out = *orders_.emplace_back(std::make_unique<order>(std::move(x)));
  out.id = orders_.size();
  out.at = at.id();
  out.number = at.number();
  out.when = net_.now();
  out.local = at.now();
  out.calm = whole && calm();
  foresee(out);
  auto members = at.cluster().info().members;
  for (auto& each : out.to) {
    auto number = each.to->owner->number();
    if (number == at.number())
      continue;
    auto session = at.cluster().session(number);
    // The other node may have given it up already, unknown to this one.
    auto other = each.to->owner->at();
    if (net_.partner(at.id(), session) == other
        && sessions_[{other, at.number()}] == session)
      each.session = session;
    each.known =
      std::any_of(members.begin(), members.end(), [=](const auto& y) {
        // One that is up is another process; the old one's death is unknown.
        return y.node == number && y.state == "dead";
      });
  }
  log_.note(to_string(out), out.calm ? ", calm" : "");
  open_[{at.id(), out.id}] = &out;
  send(out);
  // What it found on its way in may have ended sessions.
  for (auto& each : out.to)
    if (each.session != at.cluster().session(each.to->owner->number()))
      each.session = 0;
  return out;
}

/// Which seats is it for, and what is the answer if nothing happens?
void ledger::foresee(order& x) const {
  std::set<std::string> users;
  std::set<std::string> found;
  auto take = [&](seat* each) {
    users.insert(each->owner->user());
    x.to.push_back({each, 0, false, true});
  };
  switch (x.what) {
  case order::kind::all:
    for (auto* each : joined({}, x.nsp))
      take(each);
    x.matched = users.size();
    break;
  case order::kind::rooms:
    for (auto* each : joined({}, x.nsp)) {
      auto inside = false;
      for (const auto& room : x.names)
        if (std::find(each->rooms.begin(), each->rooms.end(), room)
            != each->rooms.end()) {
          inside = true;
          found.insert(room);
        }
      if (inside)
        take(each);
    }
    x.matched = found.size();
    break;
  case order::kind::users:
  case order::kind::show:
  case order::kind::kick:
    x.matched = 0;
    for (const auto& user : x.names) {
      for (auto* each : joined(user, x.nsp))
        take(each);
      auto i = left_.find(user);
      if (!joined(user).empty())
        x.matched = x.matched ? *x.matched + 1 : x.matched;
      else if (i != left_.end()
               && net_.now() - i->second
                    < how_.opts.presence.leave_grace.count() + propagation)
        // Still online, or not any more.
        x.matched.reset();
      if (x.what == order::kind::show) {
        auto j = joins_.find(user);
        x.joins = j == joins_.end() ? 0 : j->second;
      }
    }
    break;
  }
  x.online = x.to.size();
}

order* ledger::find(const node& at, uint64_t ticket) {
  auto i = open_.find({at.id(), ticket});
  return i == open_.end() ? nullptr : i->second;
}

void ledger::watch(node& at) {
  for (const auto& each : at.cluster().info().members)
    sessions_[{at.id(), each.node}] = at.cluster().session(each.node);
  auto patience = how_.opts.cluster.request_timeout.count();
  for (auto i = open_.lower_bound({at.id(), 0});
       i != open_.end() && i->first.first == at.id(); ++i) {
    auto& x = *i->second;
    auto age = at.now() - x.local;
    // Homes have answered, or were given up, by then.
    if (age <= patience + 300)
      for (auto& each : x.to)
        if (each.session != 0
            && each.session != at.cluster().session(each.to->owner->number()))
          each.kept = false;
    // A stall of a second makes that time pass at once.
    if (age > patience + 1300)
      log_.fail("no answer to ", to_string(x), " for ", age, " ms");
  }
  watch_acks(at);
}

/// Which acknowledgements can count on being heard?
void ledger::watch_acks(node& at) {
  std::erase_if(acks_, [&](acknowledgement& x) {
    if (x.due || x.by->at() != at.id())
      return false;
    // What it said may have come too late, or after its end.
    auto frozen = disturbed_.find({at.number(), uint16_t{0}});
    if (x.in == nullptr || x.in->at != seat::stage::joined
        || net_.now() - x.when > confirm_patience
        || (frozen != disturbed_.end() && frozen->second >= x.when))
      return true;
    auto session = at.cluster().session(x.of->number);
    if (x.of->at != at.id() && net_.partner(at.id(), session) != x.of->at)
      session = 0;
    x.turns = session == x.session ? x.turns + 1 : 0;
    x.session = session;
    x.due = (session != 0 || x.of->at == at.id()) && x.turns >= settling;
    return false;
  });
}

// -- what comes of them
// -----------------------------------------------------------

bool ledger::addressed(const order& x, const client& to) const {
  auto is = [&](const auto& name) {
    return std::find(x.names.begin(), x.names.end(), name) != x.names.end();
  };
  switch (x.what) {
  case order::kind::users:
    return is(to.user());
  case order::kind::rooms:
    return std::any_of(
      to.seats().begin(), to.seats().end(), [&](const auto& each) {
        return each->nsp == x.nsp
               && std::any_of(each->rooms.begin(), each->rooms.end(), is);
      });
  default:
    return x.what == order::kind::all;
  }
}

order& ledger::order_of(const codec::shared_event& x) const {
  // ["e",number]
  return *orders_[std::stoull(std::string{x.args()}.substr(5)) - 1];
}

void ledger::on_ack(client& x, const codec::shared_event& event) {
  auto& of = order_of(event);
  ++of.acked[x.user()];
  // One that comes by way of a sequencer may be lost with it.
  if (!of.sequenced())
    acks_.push_back({&of, &x, x.find(of.nsp), net_.now()});
}

void ledger::on_event(client& x, const codec::shared_event& event) {
  auto& from = order_of(event);
  auto id = from.id;
  log_.detail(x.user(), " at node ", x.number(), " gets #", id);
  if (!x.seen.insert(id).second)
    log_.fail("delivered twice to ", x.user(), " at node ", x.number(), ": ",
              to_string(from));
  if (from.refused)
    log_.fail("was refused and got to ", x.user(), ": ", to_string(from));
  if (event.nsp() != from.nsp || !addressed(from, x))
    log_.fail("not for ", x.user(), " at node ", x.number(), ": ",
              to_string(from));
  auto& last = x.last[{from.at, from.nsp}];
  auto promised = !from.sequenced() || (from.calm && calm());
  if (id < last && promised)
    log_.fail("out of order at ", x.user(), " at node ", x.number(), ": ",
              to_string(from), " after ", to_string(*orders_[last - 1]));
  if (from.sequenced() && promised)
    x.row.push_back(id);
  // What came out of order says nothing about those that follow.
  last = promised ? id : 0;
  from.got.insert(&x);
}

void ledger::on_routed(node& at, const routed& x) {
  auto* to = find(at, x.ticket);
  if (to == nullptr) {
    log_.fail("a second answer to ", to_string(*orders_[x.ticket - 1]));
    return;
  }
  if (x.outcome != ec::none) {
    log_.detail("#", x.ticket, " is refused: ", to_string(x.outcome));
    if (how_.opts.cluster.queue_bytes > 1000000 || !to->got.empty())
      log_.fail("refused without reason: ", to_string(*to));
    to->refused = true;
    to->to.clear();
    answered(at, *to, {});
    return;
  }
  log_.detail("#", x.ticket, " is answered: matched ", x.matched, ", online ",
              x.online, ", unreachable ", list(x.unreachable));
  if (x.online > to->got.size())
    log_.fail("online ", x.online, " and only ", to->got.size(), " have ",
              to_string(*to));
  if (to->calm && calm()) {
    if (to->matched && x.matched != *to->matched)
      log_.fail("matched ", x.matched, " instead of ", *to->matched, ": ",
                to_string(*to));
    if (x.online != to->online)
      log_.fail("online ", x.online, " instead of ", to->online, ": ",
                to_string(*to));
  }
  answered(at, *to, x.unreachable);
}

void ledger::on_confirmed(node& at, const confirmed& x) {
  auto& to = *orders_[x.confirm - 1];
  if (to.at != at.id() || !to.confirm)
    log_.fail("nobody awaits the acknowledgement of ", to_string(to));
  if (++to.confirmed[x.user] > to.acked[x.user])
    log_.fail("more acknowledgements of ", x.user,
              " than there were: ", to_string(to));
}

void ledger::on_info(node& at, const user_info& x) {
  auto* to = find(at, x.ticket);
  if (to == nullptr) {
    log_.fail("a second answer to ", to_string(*orders_[x.ticket - 1]));
    return;
  }
  log_.detail("#", x.ticket, " is answered: version ", x.version, ", ",
              x.connections.size(), " connections, changed ", x.changed,
              ", unreachable ", list(x.unreachable));
  if (to->calm && calm()) {
    auto online = !x.online.empty() && x.online.front();
    if (to->what == order::kind::show
        && ((to->matched && online != (*to->matched > 0))
            || x.connections.size() != to->online))
      log_.fail("says ", online ? "online" : "offline", " with ",
                x.connections.size(), " instead of ", to->online,
                " connections: ", to_string(*to));
    if (to->what == order::kind::kick && x.changed != to->online)
      log_.fail("disconnected ", x.changed, " instead of ", to->online, ": ",
                to_string(*to));
  }
  if (to->what == order::kind::show)
    check_version(at, *to, x);
  answered(at, *to, x.unreachable);
}

void ledger::answered(node& at, order& x,
                      const std::vector<uint16_t>& unreachable) {
  open_.erase({at.id(), x.id});
  x.answered = true;
  x.unreachable = {unreachable.begin(), unreachable.end()};
  auto quiet = how_.opts.cluster.dead_after.count() + recovery;
  for (auto& each : x.to) {
    auto number = each.to->owner->number();
    if (each.session != at.cluster().session(number))
      each.kept = false;
    // Nothing was between them, so there was no reason to name it.
    if (!x.sequenced() && !how_.slow() && each.session != 0
        && x.unreachable.count(number) > 0
        && each.session == at.cluster().session(number)
        && disturbed(at.number(), number) < x.when - quiet)
      log_.fail("names node ", number,
                " as unreachable without reason: ", to_string(x));
  }
}

void ledger::check_version(const node& at, order& x, const user_info& answer) {
  const auto& user = x.names.front();
  if (answer.version == 0 || !answer.unreachable.empty())
    return;
  // Only what was asked after the last answer came must not be older.
  auto& own = versions_at_[{at.id(), user}];
  if (x.when > own.second) {
    if (answer.version < own.first)
      log_.fail("the version of ", user, " went back from ", own.first, " to ",
                answer.version, " at node ", at.number(), ": ", to_string(x));
    own = {answer.version, net_.now()};
  }
  if (!x.calm || !calm())
    return;
  auto& all = versions_[user];
  if (x.when <= all.when)
    return;
  if (answer.version < all.number
      || (answer.version == all.number && x.joins > all.joins))
    log_.fail("the version of ", user, " is ", answer.version, " and was ",
              all.number, " ", x.joins - all.joins,
              " connects before: ", to_string(x));
  all = {answer.version, x.joins, net_.now()};
}

// -- the end
// --------------------------------------------------------------------

void ledger::missed(const order& x, const addressee& to, const char* why) {
  log_.fail(to.to->owner->user(), " at node ", to.to->owner->number(),
            x.what == order::kind::kick ? " was not reached by "
                                        : " has missed ",
            to_string(x), ", ", why);
}

void ledger::audit_acks() {
  // A node that is cut off because too much waits loses it.
  if (how_.opts.cluster.queue_bytes < 1000000)
    return;
  std::map<std::pair<order*, std::string>, int> due;
  for (const auto& x : acks_)
    if (x.due && ended_.count(x.of->at) == 0 && ended_.count(x.by->at()) == 0)
      ++due[{x.of, x.by->user()}];
  for (const auto& [what, n] : due)
    if (what.first->confirmed[what.second] < n)
      log_.fail("no acknowledgement of ", what.second, ": ",
                to_string(*what.first));
  for (const auto& x : orders_)
    for (const auto* each : x->got)
      if (x->confirm && x->acked[each->user()] == 0)
        log_.fail(each->user(), " was not asked to acknowledge ",
                  to_string(*x));
}

/// All clients have the events of the sequenced namespace in one order.
void ledger::audit_row() {
  std::set<std::pair<uint64_t, uint64_t>> before;
  for (const auto& x : clients_)
    for (size_t i = 0; i < x->row.size(); ++i)
      for (size_t j = i + 1; j < x->row.size(); ++j) {
        before.emplace(x->row[i], x->row[j]);
        if (before.count({x->row[j], x->row[i]}) > 0)
          log_.fail("not in the same order for all: ",
                    to_string(*orders_[x->row[i] - 1]), " before ",
                    to_string(*orders_[x->row[j] - 1]), " at ", x->user());
      }
}

void ledger::audit() {
  audit_acks();
  audit_row();
  for (const auto& x : orders_) {
    if (x->what == order::kind::show)
      continue;
    auto lives = ended_.count(x->at) == 0;
    if (lives && !x->answered)
      log_.fail("never answered: ", to_string(*x));
    for (const auto& each : x->to) {
      auto& who = *each.to->owner;
      auto done = x->what == order::kind::kick
                    ? each.to->at == seat::stage::closed
                    : x->got.count(&who) > 0;
      if (done || each.to->at != seat::stage::joined
          || (x->sequenced()
              && (!x->calm || !x->answered || !x->unreachable.empty())))
        continue;
      if (who.at() == x->at)
        missed(*x, each, "which was accepted there");
      else if (x->answered && x->unreachable.count(who.number()) == 0
               && (each.session != 0 || each.known))
        missed(*x, each, "and was not named as unreachable");
      else if (lives && each.session != 0 && each.kept
               && how_.opts.cluster.queue_bytes > 1000000)
        missed(*x, each, "although its node was linked");
    }
  }
}

} // namespace signalbox::simulation
