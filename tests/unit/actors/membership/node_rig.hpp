#pragma once

#include "actors/membership/membership.hpp"
#include "tests/unit/actors/membership/cable.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

// Several MEMBERSHIPs in one process, joined by cables that a test can cut.

namespace signalbox::test {

/// USERS, RELAY and TUNNELS of a node, in one.
using fake_room = recorder<view_changed, batches_acked, wire::confirmed,
                           wire::deliver, wire::claim, wire::tunnel>;

using fake_link = recorder<link_open, link_batch>;

/// A node as far as MEMBERSHIP goes.
struct rig_node {
  settings opts;
  std::string address;
  membership_ref x;
  caf::actor room;
  fake_room* told = nullptr;
  /// Addresses that were dialed.
  std::vector<std::string> dials;
  /// What it says of its settings.
  std::vector<wire::fingerprint> alike;
  int drains = 0;
  /// Whether it reports its users to their homes, as USERS does.
  bool reports = true;
};

struct node_rig : shards {
  ~node_rig() {
    end(knocker);
    for (auto& [name, node] : nodes)
      kill(name);
    for (auto& each : cables)
      each->ends.clear();
    cables.clear();
    settle();
    knocker = nullptr;
  }

  /// Makes a node; `start` begins.
  rig_node& add(uint16_t number, std::vector<std::string> seeds = {},
                const std::string& cluster = "test", std::string address = {}) {
    if (address.empty())
      address = "node" + std::to_string(number) + ":1";
    auto& x = *(nodes[address] = std::make_unique<rig_node>());
    x.address = address;
    x.opts.router.node = number;
    x.opts.cluster.name = cluster;
    x.opts.cluster.seeds = std::move(seeds);
    return x;
  }

  /// Starts a node, a second time as another process.
  void start(rig_node& x) {
    std::tie(x.room, x.told) = spawn_light<fake_room, caf::actor>(one);
    x.x = spawn_membership(
      one, x.opts, count,
      [this, &x](const std::string& to, const membership_actor& asker) {
        x.dials.push_back(to);
        answer_dial(x.address, to, asker);
      },
      {[this] { return ++drawn; }, [this] { return clock; }});
    start_membership(x.x, {x.room, x.room, x.room, [&x] { ++x.drains; }},
                     x.address, x.alike);
    agree();
  }

  void kill(const std::string& address) {
    auto& x = *nodes.at(address);
    end(x.x.handle);
    end(x.room);
    settle();
    x.x = {};
    x.room = nullptr;
    x.told = nullptr;
  }

  /// Answers as the network does: the node's gate, or that no node listens.
  void answer_dial(const std::string& from, const std::string& to,
                   const membership_actor& asker) {
    dialed out;
    out.address = to;
    auto i = nodes.find(to);
    if (deaf.count(to) > 0 || i == nodes.end() || !i->second->x.handle) {
      out.error = "nobody listens";
    } else {
      auto on = std::make_shared<cable>();
      on->from = from;
      on->to = to;
      on->held = hold_new;
      cables.push_back(on);
      out.gate = cable_end::make(
        one, on, caf::actor_cast<caf::strong_actor_ptr>(i->second->x.handle));
    }
    caf::anon_send(asker, std::move(out));
  }

  /// Lets what waits in a cable arrive.
  void release(cable& x) {
    x.held = false;
    for (auto& each : std::exchange(x.waiting, {}))
      each();
    settle();
  }

  /// Ends a cable; both sides hear of it.
  void unplug(cable& x) {
    x.cut = true;
    for (auto& each : x.ends)
      end(each);
    x.ends.clear();
    x.waiting.clear();
    settle();
  }

  void unplug_all() {
    for (auto& each : cables)
      unplug(*each);
  }

  /// Runs until every node has reported its users in its view.
  void agree() {
    for (auto again = true; again;) {
      settle();
      again = false;
      for (auto& [address, x] : nodes) {
        if (x->told == nullptr || !x->reports)
          continue;
        for (const auto& each :
             std::exchange(x->told->all<view_changed>(), {})) {
          x->x.local->reattached(each.serial);
          views += address + ' ' + text(each.nodes) + '\n';
          again = true;
        }
      }
    }
  }

