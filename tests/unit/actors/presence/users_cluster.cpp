#include "tests/unit/actors/presence/users_rig.hpp"

using namespace signalbox;
using signalbox::test::fake_mesh;
using signalbox::test::nodes;
using signalbox::test::users_rig;

CAF_TEST_FIXTURE_SCOPE(users_cluster_tests, users_rig)

// -- joining and leaving ------------------------------------------------------

TEST(a user whose home is here is taken up at once) {
  auto* x = join(at(1), "c1");
  CHECK_EQUAL(outcome(x), "none");
  CHECK_EQUAL(others.left(), 0u);
  CHECK_EQUAL(where(at(1)), "1@1");
}

TEST(a user whose home is elsewhere waits for its word) {
  auto* x = join(at(2), "c1");
  CHECK_EQUAL(outcome(x), "-");
  auto asked = others.take<wire::attach>(2);
  REQUIRE_EQUAL(asked.size(), 1u);
  CHECK_EQUAL(others.left(), 0u);
  CHECK_EQUAL(asked[0].user, at(2));
  CHECK_EQUAL(asked[0].nsp, "/");
  CHECK_EQUAL(asked[0].info, R"({"n":1})");
  CHECK_EQUAL(asked[0].connection, connections[0].id());
  CHECK(asked[0].home);
  answer(2, asked[0]);
  CHECK_EQUAL(outcome(x), "none");
  MESSAGE("no record is here");
  CHECK_EQUAL(where(at(2)), "-");
  CHECK_EQUAL(living(actor_kind::presence), 0);
  MESSAGE("and the home is told when it leaves");
  tell(presence_detach{at(2), "c1"});
  auto gone = others.take<wire::detach>(2);
  REQUIRE_EQUAL(gone.size(), 1u);
  CHECK_EQUAL(gone[0].user, at(2));
  CHECK_EQUAL(gone[0].connection, asked[0].connection);
}

TEST(a question from before the view was settled is not answered) {
  attach(3, at(1), 7);
  others.agreed = true;
  wire::locate in;
  in.ticket = 5;
  in.nsp = "/";
  in.users = {at(1)};
  in.view = others.hash;
  say(2, in);
  CHECK(others.one<wire::located>(2).settled);
  MESSAGE("what makes it settled may have come behind the question");
  in.settled_here = false;
  say(2, in);
  CHECK(!others.one<wire::located>(2).settled);
}

TEST(a connection learns how many nodes were lost before it came) {
  others.lost_so_far = 7;
  auto* x = join(at(1), "c1");
  REQUIRE_EQUAL(x->all<attached>().size(), 1u);
  CHECK_EQUAL(x->all<attached>()[0].losses, 7u);
  auto* nobody = join("", "c2");
  CHECK_EQUAL(nobody->all<attached>()[0].losses, 7u);
  deliver_users late;
  late.users = {at(1)};
  late.event = std::make_shared<const codec::shared_event>(
    "/", R"(["x"])", std::vector<std::string>{});
  late.before = 5;
  tell(late);
  REQUIRE_EQUAL(x->all<deliver>().size(), 1u);
  CHECK_EQUAL(x->all<deliver>()[0].before, 5u);
}

TEST(one too many is refused by the home) {
  auto* x = join(at(2), "c1");
  answer(2, others.one<wire::attach>(2), ec::too_many_connections);
  CHECK_EQUAL(outcome(x), "too_many_connections");
  others.kinds();
  MESSAGE("it gets no events");
  deliver_users event;
  event.users = {at(2)};
  event.event = std::make_shared<const codec::shared_event>(
    "/", R"(["x"])", std::vector<std::string>{});
  tell(event);
  CHECK(x->all<deliver>().empty());
}

TEST(a refusal that this node does not know is one) {
  auto* x = join(at(2), "c1");
  answer(2, others.one<wire::attach>(2), static_cast<ec>(250));
  CHECK_EQUAL(outcome(x), "unavailable");
}

TEST(while the view is not settled every node is asked) {
  others.agreed = false;
  auto* x = join(at(2), "c1");
  auto two_asked = others.take<wire::attach>(2);
  auto three_asked = others.take<wire::attach>(3);
  REQUIRE_EQUAL(two_asked.size(), 1u);
  REQUIRE_EQUAL(three_asked.size(), 1u);
  CHECK(two_asked[0].home);
  CHECK(!three_asked[0].home);
  answer(3, three_asked[0]);
  CHECK_EQUAL(outcome(x), "-");
  answer(2, two_asked[0]);
  CHECK_EQUAL(outcome(x), "none");
  MESSAGE("and every node is told when it leaves");
  tell(presence_detach{at(2), "c1"});
  CHECK_EQUAL(others.take<wire::detach>(2).size(), 1u);
  CHECK_EQUAL(others.take<wire::detach>(3).size(), 1u);
}

