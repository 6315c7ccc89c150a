#include "actors/relay/relay.hpp"

#include "tests/unit/actors/relay/relay_rig.hpp"

using namespace signalbox;
using signalbox::test::names;
using signalbox::test::nodes;
using signalbox::test::relay_rig;

CAF_TEST_FIXTURE_SCOPE(relay_tests, relay_rig)

// -- private events -----------------------------------------------------------

TEST(the homes of the users are asked where they are) {
  post(7, {at(2), at(1), at(3), at(2, 1)});
  auto two_asked = others.take<wire::locate>(2);
  REQUIRE_EQUAL(two_asked.size(), 1u);
  CHECK_EQUAL(two_asked[0].ticket, 7u);
  CHECK_EQUAL(two_asked[0].nsp, "/");
  CHECK_EQUAL(two_asked[0].view, others.hash);
  CHECK_EQUAL(two_asked[0].users, (names{at(2), at(2, 1)}));
  CHECK_EQUAL(others.one<wire::locate>(3).users, names{at(3)});
  MESSAGE("this node's own question goes to USERS");
  REQUIRE_EQUAL(asked->all<wire::locate>().size(), 1u);
  CHECK_EQUAL(asked->all<wire::locate>()[0].users, names{at(1)});
  CHECK_EQUAL(asked->all<wire::locate>()[0].from, 1u);
  CHECK_EQUAL(others.left(), 0u);
}

TEST(an event goes to the nodes that have the user and to no other) {
  post(7, {at(2), at(2, 1)}, "[5]");
  locate(2, 7, {{3}, {3, 1}});
  others.take<wire::locate>(2);
  auto out = others.take<wire::deliver>(3);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].users, (names{at(2), at(2, 1)}));
  CHECK_EQUAL(out[0].args, "[5]");
  CHECK_EQUAL(out[0].ticket, 7u);
  CHECK_EQUAL(others.left(), 0u);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(asked->all<deliver_users>()[0].users, names{at(2, 1)});
  CHECK_EQUAL(asked->all<deliver_users>()[0].ticket, 7u);
}

TEST(the homes say whom an event matches and the nodes how many take it) {
  post(7, {at(2), at(2, 1), at(2, 2)}, "[5]", "/", 70);
  locate(2, 7, {{3}, {2, 3}, {}});
  CHECK_EQUAL(told(), "");
  REQUIRE_EQUAL(others.take<wire::deliver>(3).size(), 1u);
  MESSAGE("what is acknowledged may find nobody there any more");
  ack(3, 9);
  ack(2, 9);
  route(2, 7, 1, 1, {}, {true});
  CHECK_EQUAL(told(), "");
  route(3, 7, 2, 0, {at(2), at(2, 1)}, {true, true});
  MESSAGE("who is closing everywhere is offline like one who is nowhere");
  CHECK_EQUAL(told(), "7:2/1 -" + at(2, 2) + " -" + at(2) + ' ');
}

TEST(a user nobody has is answered at once) {
  post(7, {at(2)});
  locate(2, 7, {{}});
  CHECK_EQUAL(told(), "7:0/0 ");
  post(8, {at(1)});
  locate(1, 8, {{1}});
  CHECK_EQUAL(told(), "");
  route_here(8, 1, 1, {}, {true});
  CHECK_EQUAL(told(), "8:1/1 ");
}

TEST(a scoped event counts the users in its namespace) {
  for (auto scoped : {false, true}) {
    deliver_users y;
    y.ticket = 7;
    y.users = {at(2), at(2, 1)};
    y.event = event("[5]");
    y.scoped = scoped;
    caf::anon_send(x.users, y);
    settle();
    wire::located z;
    z.ticket = 7;
    z.settled = true;
    z.users = {{true, 0, {}}, {true, 1, {1}}};
    say(2, z);
    route_here(7, 1, 1, {}, {true});
    CHECK_EQUAL(told(), scoped ? "7:1/1 " : "7:2/1 ");
  }
  MESSAGE("also when every node is asked");
  others.agreed = false;
  deliver_users y;
  y.ticket = 8;
  y.users = {at(2)};
  y.event = event("[5]");
  y.scoped = true;
  caf::anon_send(x.users, y);
  settle();
  CHECK(asked->all<deliver_users>().back().scoped);
  CHECK(others.one<wire::deliver>(2).scoped);
}

TEST(an answer to an event that was not asked for is ignored) {
  post(7, {at(2)});
  locate(3, 7, {{3}});
  locate(2, 8, {{3}});
  CHECK(others.take<wire::deliver>(3).empty());
  MESSAGE("one about fewer users than were named cannot be relied on");
  locate(2, 7, {});
  CHECK_EQUAL(others.take<wire::deliver>(2).size(), 1u);
  CHECK_EQUAL(others.take<wire::deliver>(3).size(), 1u);
}

// -- order --------------------------------------------------------------------

TEST(a broadcast does not overtake a private event whose home is asked) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  post(3, {at(3)}, "[3]");
  post_all(4, "[4]");
  CHECK(cast->all<broadcast>().empty());
  CHECK_EQUAL(sent(3), "");
  MESSAGE("neither does an event whose home is quicker");
  locate(3, 3, {{3}});
  CHECK_EQUAL(others.take<wire::locate>(3).size(), 1u);
  CHECK_EQUAL(others.take<wire::locate>(2).size(), 1u);
  CHECK_EQUAL(others.left(), 0u);
  locate(2, 1, {{3}});
  MESSAGE("deliver 20, broadcast 21");
  CHECK_EQUAL(others.kinds(), "20>3 21>2 21>3 20>3 21>2 21>3 ");
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 2u);
  CHECK_EQUAL(cast->all<broadcast>()[0].event->args(), "[2]");
  CHECK_EQUAL(cast->all<broadcast>()[1].event->args(), "[4]");
}

