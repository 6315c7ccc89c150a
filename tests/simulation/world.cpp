#include "tests/simulation/world.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/actor_registry.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox::simulation {

namespace {

constexpr int users = 6;

/// Time goes on in steps of at most so many milliseconds.
constexpr int64_t tick = 32;

/// A loop whose thread did not run for less than this catches up.
constexpr int64_t stall = 1000;

/// Has the log say whose it is.
void name_log(uint16_t number) {
  if (spdlog::get_level() != spdlog::level::off)
    spdlog::set_pattern(text("              node ", number, " logs: %v"));
}

} // namespace

world::world(caf::actor_system& sys, uint64_t seed, bool trace)
  : luck_(seed), how_(luck_), log_(trace), sys_(sys),
    actors_before_(sys.registry().running()), net_(sys, luck_, how_, log_),
    books_(net_, how_, log_), parcels_(net_, how_, log_) {
  // nop
}

world::~world() {
  end_all();
}

bool world::run() {
  const auto& c = how_.opts.cluster;
  log_.note(how_.nodes, " nodes, ", how_.steps, " steps, ", how_.faults,
            " % faults, dead after ", c.dead_after.count(), " ms, timeout ",
            c.request_timeout.count(), " ms, grace ",
            how_.opts.presence.leave_grace.count(), " ms");
  auto first = luck_.between(1, how_.nodes);
  for (uint16_t i = 1; i <= first; ++i)
    start(i);
  if (luck_.percent(70))
    pass(3000);
  for (auto i = 0; i < how_.steps && !log_.failed(); ++i) {
    take_step();
    pass(luck_.percent(30) ? 0 : luck_.between(0, 120));
  }
  if (!log_.failed())
    converge();
  end_all();
  return !log_.failed();
}

// -- time
// -----------------------------------------------------------------------

void world::pass(int64_t ms) {
  auto end = net_.now() + ms;
  do {
    auto now = net_.now();
    auto next = std::min(net_.next_due(end), now + tick);
    next = std::max(next, std::min(now + 1, end));
    for (auto* each : running())
      each->advance(next - now);
    log_.time(next - epoch);
    net_.advance(next);
    turn();
  } while (net_.now() < end && !log_.failed());
}

/// Every node does what it has to do, in any order.
void world::turn() {
  auto all = running();
  for (size_t i = all.size(); i > 1; --i)
    std::swap(
      all[i - 1],
      all[static_cast<size_t>(luck_.between(0, static_cast<int64_t>(i) - 1))]);
  for (auto* each : all) {
    name_log(each->number());
    each->poll(luck_.percent(how_.late));
  }
  net_.poll();
  for (auto* each : all) {
    books_.watch(*each);
    parcels_.watch(*each);
  }
}

// -- choices
// ----------------------------------------------------------------------

std::vector<node*> world::running() const {
  std::vector<node*> out;
  for (const auto& [number, x] : nodes_)
    if (x->frozen_since == 0)
      out.push_back(x.get());
  return out;
}

std::vector<uint16_t> world::stopped() const {
  std::vector<uint16_t> out;
  for (uint16_t i = 1; i <= how_.nodes; ++i)
    if (nodes_.count(i) == 0)
      out.push_back(i);
  return out;
}

node* world::some_node() {
  auto all = running();
  return all.empty() ? nullptr : luck_.pick(all);
}

client* world::some_client() {
  std::vector<client*> all;
  for (const auto& x : books_.clients())
    if (x->connected())
      for (auto* each : running())
        if (each->id() == x->at())
          all.push_back(x.get());
  return all.empty() ? nullptr : luck_.pick(all);
}

std::string world::some_user() {
  return text("user", luck_.between(1, users));
}

// -- steps
// ------------------------------------------------------------------------

void world::take_step() {
  if (luck_.percent(how_.faults)) {
    take_fault();
    return;
  }
  constexpr std::pair<step, int> steps[] = {
    {&world::connect, 26},   {&world::come_back, 3},
    {&world::disconnect, 8}, {&world::leave_namespace, 4},
    {&world::publish, 30},   {&world::post, 6},
    {&world::show, 8},       {&world::kick, 2},
    {&world::wait, 13}};
  auto n = luck_.between(1, 100);
  for (const auto& [what, weight] : steps)
    if ((n -= weight) <= 0) {
      (this->*what)();
      return;
    }
}

void world::connect() {
  auto* at = some_node();
  if (at == nullptr)
    return;
  auto user = some_user();
  auto& x = books_.add(at->id(), at->number(), user);
  if (auto* before = mover(*at, user)) {
    log_.note(user, " comes from node ", before->number());
    before->moved = true;
    x.seen = before->seen;
  }
  x.open(at->some_shard(), at->shared());
  for (const auto* nsp : namespaces) {
    if (!luck_.percent(60))
      continue;
    std::vector<std::string> rooms;
    for (const auto* room : {"red", "blue"})
      if (luck_.percent(30))
        rooms.emplace_back(room);
    log_.note(user, " connects to node ", at->number(), " ", nsp);
    x.join(nsp, std::move(rooms));
  }
}

void world::come_back() {
  auto* x = some_client();
  if (x == nullptr)
    return;
  std::string nsp = luck_.pick(namespaces);
  if (x->find(nsp) != nullptr)
    return;
  log_.note(x->user(), " at node ", x->number(), " comes back to ", nsp);
  x->join(nsp, {});
}

void world::disconnect() {
  auto* x = some_client();
  if (x == nullptr)
    return;
  log_.note(x->user(), " at node ", x->number(), " disconnects");
  x->left = net_.now();
  x->close();
}

