#include "actors/connection/connection.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

CAF_TEST_FIXTURE_SCOPE(connection_tests, rooms)

TEST(two CONNECTs while the site is asked are one place) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  packet(x, packet_type::connect);
  CHECK_EQUAL(site->all<authenticate>().size(), 1u);
  answer(ec::none, "anna");
  CHECK_EQUAL(out.packets.size(), 1u);
  CHECK_EQUAL(post("anna"), 1u);
}

TEST(a CONNECT and a DISCONNECT meanwhile are no place) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  packet(x, packet_type::disconnect);
  answer(ec::none, "anna");
  CHECK(out.packets.empty());
  CHECK_EQUAL(post("anna"), 0u);
}

TEST(a denied client is told so and stays connected) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
  CHECK_EQUAL(out.closed, "");
}

TEST(an unavailable site never admits anybody) {
  opts.site.when_unavailable = unavailable_policy::refuse;
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unavailable, "anna");
  CHECK_EQUAL(out.last(),
              R"(4{"message":"unavailable","data":{"retry":true}})");
  CHECK_EQUAL(post("anna"), 0u);
}

TEST(an anonymous namespace admits whom the site does not know) {
  shared.namespaces["/"].opts.anonymous = true;
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(an event to a namespace that was not joined ends the session) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::event, R"(["x"])");
  CHECK_EQUAL(out.closed, "parse_error");
}

TEST(a second CONNECT to a joined namespace ends the session) {
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::connect);
  CHECK_EQUAL(out.closed, "parse_error");
}

TEST(the failed CONNECT over the limit ends the session) {
  opts.limits.failed_connects = 2;
  fake_port out;
  auto x = open(out, one);
  for (auto i = 0; i < 2; ++i) {
    packet(x, packet_type::connect);
    answer(ec::unauthorized);
  }
  CHECK_EQUAL(out.closed, "");
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.closed, "limit");
}

TEST(the cap counts connections and refuses the newest) {
  opts.presence.max_connections = 2;
  fake_port a;
  fake_port b;
  fake_port c;
  join(a, one, "anna");
  join(b, two, "anna");
  CHECK_EQUAL(b.last(), R"(0{"sid":"c2"})");
  join(c, one, "anna");
  CHECK_EQUAL(c.last(), R"(4{"message":"too many connections"})");
}

// -- CONNECT ------------------------------------------------------------------

TEST(whom the site knows is told its id and receives events) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect, R"({"token":1})");
  REQUIRE_EQUAL(site->all<authenticate>().size(), 1u);
  auto asked = site->all<authenticate>()[0];
  CHECK_EQUAL(asked.nsp, "/");
  CHECK_EQUAL(asked.auth, R"({"token":1})");
  CHECK(out.packets.empty());
  verdict yes;
  yes.ticket = asked.ticket;
  yes.outcome = ec::none;
  yes.user = "anna";
  yes.rooms = {"staff"};
  caf::anon_send(x, yes);
  settle();
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  CHECK_EQUAL(post("anna"), 1u);
  CHECK_EQUAL(cast(), 1u);
  CHECK_EQUAL(cast({"staff"}), 1u);
  CHECK_EQUAL(cast({"guests"}), 0u);
  CHECK_EQUAL(out.events.size(), 3u);
  CHECK_EQUAL(count.connects_accepted, 1u);
}

TEST(the answer to an earlier question is void) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  packet(x, packet_type::disconnect);
  packet(x, packet_type::connect);
  answer(ec::none, "anna");
  CHECK(out.packets.empty());
  answer(ec::none, "ben");
  CHECK_EQUAL(out.packets.size(), 1u);
  CHECK_EQUAL(post("anna"), 0u);
  CHECK_EQUAL(post("ben"), 1u);
}

TEST(a verdict for a session that has gone admits nobody) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  out.gone->session_gone();
  answer(ec::none, "anna");
  CHECK_EQUAL(post("anna"), 0u);
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(an anonymous namespace does not admit while the site is down) {
  shared.namespaces["/"].opts.anonymous = true;
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unavailable);
  CHECK(out.packets.empty());
  CHECK_EQUAL(count.connects_held, 1);
}

TEST(an anonymous namespace without a site asks nobody) {
  opts.site.auth_url.clear();
  shared.namespaces["/"].opts.anonymous = true;
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  CHECK(site->all<authenticate>().empty());
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  CHECK_EQUAL(cast(), 1u);
}

TEST(an unknown namespace is refused and creates nothing) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, {}, {}, "/none");
  CHECK_EQUAL(out.last(), R"(4{"message":"Invalid namespace"})");
  CHECK_EQUAL(out.packets[0].nsp, "/none");
  CHECK(site->all<authenticate>().empty());
  CHECK_EQUAL(shared.namespaces.size(), 1u);
  CHECK_EQUAL(living(actor_kind::nsp), 1);
  CHECK_EQUAL(count.connects_invalid, 1u);
}

