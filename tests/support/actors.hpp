#pragma once

// Include this header last: CAF's DSL defines lower-case macros.

#include "actors/api/type_ids.hpp"
#include "actors/connection/connection.hpp"
#include "actors/nsp/nsp.hpp"
#include "actors/presence/users.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/send.hpp>
#include <caf/test/dsl.hpp>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/check.hpp"

namespace signalbox::test {

struct config : caf::actor_system_config {
  config() {
    add_message_types<caf::id_block::signalbox>();
  }
};

/// Records what a session would have been told.
class fake_port : public session::port {
public:
  bool send(const codec::shared_event& event, std::optional<uint64_t> ack_id,
            bool) override {
    events.emplace_back(event.args());
    acks.push_back(ack_id);
    return true;
  }

  void send(const socket::packet& x) override {
    packets.push_back(x);
  }

  void close(session::close_reason why) override {
    closed = session::to_string(why);
    if (gone)
      gone->session_gone();
  }

  std::string_view transport() const noexcept override {
    return "websocket";
  }

  std::string_view label() const noexcept override {
    return "fake";
  }

  /// Returns the data of the last packet, after its type's digit.
  std::string last() const {
    return packets.empty()
             ? std::string{}
             : std::to_string(static_cast<int>(packets.back().type))
                 + packets.back().data;
  }

  std::vector<std::string> events;
  std::vector<std::optional<uint64_t>> acks;
  std::vector<socket::packet> packets;
  std::string closed;
  session_side* gone = nullptr;
};

/// Records messages of the given types.
template <class... Ts>
class recorder : public light_actor {
public:
  using light_actor::light_actor;

  const char* name() const override {
    return "recorder";
  }

  std::tuple<std::vector<Ts>...> got;

  template <class T>
  std::vector<T>& all() {
    return std::get<std::vector<T>>(got);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<Ts...>(x, [this](auto& msg) {
      all<std::decay_t<decltype(msg)>>().push_back(std::move(msg));
    });
  }
};

using fake_ingest = recorder<routed, confirmed, user_info, publish>;
using fake_site = recorder<authenticate, forward_event>;

/// Two shards polled by hand, with the rooms around a connection; the site and
/// INGEST are recorders.
struct rooms : test_coordinator_fixture<config> {
  rooms() {
    opts.site.auth_url = "http://site.test/";
    opts.ingest.keys = {{"site", "0123456789abcdef", {}, false}};
    auto [site_handle, site_self] =
      spawn_light<fake_site, site_auth_actor>(one);
    auto [in_handle, in_self] = spawn_light<fake_ingest, ingest_actor>(one);
    site = site_self;
    ingest = in_self;
    nsp = spawn_nsp(one, {&one, &two}, "/", count, opts.limits.rooms);
    users_nsp place{nsp.handle, {}};
    auto& known = shared.namespaces["/"];
    for (auto& each : nsp.hubs) {
      place.hubs.push_back(each.handle);
      known.hubs.push_back(each.local);
    }
    shared.users = spawn_users(one, {{"/", place}}, opts.presence, count);
    shared.site_auth = site_handle;
    shared.ingest = in_handle;
    shared.make_id = [this] { return "c" + std::to_string(++ids); };
    set_ingest(shared.users, in_handle);
    set_ingest(nsp, in_handle);
  }

  ~rooms() {
    for (auto& each : connections)
      end(each);
    end(nsp.handle);
    end(shared.users);
    end(shared.site_auth);
    end(shared.ingest);
    settle();
    connections.clear();
    nsp = {};
    shared.users = nullptr;
    shared.site_auth = nullptr;
    shared.ingest = nullptr;
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

  /// Opens a session whose actor lives on the given shard.
  connection_actor open(fake_port& out, shard& at) {
    auto from = std::make_shared<session::handshake>();
    auto [handle, side] = spawn_connection(at, shared, out, std::move(from));
    out.gone = side;
    connections.push_back(handle);
    return handle;
  }

  void packet(const connection_actor& to, socket::packet_type type,
              std::string data = {}) {
    received x;
    x.packet.type = type;
    x.packet.data = std::move(data);
    caf::anon_send(to, std::move(x));
    settle();
  }

  /// Answers the oldest question to the site.
  void answer(ec outcome, const std::string& user = {}) {
    auto& asked = site->all<authenticate>();
    verdict x;
    x.ticket = asked.front().ticket;
    x.outcome = outcome;
    x.user = user;
    caf::anon_send(asked.front().asker, x);
    asked.erase(asked.begin());
    settle();
  }

  connection_actor join(fake_port& out, shard& at, const std::string& user) {
    auto x = open(out, at);
    packet(x, socket::packet_type::connect);
    answer(ec::none, user);
    return x;
  }

  /// Returns what USERS says of a user.
  std::string show(const std::string& user) {
    user_command x;
    x.ids = {user};
    caf::anon_send(shared.users, x);
    settle();
    auto out = ingest->all<user_info>().back().json;
    ingest->all<user_info>().clear();
    return out;
  }

  /// Sends an event to a user; returns how many connections it went to.
  uint64_t post(const std::string& user) {
    deliver_users x;
    x.users = {user};
    x.event = std::make_shared<const codec::shared_event>(
      "/", R"(["letter",1])", std::vector<std::string>{});
    caf::anon_send(shared.users, x);
    settle();
    return ingest->all<routed>().back().online;
  }

  int64_t living(actor_kind kind) const {
    return count.actors[static_cast<size_t>(kind)];
  }

  settings opts;
  counters count;
  credentials keys{opts.ingest.keys};
  net::loop first{0};
  net::loop second{1};
  shard one{sys, first};
  shard two{sys, second};
  connection_context shared{opts, keys, count, {}, {}, {}, {}, {}};
  nsp_ref nsp;
  fake_site* site = nullptr;
  fake_ingest* ingest = nullptr;
  std::vector<connection_actor> connections;
  int ids = 0;
};

} // namespace signalbox::test
