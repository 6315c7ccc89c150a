#pragma once

#include "actors/relay/relay.hpp"
#include "tests/support/mesh.hpp"

#include "tests/support/actors.hpp"

namespace signalbox::test {

using nodes = std::vector<uint16_t>;
using names = std::vector<std::string>;
using fake_users = recorder<deliver_users, user_command, wire::locate>;
using fake_nsp = recorder<broadcast>;
using fake_asker =
  recorder<routed, confirmed, user_info, wire::claim, wire::claim_settled,
           list_keys, wire::keys, live_processes>;

/// RELAY on node 1 of 1, 2 and 3.
struct relay_rig : shards {
  relay_rig() {
    std::tie(users, asked) = spawn_light<fake_users, users_actor>(one);
    std::tie(root, cast) = spawn_light<fake_nsp, nsp_actor>(one);
    std::tie(ingest, answers) = spawn_light<fake_asker, ingest_actor>(one);
    std::map<std::string, nsp_actor> here{{"/", root}};
    for (uint16_t node = 1; node <= 3; ++node)
      for (uint16_t then = 1; then <= 3; ++then) {
        if (then == node)
          continue;
        namespace_settings each;
        each.name = sequenced(node, then);
        each.sequenced = true;
        opts.namespaces.push_back(each);
        here[each.name] = root;
      }
    x = spawn_relay(one, opts, others, users, here, count);
    set_ingest(x, ingest);
  }

  ~relay_rig() {
    end(x.self);
    end(users);
    end(root);
    end(ingest);
    settle();
    x = {};
    users = nullptr;
    root = nullptr;
    ingest = nullptr;
  }

  /// A namespace that a node sequences; without that node, `then` does.
  static std::string sequenced(uint16_t node, uint16_t then) {
    nodes rest{1, 2, 3};
    std::erase(rest, node);
    for (int i = 0;; ++i)
      if (auto name = "/s" + std::to_string(i);
          ring_home("sequencer:" + name, {1, 2, 3}) == node
          && ring_home("sequencer:" + name, rest) == then)
        return name;
  }

  void change(nodes live) {
    auto serial = others.change(live);
    caf::anon_send(x.self, view_changed{serial, live});
    settle();
  }

  static codec::event_ptr event(const std::string& args,
                                const std::string& nsp = "/") {
    return std::make_shared<const codec::shared_event>(
      nsp, args, std::vector<std::string>{});
  }

  /// INGEST has accepted an event for users.
  void post(uint64_t ticket, names to, const std::string& args = "[1]",
            const std::string& nsp = "/", uint64_t confirm = 0) {
    deliver_users out;
    out.ticket = ticket;
    out.users = std::move(to);
    out.event = event(args, nsp);
    out.confirm = confirm;
    out.confirm_ms = confirm == 0 ? 0 : 5000;
    caf::anon_send(x.users, std::move(out));
    settle();
  }

  /// INGEST has accepted an event for all, or for rooms.
  void post_all(uint64_t ticket, const std::string& args = "[1]",
                const std::string& nsp = "/", names rooms = {}) {
    broadcast out;
    out.ticket = ticket;
    out.event = event(args, nsp);
    out.rooms = std::move(rooms);
    caf::anon_send(x.events, std::move(out));
    settle();
  }

  template <class T>
  void say(uint16_t node, T y) {
    y.from = node;
    caf::anon_send(x.self, std::move(y));
    settle();
  }

  /// A home says where its users are, one list of nodes each.
  void locate(uint16_t node, uint64_t ticket, std::vector<nodes> where,
              bool settled = true) {
    wire::located y;
    y.ticket = ticket;
    y.settled = settled;
    if (settled)
      for (const auto& each : where)
        y.users.push_back(
          {!each.empty(), static_cast<uint32_t>(each.size()), each});
    say(node, std::move(y));
  }

  void route(uint16_t node, uint64_t ticket, uint64_t matched, uint64_t online,
             names offline = {}, std::vector<bool> found = {}) {
    wire::routed y;
    y.ticket = ticket;
    y.matched = matched;
    y.online = online;
    y.offline = std::move(offline);
    y.found = std::move(found);
    say(node, std::move(y));
  }

  /// USERS or the namespace here answers.
  void route_here(uint64_t ticket, uint64_t matched, uint64_t online,
                  names offline = {}, std::vector<bool> found = {}) {
    routed y;
    y.ticket = ticket;
    y.matched = matched;
    y.online = online;
    y.offline = std::move(offline);
    y.found = std::move(found);
    caf::anon_send(x.ingest, std::move(y));
    settle();
  }

  void ack(uint16_t node, uint64_t number) {
    caf::anon_send(x.self, batches_acked{node, number});
    settle();
  }

  /// Returns what INGEST was told, as `ticket:matched/online` and, behind it,
  /// `-user` for offline users and `!node` for nodes out of reach.
  std::string told() {
    std::string out;
    for (const auto& each : std::exchange(answers->all<routed>(), {})) {
      out += std::to_string(each.ticket) + ':' + std::to_string(each.matched)
             + '/' + std::to_string(each.online);
      for (const auto& user : each.offline)
        out += " -" + user;
      for (auto node : each.unreachable)
        out += " !" + std::to_string(node);
      out += ' ';
    }
    return out;
  }

  /// Returns the arguments of what was sent to a node, in order of their kind.
  std::string sent(uint16_t node) {
    std::string out;
    for (const auto& each : others.take<wire::deliver>(node))
      out += each.args;
    for (const auto& each : others.take<wire::broadcast>(node))
      out += each.args;
    return out;
  }

  static std::string at(uint16_t home, int nth = 0) {
    return fake_mesh::user_of(home, {1, 2, 3}, nth);
  }

  fake_mesh others{1, {1, 2, 3}};
  users_actor users;
  nsp_actor root;
  ingest_actor ingest;
  relay_ref x;
  fake_users* asked = nullptr;
  fake_nsp* cast = nullptr;
  fake_asker* answers = nullptr;
};

} // namespace signalbox::test
