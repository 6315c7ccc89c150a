#include "tests/simulation/world.hpp"

// What happens to nodes and to the network between them.

namespace signalbox::simulation {

void world::take_fault() {
  constexpr step faults[] = {
    &world::start_node, &world::start_node,  &world::leave_node,
    &world::crash_node, &world::freeze_node, &world::thaw_node,
    &world::thaw_node,  &world::block,       &world::block,
    &world::unblock,    &world::unblock,     &world::heal,
    &world::cut,        &world::cut};
  (this->*luck_.pick(faults))();
}

void world::start_node() {
  auto all = stopped();
  if (!all.empty())
    start(luck_.pick(all));
}

void world::leave_node() {
  auto* x = some_node();
  if (x == nullptr || nodes_.size() < 2)
    return;
  for (const auto& each : books_.clients())
    if (each->at() == x->id())
      each->close();
  turn();
  hand_keys_over(*x);
  x->control().enter_thread();
  x->cluster().leave();
  turn();
  turn();
  end(x->number(), network::ending::left);
}

/// A node that leaves takes no more posts, and gives its keys to the others.
void world::hand_keys_over(node& x) {
  // Nobody can take all of them, or say how the posts here ended.
  if (!whole())
    parcels_.disturb();
  log_.note("node ", x.number(), " is about to leave");
  auto done = false;
  x.control().enter_thread();
  leave(x.relay(), [&done] { done = true; });
  auto patience = 4 * how_.opts.cluster.request_timeout.count();
  for (auto until = net_.now() + patience; !done && net_.now() < until;)
    pass(10);
  if (!done)
    log_.fail("node ", x.number(), " does not leave for ", patience, " ms");
}

void world::crash_node() {
  if (nodes_.size() < 2)
    return;
  // Best while something is under way.
  if (luck_.percent(50)) {
    post();
    pass(luck_.between(0, 3 * how_.delay));
  }
  auto i = nodes_.begin();
  std::advance(i, luck_.between(0, static_cast<int64_t>(nodes_.size()) - 1));
  end(i->first,
      luck_.percent(40) ? network::ending::silent : network::ending::reset);
}

void world::freeze_node() {
  auto* x = some_node();
  if (x == nullptr || running().size() < 2)
    return;
  log_.note("node ", x->number(), " stands still");
  books_.disturb(x->number());
  parcels_.disturb();
  x->frozen_since = net_.now();
  net_.freeze(x->id(), true);
}

void world::thaw_node() {
  for (auto& [number, x] : nodes_)
    if (x->frozen_since != 0) {
      thaw(*x);
      return;
    }
}

void world::block() {
  auto a = static_cast<uint16_t>(luck_.between(1, how_.nodes));
  auto b = static_cast<uint16_t>(luck_.between(1, how_.nodes));
  if (a == b)
    return;
  auto both = luck_.percent(60);
  log_.note("nothing gets from node ", a, " to ", b, both ? ", nor back" : "");
  books_.disturb(a, b);
  parcels_.disturb();
  net_.block(a, b, true);
  if (both)
    net_.block(b, a, true);
}

void world::unblock() {
  for (uint16_t a = 1; a <= how_.nodes; ++a)
    for (uint16_t b = 1; b <= how_.nodes; ++b)
      if (net_.blocked(a, b) && luck_.percent(50)) {
        log_.note("node ", a, " reaches ", b, " again");
        books_.disturb(a, b);
        parcels_.disturb();
        net_.block(a, b, false);
        net_.block(b, a, false);
        return;
      }
}

void world::heal() {
  log_.note("the network is healed");
  for (uint16_t a = 1; a <= how_.nodes; ++a)
    for (uint16_t b = 1; b <= how_.nodes; ++b)
      if (net_.blocked(a, b))
        books_.disturb(a, b);
  parcels_.disturb();
  net_.heal();
}

void world::cut() {
  auto some = [this] {
    return static_cast<uint16_t>(luck_.between(1, how_.nodes));
  };
  auto a = some();
  auto b = some();
  // Best while another one opens, on which less is known.
  for (auto i = 0; i < 10 && !net_.opening(a, b); ++i) {
    a = some();
    b = some();
  }
  if (a == b)
    return;
  // Also while something is on its way, and again as soon as it is mended.
  for (auto n = luck_.percent(30) ? luck_.between(2, 5) : 1; n > 0; --n) {
    if (luck_.percent(70)) {
      for (auto number : {a, b})
        if (auto i = nodes_.find(number);
            i != nodes_.end() && i->second->frozen_since == 0)
          publish_at(*i->second);
      pass(luck_.between(0, 4 * how_.delay));
    }
    log_.note("the connection of node ", a, " and ", b, " is cut");
    books_.disturb(a, b);
    parcels_.disturb();
    net_.cut(a, b);
    if (n > 1)
      pass(luck_.between(100, 800));
  }
}

} // namespace signalbox::simulation