  /// Lets time pass in small steps, so that what happens again and again does.
  void pass(int64_t ms) {
    for (; ms > 0; ms -= 50) {
      advance(std::min<int64_t>(ms, 50));
      agree();
    }
  }

  static std::string text(const std::vector<uint16_t>& all) {
    std::string out;
    for (auto node : all)
      out += (out.empty() ? "" : ",") + std::to_string(node);
    return out;
  }

  /// Returns the live nodes as one node sees them, with `?` if not all agree.
  std::string live(const rig_node& x) {
    return text(x.x.local->nodes()) + (x.x.local->settled() ? "" : "?");
  }

  /// Returns the other nodes as an operator sees them, as `number:state`.
  std::string peers(const rig_node& x) {
    std::string out;
    for (const auto& each : x.x.local->info().members)
      out +=
        (out.empty() ? "" : " ") + std::to_string(each.node) + ':' + each.state;
    return out;
  }

  /// Sends an item from one node to another.
  void send(rig_node& from, uint16_t to, const std::string& what) {
    from.x.local->send(to, wire::confirmed{0, 1, what});
  }

  /// Returns the items that arrived at a node, as `from what`.
  std::string got(rig_node& x) {
    std::string out;
    for (const auto& each : std::exchange(x.told->all<wire::confirmed>(), {}))
      out += std::to_string(each.from) + ' ' + each.user + '\n';
    return out;
  }

  int64_t links() const {
    return living(actor_kind::link);
  }

  static wire::hello hello(uint16_t node, uint64_t incarnation = 5000) {
    wire::hello out;
    out.cluster = "test";
    out.node = node;
    out.incarnation = incarnation;
    out.session = 9000;
    out.address = "elsewhere:1";
    return out;
  }

  /// Dials a node by hand. Returns `hello N`, or why it was refused, or
  /// nothing.
  std::string knock(rig_node& at, const wire::hello& x,
                    const std::string& more = {}) {
    if (!knocker)
      std::tie(knocker, heard) = spawn_light<fake_link, caf::actor>(one);
    std::string bytes;
    wire::append(bytes, x);
    if (!more.empty()) {
      bytes += more;
      auto size = static_cast<uint32_t>(bytes.size() - 5);
      std::memcpy(bytes.data() + 1, &size, sizeof(size));
    }
    caf::anon_send(
      caf::actor_cast<caf::actor>(at.x.handle),
      link_open{bytes, caf::actor_cast<caf::strong_actor_ptr>(knocker)});
    settle();
    std::string out;
    for (const auto& each : std::exchange(heard->all<link_open>(), {}))
      out += "hello " + std::to_string(read<wire::hello>(each.bytes).node);
    for (const auto& each : std::exchange(heard->all<link_batch>(), {}))
      if (!each.bytes.empty() && each.bytes[0] == wire::refusal::tag)
        out += read<wire::refusal>(each.bytes).why;
    return out;
  }

  template <class T>
  static T read(std::string_view bytes) {
    T out;
    std::string_view item;
    uint8_t tag = 0;
    if (wire::next(bytes, tag, item) && tag == T::tag) {
      wire::reader in{item};
      inspect(in, out);
    }
    return out;
  }

  std::map<std::string, std::unique_ptr<rig_node>> nodes;
  std::vector<std::shared_ptr<cable>> cables;
  /// Addresses where no node listens.
  std::set<std::string> deaf;
  /// Whether what is sent in a new cable waits.
  bool hold_new = false;
  /// What the nodes' rooms were told of the views.
  std::string views;
  uint64_t drawn = 0;
  uint64_t clock = 1000000;
  /// The actor that dials by hand.
  caf::actor knocker;
  fake_link* heard = nullptr;
};

} // namespace signalbox::test
