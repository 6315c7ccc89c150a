#include "actors/presence/users.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

namespace {

struct fixture : rooms {
  bool online(const std::string& user) {
    return show(user).starts_with(R"({"online":true)");
  }

  uint64_t version(const std::string& user) {
    auto text = show(user);
    return std::stoull(text.substr(text.find("version") + 9));
  }

  void leave(const connection_actor& x, fake_port& out) {
    out.gone->session_gone();
    caf::anon_send(x, session_closed{});
    settle();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(users_tests, fixture)

TEST(the record outlives the last connection by the leave grace) {
  fake_port out;
  auto x = join(out, two, "anna");
  leave(x, out);
  advance(opts.presence.leave_grace.count() - 1000);
  CHECK(online("anna"));
  CHECK_EQUAL(post("anna"), 0u);
  advance(1100);
  CHECK(!online("anna"));
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(a reload within the grace keeps the record) {
  fake_port a;
  auto x = join(a, one, "anna");
  leave(x, a);
  fake_port b;
  join(b, one, "anna");
  advance(opts.presence.leave_grace.count() + 1000);
  CHECK(online("anna"));
  CHECK_EQUAL(post("anna"), 1u);
}

TEST(the version rises by one with each connection that comes or goes) {
  fake_port a;
  fake_port b;
  join(a, one, "anna");
  auto before = version("anna");
  auto x = join(b, two, "anna");
  CHECK_EQUAL(version("anna"), before + 1);
  leave(x, b);
  CHECK_EQUAL(version("anna"), before + 2);
  CHECK_EQUAL(version("anna"), before + 2);
}

TEST(an anonymous connection is found by its id and has no record) {
  shared.namespaces["/"].opts.anonymous = true;
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  user_command command;
  command.what = user_command::kind::disconnect;
  command.connections = true;
  command.ids = {"c1"};
  caf::anon_send(shared.users, command);
  settle();
  CHECK_EQUAL(out.last(), "1");
  CHECK_EQUAL(out.closed, "kicked");
}

TEST(the version never goes back) {
  fake_port a;
  fake_port b;
  auto x = join(a, one, "anna");
  join(b, two, "anna");
  auto before = version("anna");
  caf::anon_send_exit(find_record(shared.users, "anna"),
                      caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(post("anna"), 2u);
  CHECK(version("anna") > before);
  MESSAGE("not even over the end of the record");
  before = version("anna");
  leave(connections[0], a);
  leave(connections[1], b);
  advance(opts.presence.leave_grace.count() + 17);
  CHECK_EQUAL(living(actor_kind::presence), 0);
  fake_port c;
  join(c, one, "anna");
  CHECK(version("anna") > before + 2);
}

TEST(a lost record does not change the number of users) {
  fake_port a;
  fake_port b;
  join(a, one, "anna");
  join(b, two, "anna");
  caf::anon_send_exit(find_record(shared.users, "anna"),
                      caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(count.users_online, 1);
  cast();
  CHECK_EQUAL(ingest->all<routed>().back().matched, 1u);
  MESSAGE("and its connections are found by their ids again");
  user_command x;
  x.what = user_command::kind::disconnect;
  x.connections = true;
  x.ids = {"c2"};
  command(x);
  CHECK_EQUAL(b.closed, "kicked");
}

TEST(a user is told and counted once in a namespace) {
  fake_port a;
  fake_port b;
  fake_port c;
  auto x = join(a, one, "anna");
  auto y = join(b, two, "anna");
  join(c, two, "ben");
  CHECK_EQUAL(cast(), 3u);
  CHECK_EQUAL(ingest->all<routed>().back().matched, 2u);
  leave(x, a);
  cast();
  CHECK_EQUAL(ingest->all<routed>().back().matched, 2u);
  leave(y, b);
  cast();
  CHECK_EQUAL(ingest->all<routed>().back().matched, 1u);
  MESSAGE("who is on the way out is still online");
  CHECK_EQUAL(count.users_online, 2);
}

TEST(a connection that closes this moment is not counted) {
  fake_port a;
  fake_port b;
  fake_port c;
  join(a, one, "anna");
  join(b, two, "anna");
  auto x = join(c, two, "anna");
  CHECK_EQUAL(post("anna"), 3u);
  MESSAGE("its session has ended and nobody else knows yet");
  b.close(session::close_reason::shutdown);
  CHECK_EQUAL(post("anna"), 2u);
  MESSAGE("a client that does not read is closed by the event itself");
  a.full = true;
  CHECK_EQUAL(post("anna"), 1u);
  MESSAGE("the event is behind a disconnect");
  caf::anon_send(x, disconnect{"c3"});
  CHECK_EQUAL(post("anna"), 0u);
  CHECK_EQUAL(count.deliveries, 6u);
  CHECK_EQUAL(count.deliveries_dropped, 6u);
  MESSAGE("with a confirm the user is offline");
  post("anna", 9);
  CHECK_EQUAL(ingest->all<routed>().back().offline.size(), 1u);
}

TEST(an event for several users names those it did not reach) {
  fake_port a;
  fake_port b;
  join(a, one, "anna");
  auto x = join(b, two, "ben");
  leave(x, b);
  deliver_users out;
  out.ticket = 5;
  out.users = {"anna", "ben", "carla"};
  out.event = event();
  out.confirm = 5;
  out.confirm_ms = 1000;
  caf::anon_send(shared.users, out);
  settle();
  const auto& told = ingest->all<routed>().back();
  CHECK_EQUAL(told.ticket, 5u);
  CHECK_EQUAL(told.matched, 2u);
  CHECK_EQUAL(told.online, 1u);
  REQUIRE_EQUAL(told.offline.size(), 2u);
  CHECK_EQUAL(told.offline[0], "ben");
  CHECK_EQUAL(told.offline[1], "carla");
}

TEST(a refused newcomer leaves no record behind) {
  opts.presence.max_connections = 0;
  fake_port out;
  join(out, one, "anna");
  CHECK_EQUAL(out.last(), R"(4{"message":"too many connections"})");
  CHECK_EQUAL(living(actor_kind::presence), 0);
  CHECK_EQUAL(count.users_online, 0);
}

// -- commands -----------------------------------------------------------------

TEST(a user is shown with all connections) {
  CHECK_EQUAL(show("anna"), R"({"online":false,"version":0,"connections":[]})");
  fake_port out;
  join(out, two, "anna");
  auto text = show("anna");
  CHECK(text.starts_with(R"({"online":true,"version":)"));
  CHECK(text.find(R"("connections":[{"id":"c1","namespace":"/",)"
                  R"("transport":"websocket","dialect":"eio4","since":)")
        != std::string::npos);
}

TEST(who is online is said of each user once) {
  fake_port out;
  join(out, two, "anna");
  user_command x;
  x.what = user_command::kind::online;
  x.ids = {"anna", "b\"n", "anna"};
  CHECK_EQUAL(command(x), R"({"ok":true,"online":{"anna":true,"b\"n":false}})");
}

TEST(a user is thrown out everywhere) {
  fake_port a;
  fake_port b;
  fake_port c;
  join(a, one, "anna");
  join(b, two, "anna");
  join(c, one, "ben");
  user_command x;
  x.what = user_command::kind::disconnect;
  x.ids = {"anna"};
  CHECK_EQUAL(command(x), R"({"ok":true,"connections":2})");
  CHECK_EQUAL(a.closed, "kicked");
  CHECK_EQUAL(b.closed, "kicked");
  CHECK_EQUAL(c.closed, "");
  CHECK_EQUAL(post("anna"), 0u);
}

TEST(rooms change for a user or for one connection) {
  fake_port a;
  fake_port b;
  join(a, one, "anna");
  join(b, two, "anna");
  user_command x;
  x.what = user_command::kind::rooms;
  x.nsp = "/";
  x.ids = {"anna"};
  x.join = {"r"};
  command(x);
  CHECK_EQUAL(cast({"r"}), 2u);
  x.connections = true;
  x.ids = {"c2"};
  x.join = {"s"};
  x.leave = {"r"};
  command(x);
  CHECK_EQUAL(cast({"r"}), 1u);
  CHECK_EQUAL(cast({"s"}), 1u);
  MESSAGE("only in the namespace that was named");
  x.nsp = "/other";
  x.join = {"t"};
  CHECK_EQUAL(command(x), "not_found");
  CHECK_EQUAL(cast({"t"}), 0u);
}

TEST(an unknown connection is not found and an unknown user has none) {
  user_command x;
  x.what = user_command::kind::disconnect;
  x.ids = {"nobody"};
  CHECK_EQUAL(command(x), R"({"ok":true,"connections":0})");
  x.connections = true;
  CHECK_EQUAL(command(x), "not_found");
}

TEST(an anonymous connection that has gone is not found) {
  shared.namespaces["/"].opts.anonymous = true;
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  leave(x, out);
  user_command y;
  y.what = user_command::kind::disconnect;
  y.connections = true;
  y.ids = {"c1"};
  CHECK_EQUAL(command(y), "not_found");
}

CAF_TEST_FIXTURE_SCOPE_END()