TEST(a connection may be in as many namespaces as the limit) {
  opts.limits.namespaces = 2;
  add_namespace("/a");
  add_namespace("/b");
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::connect, {}, {}, "/a");
  answer(ec::none, "anna");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c2"})");
  packet(x, packet_type::connect, {}, {}, "/b");
  CHECK_EQUAL(out.last(), R"(4{"message":"too many namespaces"})");
  CHECK_EQUAL(count.limit_namespaces, 1u);
  MESSAGE("one that was left makes room");
  packet(x, packet_type::disconnect, {}, {}, "/a");
  packet(x, packet_type::connect, {}, {}, "/b");
  CHECK_EQUAL(site->all<authenticate>().size(), 1u);
}

TEST(an auth payload may be as large as the limit) {
  opts.limits.auth_payload = 7;
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, R"({"a":17})");
  CHECK_EQUAL(out.last(), R"(4{"message":"auth payload too large"})");
  CHECK_EQUAL(count.limit_auth_payload, 1u);
  CHECK(site->all<authenticate>().empty());
  packet(x, packet_type::connect, R"({"a":1})");
  CHECK_EQUAL(site->all<authenticate>().size(), 1u);
}

TEST(a CONNECT_ERROR of a client ends the session) {
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::connect_error, R"({"message":"no"})");
  CHECK_EQUAL(out.closed, "parse_error");
}

TEST(who is in no namespace for too long is closed) {
  fake_port out;
  auto x = open(out, two);
  advance(opts.engine.connect_timeout.count() - 1);
  CHECK_EQUAL(out.closed, "");
  advance(17);
  CHECK_EQUAL(out.closed, "connect_timeout");
  CHECK_EQUAL(count.connect_timeouts, 1u);
}

TEST(the time in no namespace counts anew after each) {
  fake_port out;
  auto x = join(out, one, "anna");
  advance(2 * opts.engine.connect_timeout.count());
  CHECK_EQUAL(out.closed, "");
  packet(x, packet_type::disconnect);
  advance(opts.engine.connect_timeout.count() - 1);
  CHECK_EQUAL(out.closed, "");
  advance(17);
  CHECK_EQUAL(out.closed, "connect_timeout");
}

// -- leaving ------------------------------------------------------------------

TEST(a DISCONNECT leaves the namespace and keeps the session) {
  fake_port out;
  auto x = join(out, two, "anna");
  packet(x, packet_type::disconnect);
  CHECK_EQUAL(cast(), 0u);
  CHECK_EQUAL(post("anna"), 0u);
  CHECK_EQUAL(out.closed, "");
  MESSAGE("and may come back");
  packet(x, packet_type::connect);
  answer(ec::none, "anna");
  CHECK_EQUAL(cast(), 1u);
}

TEST(the end of the session leaves hub and presence) {
  fake_port out;
  auto x = join(out, two, "anna");
  CHECK_EQUAL(cast(), 1u);
  out.gone->session_gone();
  caf::anon_send(x, session_closed{});
  CHECK_EQUAL(cast(), 0u);
  CHECK_EQUAL(post("anna"), 0u);
  CHECK_EQUAL(living(actor_kind::connection), 0);
  CHECK(out.events.size() == 1);
}

TEST(a disconnect by the site closes with the last namespace) {
  add_namespace("/a");
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::connect, {}, {}, "/a");
  answer(ec::none, "anna");
  caf::anon_send(x, disconnect{"c2"});
  settle();
  CHECK_EQUAL(out.last(), "1");
  CHECK_EQUAL(out.packets.back().nsp, "/a");
  CHECK_EQUAL(out.closed, "");
  caf::anon_send(x, disconnect{"unknown"});
  settle();
  CHECK_EQUAL(out.closed, "");
  caf::anon_send(x, disconnect{"c1"});
  settle();
  CHECK_EQUAL(out.closed, "kicked");
  CHECK_EQUAL(cast(), 0u);
}

TEST(the site changes the rooms of a connection) {
  fake_port out;
  auto x = join(out, two, "anna");
  caf::anon_send(x, change_rooms{"c1", {"r", "s"}, {}});
  settle();
  CHECK_EQUAL(cast({"r"}), 1u);
  caf::anon_send(x, change_rooms{"c1", {}, {"r"}});
  settle();
  CHECK_EQUAL(cast({"r"}), 0u);
  CHECK_EQUAL(cast({"s"}), 1u);
}

// -- events of browsers -------------------------------------------------------

