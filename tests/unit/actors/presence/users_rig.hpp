#pragma once

#include "tests/support/mesh.hpp"

#include "tests/support/actors.hpp"

namespace signalbox::test {

using nodes = std::vector<uint16_t>;
using fake_client = recorder<attached, deliver, disconnect>;
using fake_asker = recorder<routed, user_info>;
using fake_relay = recorder<wire::located>;
using fake_nsp = recorder<member_count>;

/// USERS among other nodes: this one is 1 of 1, 2 and 3.
struct users_rig : shards {
  users_rig() {
    std::tie(root, counted) = spawn_light<fake_nsp, nsp_actor>(one);
    std::tie(relay, located) = spawn_light<fake_relay, caf::actor>(one);
    std::tie(asker, answers) = spawn_light<fake_asker, ingest_actor>(one);
    users = spawn_users(one, {{"/", root}}, opts.presence, count);
    set_mesh(users, others, relay);
    set_ingest(users, asker);
  }

  ~users_rig() {
    for (auto& each : connections)
      end(each);
    end(users);
    end(root);
    end(asker);
    end(relay);
    settle();
    connections.clear();
    users = nullptr;
    root = nullptr;
    asker = nullptr;
    relay = nullptr;
  }

  /// A client of this node asks to join.
  fake_client* join(const std::string& user, const std::string& sid) {
    auto [handle, side] = spawn_light<fake_client, connection_actor>(two);
    connections.push_back(handle);
    presence_attach x;
    x.who = handle;
    x.ticket = 50 + connections.size();
    x.user = user;
    x.nsp = "/";
    x.sid = sid;
    x.info = R"({"n":1})";
    tell(std::move(x));
    return side;
  }

  /// Returns what a client was told, `-` if nothing.
  static std::string outcome(fake_client* x) {
    auto& all = x->all<attached>();
    if (all.size() != 1)
      return all.empty() ? "-" : "too often";
    return to_string(all[0].outcome);
  }

  template <class T>
  void tell(T x) {
    caf::anon_send(users, std::move(x));
    settle();
  }

  /// Another node says something.
  template <class T>
  void say(uint16_t node, T x) {
    x.from = node;
    caf::anon_send(caf::actor_cast<caf::actor>(users), std::move(x));
    settle();
  }

  void answer(uint16_t node, const wire::attach& x, ec outcome = ec::none) {
    say(node, wire::attached{0, x.ticket, outcome});
  }

  void change(nodes live) {
    auto serial = others.change(live);
    tell(view_changed{serial, live});
  }

  /// Another node has a connection of a user.
  void attach(uint16_t node, const std::string& user, uint64_t connection,
              bool home = true) {
    wire::attach x;
    x.ticket = ++tickets;
    x.user = user;
    x.nsp = "/";
    x.connection = connection;
    x.home = home;
    say(node, x);
  }

  /// Returns what the record here says of a user, as `online@node@node`, `-`
  /// without one.
  std::string where(const std::string& user) {
    wire::locate x;
    x.from = 1;
    x.ticket = 1;
    x.nsp = "/";
    x.users = {user};
    x.view = others.hash;
    auto agreed = std::exchange(others.agreed, true);
    caf::anon_send(caf::actor_cast<caf::actor>(users), std::move(x));
    settle();
    others.agreed = agreed;
    auto all = std::exchange(located->all<wire::located>(), {});
    if (all.size() != 1 || !all[0].settled || !all[0].users[0].known)
      return "-";
    auto out = std::to_string(all[0].users[0].online);
    for (auto node : all[0].users[0].nodes)
      out += "@" + std::to_string(node);
    return out;
  }

  uint64_t version(const std::string& user) {
    user_command x;
    x.ids = {user};
    tell(std::move(x));
    return answers->all<user_info>().back().version;
  }

  /// A user whose home is a node of 1, 2 and 3 (and, without one of them,
  /// another one).
  static std::string at(uint16_t home) {
    return fake_mesh::user_of(home, {1, 2, 3});
  }

  static std::string at(uint16_t home, uint16_t without, uint16_t then) {
    nodes rest;
    for (uint16_t i = 1; i <= 3; ++i)
      if (i != without)
        rest.push_back(i);
    for (int i = 0;; ++i)
      if (auto user = fake_mesh::user_of(home, {1, 2, 3}, i);
          ring_home(user, rest) == then)
        return user;
  }

  fake_mesh others{1, {1, 2, 3}};
  nsp_actor root;
  ingest_actor asker;
  caf::actor relay;
  users_actor users;
  fake_nsp* counted = nullptr;
  fake_relay* located = nullptr;
  fake_asker* answers = nullptr;
  std::vector<connection_actor> connections;
  uint64_t tickets = 0;
};

} // namespace signalbox::test