TEST(an answer counts once and only from who was asked) {
  others.agreed = false;
  auto* x = join(at(2), "c1");
  auto asked = others.one<wire::attach>(2);
  answer(2, asked);
  answer(2, asked);
  answer(9, asked);
  CHECK_EQUAL(outcome(x), "-");
  answer(3, asked);
  CHECK_EQUAL(outcome(x), "none");
  answer(3, asked);
  CHECK_EQUAL(outcome(x), "none");
}

TEST(who leaves while the home is asked is taken back there) {
  auto* x = join(at(2), "c1");
  auto asked = others.one<wire::attach>(2);
  tell(presence_detach{at(2), "c1"});
  auto gone = others.take<wire::detach>(2);
  REQUIRE_EQUAL(gone.size(), 1u);
  CHECK_EQUAL(gone[0].connection, asked.connection);
  MESSAGE("before the answer, behind which it may have joined again");
  answer(2, asked);
  CHECK_EQUAL(others.left(), 0u);
  CHECK_EQUAL(outcome(x), "-");
}

TEST(who leaves while others are asked and joins again is in the record) {
  others.agreed = false;
  auto* x = join(at(1), "c1");
  CHECK_EQUAL(where(at(1)), "1@1");
  auto asked = others.take<wire::attach>(2);
  tell(presence_detach{at(1), "c1"});
  CHECK_EQUAL(where(at(1)), "0");
  MESSAGE("the same connection");
  presence_attach again;
  again.who = connections[0];
  again.ticket = 60;
  again.user = at(1);
  again.nsp = "/";
  again.sid = "c2";
  tell(again);
  CHECK_EQUAL(where(at(1)), "1@1");
  answer(2, asked[0]);
  CHECK_EQUAL(outcome(x), "-");
  for (uint16_t node : {2, 3})
    for (const auto& each : others.take<wire::attach>(node))
      answer(node, each);
  REQUIRE_EQUAL(outcome(x), "none");
  CHECK_EQUAL(x->all<attached>()[0].ticket, 60u);
  CHECK_EQUAL(where(at(1)), "1@1");
}

TEST(nobody in particular asks no other node) {
  auto* x = join("", "c1");
  CHECK_EQUAL(outcome(x), "none");
  tell(presence_detach{"", "c1"});
  CHECK_EQUAL(others.left(), 0u);
}

// -- as the home --------------------------------------------------------------

TEST(connections of other nodes are in the record) {
  auto anna = at(1);
  attach(2, anna, 10);
  CHECK(others.one<wire::attached>(2).outcome == ec::none);
  attach(3, anna, 10);
  join(anna, "c1");
  CHECK_EQUAL(where(anna), "3@2@3@1");
  wire::detach gone;
  gone.user = anna;
  gone.nsp = "/";
  gone.connection = 10;
  say(2, gone);
  CHECK_EQUAL(where(anna), "2@3@1");
}

TEST(the cap counts the connections of all nodes) {
  opts.presence.max_connections = 2;
  auto anna = at(1);
  attach(2, anna, 10);
  attach(3, anna, 10);
  CHECK_EQUAL(outcome(join(anna, "c1")), "too_many_connections");
  attach(3, anna, 11);
  CHECK(others.take<wire::attached>(3).back().outcome
        == ec::too_many_connections);
  CHECK_EQUAL(where(anna), "2@2@3");
}

TEST(who is not the home takes nothing up and has no say) {
  opts.presence.max_connections = 0;
  attach(2, at(3), 10, false);
  CHECK(others.one<wire::attached>(2).outcome == ec::none);
  CHECK_EQUAL(where(at(3)), "-");
  MESSAGE("unless it is the home in its own view");
  opts.presence.max_connections = 5;
  attach(2, at(1), 10, false);
  CHECK_EQUAL(where(at(1)), "1@2");
}

TEST(where users are is said only about the same view) {
  auto anna = at(1);
  attach(2, anna, 10);
  others.kinds();
  wire::locate x;
  x.ticket = 8;
  x.nsp = "/";
  x.users = {"nobody", anna};
  x.view = others.hash;
  say(3, x);
  auto said = others.take<wire::located>(3);
  REQUIRE_EQUAL(said.size(), 1u);
  CHECK(said[0].settled);
  CHECK_EQUAL(said[0].ticket, 8u);
  REQUIRE_EQUAL(said[0].users.size(), 2u);
  CHECK(!said[0].users[0].known);
  CHECK_EQUAL(said[0].users[1].online, 1u);
  CHECK(said[0].users[1].nodes == nodes{2});
  x.view = others.hash + 1;
  say(3, x);
  CHECK(!others.one<wire::located>(3).settled);
  x.view = others.hash;
  others.agreed = false;
  say(3, x);
  CHECK(!others.one<wire::located>(3).settled);
}