TEST(an event of a browser is refused and told why) {
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::event, R"(["x"])");
  CHECK_EQUAL(out.packets.size(), 1u);
  packet(x, packet_type::event, R"(["x"])", 3);
  CHECK_EQUAL(out.last(),
              R"(3[{"ok":false,"error":)"
              R"({"code":"client_events_refused","message":)"
              R"("this namespace takes no events from browsers"}}])");
  CHECK(out.packets.back().id == uint64_t{3});
  CHECK_EQUAL(count.client_events_refused, 2u);
  CHECK(site->all<forward_event>().empty());
  CHECK(ingest->all<publish>().empty());
  CHECK_EQUAL(out.closed, "");
}

TEST(an event of a browser is forwarded and acknowledged) {
  shared.namespaces["/"].opts.on_client_event = client_events::forward;
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::event, R"(["x",{"b":1}])", 3);
  REQUIRE_EQUAL(site->all<forward_event>().size(), 1u);
  const auto& sent = site->all<forward_event>()[0];
  CHECK_EQUAL(sent.user, "anna");
  CHECK_EQUAL(sent.nsp, "/");
  CHECK_EQUAL(sent.args, R"(["x",{"b":1}])");
  caf::anon_send(x, event_forwarded{sent.ticket, ec::none, R"(["fine"])"});
  settle();
  CHECK_EQUAL(out.last(), R"(3["fine"])");
  MESSAGE("a second answer is none");
  caf::anon_send(x, event_forwarded{sent.ticket, ec::none, R"(["fine"])"});
  settle();
  CHECK_EQUAL(out.packets.size(), 2u);
  MESSAGE("and a failure is one");
  packet(x, packet_type::event, R"(["x"])", 4);
  caf::anon_send(
    x,
    event_forwarded{site->all<forward_event>()[1].ticket, ec::site_failed, {}});
  settle();
  CHECK(
    out.last().starts_with(R"(3[{"ok":false,"error":{"code":"site_failed")"));
}

// -- acks of browsers ---------------------------------------------------------

TEST(the ack of a client reaches INGEST once) {
  fake_port out;
  auto x = join(out, two, "anna");
  post("anna");
  CHECK(!out.acks[0]);
  post("anna", 70);
  REQUIRE(out.acks[1].has_value());
  packet(x, packet_type::ack, "[]", *out.acks[1] + 1);
  CHECK(ingest->all<confirmed>().empty());
  packet(x, packet_type::ack, "[]", out.acks[1]);
  packet(x, packet_type::ack, "[]", out.acks[1]);
  REQUIRE_EQUAL(ingest->all<confirmed>().size(), 1u);
  CHECK_EQUAL(ingest->all<confirmed>()[0].confirm, 70u);
  CHECK_EQUAL(ingest->all<confirmed>()[0].user, "anna");
  CHECK_EQUAL(out.closed, "");
}

TEST(a client owes as many acks as the limit) {
  opts.limits.pending_acks = 2;
  fake_port out;
  auto x = join(out, one, "anna");
  for (uint64_t i = 1; i <= 3; ++i)
    post("anna", i);
  CHECK(out.acks[1].has_value());
  MESSAGE("the event itself goes out all the same");
  CHECK_EQUAL(out.events.size(), 3u);
  CHECK(!out.acks[2]);
  CHECK_EQUAL(count.limit_pending_acks, 1u);
  packet(x, packet_type::ack, "[]", out.acks[0]);
  post("anna", 4);
  CHECK(out.acks[3].has_value());
}

TEST(an owed ack is forgotten after its deadline) {
  opts.limits.pending_acks = 1;
  fake_port out;
  auto x = join(out, one, "anna");
  post("anna", 1);
  advance(1020);
  packet(x, packet_type::ack, "[]", out.acks[0]);
  CHECK(ingest->all<confirmed>().empty());
  post("anna", 2);
  CHECK(out.acks[1].has_value());
}

TEST(an event the session did not take is counted) {
  fake_port out;
  auto x = join(out, one, "anna");
  out.full = true;
  post("anna");
  CHECK_EQUAL(count.deliveries_dropped, 1u);
}

TEST(an upgrade shows in presence) {
  fake_port out;
  out.carrier = "polling";
  auto x = join(out, two, "anna");
  CHECK(show("anna").find(R"("transport":"polling")") != std::string::npos);
  out.carrier = "websocket";
  caf::anon_send(x, session_upgraded{});
  settle();
  CHECK(show("anna").find(R"("transport":"websocket")") != std::string::npos);
}

TEST(an upgrade shows in presence even while USERS takes the seat up) {
  fake_port out;
  out.carrier = "polling";
  auto x = open(out, two);
  packet(x, packet_type::connect);
  verdict told;
  told.ticket = site->all<authenticate>().back().ticket;
  told.outcome = ec::none;
  told.user = "anna";
  caf::anon_send(x, told);
  second.poll();
  out.carrier = "websocket";
  caf::anon_send(x, session_upgraded{});
  settle();
  CHECK(show("anna").find(R"("transport":"websocket")") != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
