#include "tests/simulation/world.hpp"

#include <algorithm>

// The end of a run: everything is healed, and what the nodes say must be what
// is true.

namespace signalbox::simulation {

namespace {

/// Within this time all nodes must agree.
constexpr int64_t patience = 10000;

} // namespace

/// Returns whether all nodes have found each other and agree.
bool world::whole() const {
  std::vector<uint16_t> numbers;
  for (const auto& [number, x] : nodes_)
    numbers.push_back(number);
  return std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& x) {
    const auto& [number, each] = x;
    auto& at = each->cluster();
    return each->frozen_since == 0 && at.settled() && at.nodes() == numbers
           && std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& y) {
                return y.first == number
                       || net_.partner(each->id(), at.session(y.first))
                            == y.second->id();
              });
  });
}

std::string world::views() const {
  std::string out;
  for (const auto& [number, x] : nodes_) {
    out += text("; node ", number, " sees");
    for (auto each : x->cluster().nodes())
      out += text(" ", each);
    out += x->cluster().settled() ? ", settled" : ", not settled";
  }
  return out;
}

void world::converge() {
  net_.heal();
  for (auto& [number, x] : nodes_)
    if (x->frozen_since != 0)
      thaw(*x);
  log_.note("all is healed");
  books_.disturb();
  auto until = net_.now() + patience;
  while (!whole() && net_.now() < until && !log_.failed())
    pass(100);
  if (!whole())
    log_.fail("the nodes do not agree after ", patience, " ms:", views());
  if (log_.failed())
    return;
  log_.note("the nodes agree");
  // Records end, and what was sent arrives.
  pass(how_.opts.presence.leave_grace.count() + 3000);
  if (!whole())
    log_.fail("the nodes agree no more:", views());
  for (const auto& x : books_.clients())
    for (const auto& each : x->seats())
      if (each->at == seat::stage::asking)
        log_.fail(x->user(), " at node ", x->number(),
                  " is still not let into ", each->nsp);
  count();
  // Long enough for the books to count on every answer.
  pass(how_.opts.cluster.dead_after.count() + 5000);
  if (!log_.failed())
    probe();
  if (log_.failed())
    return;
  parcels_.audit();
  books_.audit();
}

/// What the nodes count is what there is.
void world::count() {
  std::map<std::string, size_t> online;
  for (auto* each : books_.joined({}))
    ++online[each->owner->user()];
  int64_t users = 0;
  for (const auto& [number, x] : nodes_) {
    users += x->count().users_online;
    for (const auto& peer : x->cluster().info().members)
      if (peer.state == "up" && peer.queue_bytes > 0)
        log_.fail("node ", number, " still keeps ", peer.queue_bytes,
                  " bytes for node ", peer.node);
    auto living = [&x](actor_kind kind) {
      return x->count().actors[static_cast<size_t>(kind)].load();
    };
    int64_t clients = 0;
    for (const auto& each : books_.clients())
      clients += each->connected() && each->at() == x->id() ? 1 : 0;
    if (auto n = living(actor_kind::connection); n != clients)
      log_.fail("node ", number, " has ", n, " connections instead of ",
                clients);
    if (living(actor_kind::presence) != x->count().users_online)
      log_.fail("node ", number, " has ", living(actor_kind::presence),
                " records of ", x->count().users_online.load(), " users");
  }
  if (users != static_cast<int64_t>(online.size()))
    log_.fail("the nodes count ", users, " users instead of ", online.size());
}

/// Every node is asked for every user and takes events for them.
void world::probe() {
  auto ask = [this](order x) {
    for (const auto& [number, each] : nodes_)
      give(*each, x);
    pass(500);
  };
  for (auto i = 1; i <= 6 && !log_.failed(); ++i) {
    order x;
    x.what = order::kind::show;
    x.names = {text("user", i)};
    ask(x);
    x.what = order::kind::users;
    x.confirm = true;
    for (const auto* nsp : namespaces) {
      x.nsp = nsp;
      ask(x);
    }
  }
  // Whatever was under way at nodes that are gone: now it has an end.
  for (auto known : {false, true})
    for (const auto& key : parcels_.keys()) {
      for (const auto& [number, each] : nodes_)
        parcels_.post(*each, key, whole(), known);
      pass(500);
    }
  for (const auto* nsp : namespaces) {
    order x;
    x.nsp = nsp;
    x.what = order::kind::all;
    ask(x);
    x.what = order::kind::rooms;
    x.names = {"red", "blue"};
    ask(x);
  }
  pass(1000);
}

} // namespace signalbox::simulation