/// Returns the client of somebody who left another node a while ago, if nothing
/// that was on its way to `at` then can be there still but for a lost session.
client* world::mover(const node& at, const std::string& user) {
  auto since = net_.now() - 2 * how_.delay - how_.long_delay - 300;
  for (uint16_t i = 1; i <= how_.nodes; ++i)
    if (net_.blocked(i, at.number()) || net_.blocked(at.number(), i)
        || books_.disturbed(at.number(), i) > since)
      return nullptr;
  for (const auto& x : books_.clients())
    if (x->user() == user && x->number() != at.number() && x->left != 0
        && x->left < since && !x->moved)
      return x.get();
  return nullptr;
}

void world::leave_namespace() {
  auto* x = some_client();
  std::string nsp = luck_.pick(namespaces);
  if (x == nullptr || x->find(nsp) == nullptr)
    return;
  log_.note(x->user(), " at node ", x->number(), " leaves ", nsp);
  x->leave(nsp);
}

void world::publish() {
  auto* at = some_node();
  if (at == nullptr)
    return;
  for (auto n = luck_.between(1, 4); n > 0; --n)
    publish_at(*at);
}

void world::publish_at(node& at) {
  order x;
  x.nsp = luck_.pick(namespaces);
  auto n = luck_.between(1, 10);
  if (n <= 6) {
    x.what = order::kind::users;
    for (auto k = luck_.between(1, 3); k > 0; --k)
      if (auto user = some_user();
          std::find(x.names.begin(), x.names.end(), user) == x.names.end())
        x.names.push_back(user);
    x.confirm = luck_.percent(20);
  } else if (n <= 8) {
    x.what = order::kind::all;
  } else {
    x.what = order::kind::rooms;
    x.names.emplace_back("red");
    if (luck_.percent(50))
      x.names.emplace_back("blue");
  }
  give(at, std::move(x));
}

/// An event with a key, here and there at once.
void world::post() {
  auto key = parcels_.some_key(luck_);
  for (auto n = luck_.between(1, 3); n > 0; --n)
    if (auto* at = some_node())
      parcels_.post(*at, key, whole());
}

void world::show() {
  auto* at = some_node();
  if (at == nullptr)
    return;
  order x;
  x.what = order::kind::show;
  x.names = {some_user()};
  give(*at, std::move(x));
}

void world::kick() {
  auto* at = some_node();
  if (at == nullptr)
    return;
  order x;
  x.what = order::kind::kick;
  x.names = {some_user()};
  if (luck_.percent(50))
    x.nsp = luck_.pick(namespaces);
  give(*at, std::move(x));
}

void world::wait() {
  pass(luck_.percent(20) ? 3000 + how_.opts.cluster.dead_after.count()
                         : luck_.between(10, 3000));
}

// -- parts
// ------------------------------------------------------------------------

void world::start(uint16_t number) {
  log_.note("node ", number, " starts as process ", last_process_ + 1);
  std::vector<std::string> seeds;
  for (uint16_t i = 1; i <= how_.nodes; ++i)
    seeds.push_back(how_.aliases ? alias_of(i) : address_of(i));
  books_.disturb();
  nodes_[number] = std::make_unique<node>(
    sys_, net_, luck_, how_, books_, parcels_, ++last_process_, number, seeds);
}

void world::end(uint16_t number, network::ending how) {
  constexpr const char* ways[] = {" leaves", " crashes",
                                  " crashes and nobody is told"};
  log_.note("node ", number, ways[static_cast<size_t>(how)]);
  auto x = std::move(nodes_[number]);
  nodes_.erase(number);
  books_.disturb();
  books_.forget(x->id());
  parcels_.forget(x->id());
  if (how != network::ending::left)
    parcels_.disturb();
  net_.remove(x->id(), how);
  for (const auto& each : books_.clients())
    if (each->at() == x->id())
      each->crash();
  if (auto left = x->end(); !left.empty())
    log_.fail("of node ", number, " there is left:", left);
  past_.push_back(std::move(x));
}

void world::thaw(node& x) {
  auto lost = net_.now() - x.frozen_since;
  log_.note("node ", x.number(), " goes on after ", lost, " ms");
  books_.disturb(x.number());
  parcels_.disturb();
  net_.freeze(x.id(), false);
  x.frozen_since = 0;
  if (lost < stall)
    x.advance(lost);
}

void world::give(node& at, order x) {
  books_.accept(at, std::move(x), whole(), [&](const order& y) {
    auto& relay = at.relay();
    at.control().enter_thread();
    auto event = std::make_shared<const codec::shared_event>(
      y.nsp, text("[\"e\",", y.id, "]"), std::vector<std::string>{});
    switch (y.what) {
    case order::kind::users: {
      deliver_users out;
      out.ticket = y.id;
      out.users = y.names;
      out.event = std::move(event);
      out.confirm = y.confirm ? y.id : 0;
      out.confirm_ms = 1000;
      caf::anon_send(relay.users, std::move(out));
      break;
    }
    case order::kind::all:
    case order::kind::rooms:
      caf::anon_send(relay.events,
                     broadcast{y.id, std::move(event), y.names, false, {}});
      break;
    case order::kind::show:
    case order::kind::kick: {
      user_command out;
      out.what = y.what == order::kind::show ? user_command::kind::show
                                             : user_command::kind::disconnect;
      out.ticket = y.id;
      out.ids = y.names;
      out.nsp = y.nsp;
      caf::anon_send(relay.users, std::move(out));
      break;
    }
    }
    at.poll(true);
  });
}

void world::end_all() {
  while (!nodes_.empty())
    end(nodes_.begin()->first, network::ending::reset);
  net_.close();
  if (auto left = sys_.registry().running(); left > actors_before_)
    log_.fail(left - actors_before_, " actors are left");
}

} // namespace signalbox::simulation