TEST(another namespace does not wait) {
  post(1, {at(2)}, "[1]", "/chat");
  post_all(2, "[2]");
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK_EQUAL(sent(3), "[2]");
  post_all(3, "[3]", "/chat");
  CHECK_EQUAL(sent(3), "");
  locate(2, 1, {{3}});
  CHECK_EQUAL(sent(3), "[1][3]");
}

// -- to all nodes -------------------------------------------------------------

TEST(a broadcast crosses to each node once) {
  post_all(7, "[5]", "/", {"r", "s"});
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK_EQUAL(cast->all<broadcast>()[0].rooms, (names{"r", "s"}));
  for (uint16_t node : {2, 3}) {
    auto out = others.take<wire::broadcast>(node);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].nsp, "/");
    CHECK_EQUAL(out[0].args, "[5]");
    CHECK_EQUAL(out[0].rooms, (names{"r", "s"}));
    CHECK_EQUAL(out[0].ticket, 7u);
  }
  CHECK_EQUAL(others.left(), 0u);
  route_here(7, 1, 2, {}, {true, false});
  route(2, 7, 1, 3, {}, {true, false});
  CHECK_EQUAL(told(), "");
  route(3, 7, 0, 0, {}, {false, false});
  CHECK_EQUAL(told(), "7:1/5 ");
}

TEST(attachments cross with their event) {
  broadcast out;
  out.ticket = 7;
  out.event = std::make_shared<const codec::shared_event>(
    "/", R"([{"_placeholder":true,"num":0}])",
    std::vector<std::string>{std::string{"\0\1", 2}});
  caf::anon_send(x.events, out);
  settle();
  auto sent = others.take<wire::broadcast>(2);
  REQUIRE_EQUAL(sent[0].attachments.size(), 1u);
  CHECK_EQUAL(sent[0].attachments[0], (std::string{"\0\1", 2}));
  MESSAGE("and come out there");
  say(2, sent[0]);
  const auto& packets =
    cast->all<broadcast>().back().event->packets(codec::wire_form::v4);
  REQUIRE_EQUAL(packets.size(), 2u);
  CHECK_EQUAL(packets[1]->text(), (std::string{"\0\1", 2}));
}

TEST(while the view is not settled a private event goes to all nodes) {
  others.agreed = false;
  post(7, {at(2), "ben"}, "[5]", "/", 70);
  CHECK(asked->all<wire::locate>().empty());
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(asked->all<deliver_users>()[0].ticket, 7u);
  for (uint16_t node : {2, 3}) {
    auto out = others.take<wire::deliver>(node);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].users, (names{at(2), "ben"}));
    CHECK_EQUAL(out[0].ticket, 7u);
    CHECK_EQUAL(out[0].confirm, 70u);
    CHECK_EQUAL(out[0].confirm_ms, 5000);
  }
  CHECK_EQUAL(others.left(), 0u);
  route_here(7, 0, 0, {at(2), "ben"}, {false, false});
  route(2, 7, 1, 1, {"ben"}, {true, false});
  route(3, 7, 1, 2, {"ben"}, {true, false});
  CHECK_EQUAL(told(), "7:1/3 -ben ");
}

TEST(a home that sees another view sends the event to all nodes) {
  post(7, {at(2), at(3)});
  locate(2, 7, {}, false);
  CHECK_EQUAL(others.take<wire::deliver>(2).size(), 1u);
  CHECK_EQUAL(others.take<wire::deliver>(3).size(), 1u);
  MESSAGE("the other home's word comes too late");
  locate(3, 7, {{3}});
  CHECK(others.take<wire::deliver>(3).empty());
}

// -- confirms -----------------------------------------------------------------

TEST(an ack of a client elsewhere reaches INGEST) {
  post(7, {at(2)}, "[5]", "/", 70);
  locate(2, 7, {{3}});
  auto out = others.take<wire::deliver>(3);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].confirm, 70u);
  say(3, wire::confirmed{0, 70, at(2)});
  REQUIRE_EQUAL(answers->all<confirmed>().size(), 1u);
  CHECK_EQUAL(answers->all<confirmed>()[0].confirm, 70u);
  CHECK_EQUAL(answers->all<confirmed>()[0].user, at(2));
}

TEST(an ack of a client here reaches whoever waits for it) {
  wire::deliver in;
  in.nsp = "/";
  in.users = {"anna", "ben"};
  in.args = "[5]";
  in.confirm = 70;
  in.confirm_ms = 5000;
  say(2, in);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  const auto& local = asked->all<deliver_users>()[0];
  CHECK_EQUAL(local.ticket, 0u);
  CHECK_EQUAL(local.confirm_ms, 5000);
  CHECK(local.confirm != 70u);
  CHECK(local.confirm != 0u);
  for (const auto* user : {"anna", "ben"}) {
    caf::anon_send(x.ingest, confirmed{local.confirm, user});
    settle();
    auto out = others.take<wire::confirmed>(2);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].confirm, 70u);
    CHECK_EQUAL(out[0].user, user);
  }
  CHECK(answers->all<confirmed>().empty());
  MESSAGE("until its time is over");
  advance(5000 + 3 * opts.cluster.request_timeout.count() + 200);
  caf::anon_send(x.ingest, confirmed{local.confirm, "anna"});
  settle();
  CHECK_EQUAL(others.left(), 0u);
}

TEST(an ack for an event of this node goes to INGEST) {
  caf::anon_send(x.ingest, confirmed{70, "anna"});
  settle();
  REQUIRE_EQUAL(answers->all<confirmed>().size(), 1u);
  CHECK_EQUAL(answers->all<confirmed>()[0].confirm, 70u);
}

CAF_TEST_FIXTURE_SCOPE_END()