TEST(a killed record is put together again by all nodes) {
  auto anna = at(1);
  attach(2, anna, 10);
  join(anna, "c1");
  others.kinds();
  caf::anon_send_exit(find_record(users, anna), caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(where(anna), "1@1");
  auto recalled = others.take<wire::recall>(2);
  REQUIRE_EQUAL(recalled.size(), 1u);
  CHECK_EQUAL(recalled[0].user, anna);
  CHECK_EQUAL(others.left(), 0u);
  wire::hold x;
  x.user = anna;
  x.seats = {{"/", 10}};
  say(2, x);
  CHECK_EQUAL(where(anna), "2@1@2");
}

TEST(a node that is asked again holds whom it has) {
  join(at(2), "c1");
  answer(2, others.one<wire::attach>(2));
  say(2, wire::recall{0, at(2)});
  auto held = others.take<wire::hold>(2);
  REQUIRE_EQUAL(held.size(), 1u);
  CHECK_EQUAL(held[0].user, at(2));
  REQUIRE_EQUAL(held[0].seats.size(), 1u);
  CHECK_EQUAL(held[0].seats[0].connection, connections[0].id());
  say(2, wire::recall{0, "nobody"});
  CHECK_EQUAL(others.left(), 0u);
}

TEST(whoever is being taken up is held too) {
  join(at(2), "c1");
  MESSAGE("the home has heard of the connection, and its record is lost");
  say(2, wire::recall{0, at(2)});
  auto held = others.take<wire::hold>(2);
  REQUIRE_EQUAL(held.size(), 1u);
  CHECK_EQUAL(held[0].info, R"({"n":1})");
  REQUIRE_EQUAL(held[0].seats.size(), 1u);
  CHECK_EQUAL(held[0].seats[0].nsp, "/");
  CHECK_EQUAL(held[0].seats[0].connection, connections[0].id());
  MESSAGE("also at a home that is here");
  others.agreed = false;
  auto* x = join(at(1), "c2");
  CHECK_EQUAL(outcome(x), "-");
  caf::anon_send_exit(find_record(users, at(1)), caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(where(at(1)), "1@1");
}

// -- the site changes its mind, and connections give way
// -----------------------

TEST(a sign out voids what the home is asked) {
  auto* x = join(at(2), "c1");
  auto asked = others.one<wire::attach>(2);
  user_command out;
  out.what = user_command::kind::disconnect;
  out.ids = {at(2)};
  tell(out);
  answer(2, asked);
  CHECK_EQUAL(outcome(x), "verdict_void");
  CHECK(x->all<attached>()[0].not_before > 0);
  MESSAGE("and the home is told that the connection is not there");
  auto gone = others.take<wire::detach>(2);
  REQUIRE_EQUAL(gone.size(), 1u);
  CHECK_EQUAL(gone[0].connection, asked.connection);
}

TEST(the home tells a node whose connection gives way) {
  opts.presence.max_connections = 1;
  opts.presence.when_full = presence_full::close_oldest;
  attach(2, at(1), 10);
  others.kinds();
  auto* x = join(at(1), "c1");
  CHECK_EQUAL(outcome(x), "none");
  auto told = others.take<wire::displace>(2);
  REQUIRE_EQUAL(told.size(), 1u);
  CHECK_EQUAL(told[0].user, at(1));
  CHECK_EQUAL(told[0].connection, 10u);
  CHECK_EQUAL(count.connections_displaced, 1u);
  MESSAGE("or its own");
  attach(3, at(1), 11);
  REQUIRE_EQUAL(x->all<disconnect>().size(), 1u);
  CHECK_EQUAL(x->all<disconnect>()[0].sid, "c1");
  CHECK_EQUAL(where(at(1)), "1@3");
}

TEST(a connection gives way at the word of its home) {
  auto* x = join(at(2), "c1");
  answer(2, others.one<wire::attach>(2));
  auto* y = join(at(2), "c2");
  answer(2, others.one<wire::attach>(2));
  say(2, wire::displace{0, at(2), connections[0].id()});
  REQUIRE_EQUAL(x->all<disconnect>().size(), 1u);
  CHECK(y->all<disconnect>().empty());
  MESSAGE("also while it is being taken up");
  auto* z = join(at(2), "c3");
  say(2, wire::displace{0, at(2), connections[2].id()});
  answer(2, others.one<wire::attach>(2));
  CHECK_EQUAL(outcome(z), "too_many_connections");
}

CAF_TEST_FIXTURE_SCOPE_END()
