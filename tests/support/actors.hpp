#pragma once

// Include this header last: CAF's DSL defines lower-case macros.

#include "actors/api/receipt.hpp"
#include "actors/api/register.hpp"
#include "actors/api/stamp.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/connection/connection.hpp"
#include "actors/ingest/api_paths.hpp"
#include "actors/nsp/nsp.hpp"
#include "actors/presence/users.hpp"
#include "actors/shard/light_actor.hpp"
#include "tests/support/fakes.hpp"

#include <caf/send.hpp>
#include <caf/test/dsl.hpp>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/check.hpp"

namespace signalbox::test {

struct config : caf::actor_system_config {
  config() {
    register_messages(*this);
  }
};

using fake_ingest = recorder<routed, confirmed, user_info, publish>;
using fake_site = recorder<authenticate, forward_event>;

/// Two shards polled by hand. Their time stands still unless `advance` moves
/// it.
struct shards : test_coordinator_fixture<config> {
  shards() {
    // Ahead of the clock, which `poll` would follow otherwise.
    advance(3600000);
  }

  ~shards() {
    settle();
    one.cleanup();
    two.cleanup();
  }

  template <class T>
  void end(const T& x) {
    if (x)
      caf::anon_send_exit(x, caf::exit_reason::user_shutdown);
  }

  /// Runs both shards until nothing is left to do.
  void settle() {
    for (auto idle = 0; idle < 3;)
      idle = first.poll() + second.poll() == 0 ? idle + 1 : 0;
  }

  /// Lets time pass on both shards.
  void advance(int64_t ms) {
    for (auto* each : {&first, &second})
      each->wheel().advance(each->wheel().now() + ms);
    settle();
  }

  int64_t living(actor_kind kind) const {
    return count.actors[static_cast<size_t>(kind)];
  }

  settings opts;
  counters count;
  net::loop first{0};
  net::loop second{1};
  shard one{sys, first};
  shard two{sys, second};
};

/// The rooms around a connection; the site and INGEST are recorders.
struct rooms : shards {
  rooms() {
    opts.site.auth_url = "http://site.test/";
    opts.ingest.keys = {{"site", "0123456789abcdef", {}, false}};
    keys = credentials{opts.ingest.keys};
    auto [site_handle, site_self] =
      spawn_light<fake_site, site_auth_actor>(one);
    auto [in_handle, in_self] = spawn_light<fake_ingest, ingest_actor>(one);
    site = site_self;
    ingest = in_self;
    nsp = add_namespace("/");
    shared.users = spawn_users(one, {{"/", nsp.handle}}, opts.presence, count);
    shared.site_auth = site_handle;
    shared.ingest = in_handle;
    shared.acks = in_handle;
    shared.make_id = [this] { return "c" + std::to_string(++ids); };
    set_ingest(shared.users, in_handle);
    set_ingest(nsp, in_handle);
  }

  ~rooms() {
    for (auto& each : connections)
      end(each);
    for (auto& each : namespaces)
      end(each);
    end(shared.users);
    end(shared.site_auth);
    end(shared.ingest);
    settle();
    connections.clear();
    namespaces.clear();
    nsp = {};
    shared.users = nullptr;
    shared.site_auth = nullptr;
    shared.ingest = nullptr;
    shared.acks = nullptr;
  }

  /// Adds a namespace; USERS counts users in the first one only.
  nsp_ref add_namespace(const std::string& name) {
    auto out = spawn_nsp(one, {&one, &two}, name, count, opts.limits.rooms);
    for (auto& each : out.hubs)
      shared.namespaces[name].hubs.push_back(each.local);
    namespaces.push_back(out.handle);
    return out;
  }

  /// Opens a session whose actor lives on the given shard.
  connection_actor open(fake_port& out, shard& at,
                        const session::handshake& from = {}) {
    auto [handle, side] = spawn_connection(
      at, shared, out, std::make_shared<const session::handshake>(from));
    out.gone = side;
    connections.push_back(handle);
    return handle;
  }

  void packet(const connection_actor& to, socket::packet_type type,
              std::string data = {}, std::optional<uint64_t> id = {},
              const std::string& name = "/") {
    socket::packet x;
    x.type = type;
    x.nsp = name;
    x.id = id;
    x.data = std::move(data);
    auto* actor = caf::actor_cast<caf::abstract_actor*>(to);
    dynamic_cast<session_side&>(*actor).on_packet(std::move(x));
    settle();
  }

  /// Answers the oldest question to the site, as if it had been asked at the
  /// stamp `asked`.
  void answer(ec outcome, const std::string& user = {},
              uint64_t asked = next_stamp()) {
    auto& questions = site->all<authenticate>();
    verdict x;
    x.ticket = questions.front().ticket;
    x.outcome = outcome;
    x.user = user;
    x.asked = asked;
    caf::anon_send(questions.front().asker, x);
    questions.erase(questions.begin());
    settle();
  }

  connection_actor join(fake_port& out, shard& at, const std::string& user) {
    auto x = open(out, at);
    packet(x, socket::packet_type::connect);
    answer(ec::none, user);
    return x;
  }

  /// Does something to a user, such as `disconnect`.
  void change(user_command::kind what, const std::string& user,
              const std::string& name = {},
              std::vector<std::string> leave = {}) {
    user_command x;
    x.what = what;
    x.ids = {user};
    x.nsp = name;
    x.leave = std::move(leave);
    command(x);
  }

  /// Returns what USERS says of a user.
  std::string show(const std::string& user) {
    user_command x;
    x.ids = {user};
    return command(x);
  }

  static codec::event_ptr event(const std::string& name = "/") {
    return std::make_shared<const codec::shared_event>(
      name, R"(["letter",1])", std::vector<std::string>{});
  }

  /// Sends an event to a user; returns how many connections it went to. With
  /// `confirm` the clients are asked to acknowledge it within a second.
  uint64_t post(const std::string& user, uint64_t confirm = 0) {
    deliver_users x;
    x.ticket = 1;
    x.users = {user};
    x.event = event();
    x.confirm = confirm;
    x.confirm_ms = 1000;
    caf::anon_send(shared.users, x);
    settle();
    return ingest->all<routed>().back().online;
  }

  /// Sends an event to all in "/", or in a room of it; returns how many
  /// connections it went to.
  uint64_t cast(std::vector<std::string> to = {}) {
    broadcast x;
    x.event = event();
    x.rooms = std::move(to);
    caf::anon_send(nsp.handle, x);
    settle();
    return ingest->all<routed>().back().online;
  }

  /// Returns the answer as the API shows it.
  std::string command(const user_command& x) {
    caf::anon_send(shared.users, x);
    settle();
    auto& info = ingest->all<user_info>().back();
    return found_nothing(x, info) ? "not_found" : describe(x, info);
  }

  credentials keys{opts.ingest.keys};
  connection_context shared{opts, keys, count, {}, {}, {}, {}, {}, {}};
  nsp_ref nsp;
  fake_site* site = nullptr;
  fake_ingest* ingest = nullptr;
  std::vector<connection_actor> connections;
  std::vector<nsp_actor> namespaces;
  int ids = 0;
};

} // namespace signalbox::test
