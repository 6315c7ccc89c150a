#include "tests/unit/actors/relay/relay_rig.hpp"

using namespace signalbox;
using signalbox::test::names;
using signalbox::test::nodes;
using signalbox::test::relay_rig;

CAF_TEST_FIXTURE_SCOPE(relay_serving_tests, relay_rig)

// -- for other nodes ----------------------------------------------------------

TEST(events of other nodes are carried out and answered) {
  wire::deliver in;
  in.ticket = 30;
  in.nsp = "/";
  in.users = {"anna"};
  in.args = "[5]";
  in.volatile_ = true;
  say(2, in);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  const auto& local = asked->all<deliver_users>()[0];
  CHECK_EQUAL(local.users, names{"anna"});
  CHECK_EQUAL(local.event->args(), "[5]");
  CHECK(local.volatile_);
  route_here(local.ticket, 1, 2, {"ben"}, {true});
  auto out = others.take<wire::routed>(2);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].ticket, 30u);
  CHECK_EQUAL(out[0].matched, 1u);
  CHECK_EQUAL(out[0].online, 2u);
  CHECK_EQUAL(out[0].offline, names{"ben"});
  MESSAGE("once");
  route_here(local.ticket, 1, 2);
  CHECK_EQUAL(others.left(), 0u);
  CHECK_EQUAL(told(), "");
}

TEST(events of two nodes with the same number are told apart) {
  wire::broadcast in;
  in.ticket = 30;
  in.nsp = "/";
  in.args = "[5]";
  say(2, in);
  say(3, in);
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 2u);
  auto of_two = cast->all<broadcast>()[0].ticket;
  auto of_three = cast->all<broadcast>()[1].ticket;
  CHECK(of_two != of_three);
  route_here(of_three, 5, 5);
  CHECK_EQUAL(others.one<wire::routed>(3).matched, 5u);
  route_here(of_two, 4, 4);
  CHECK_EQUAL(others.one<wire::routed>(2).matched, 4u);
}

TEST(an event for a namespace that is not here finds nobody) {
  wire::broadcast in;
  in.ticket = 30;
  in.nsp = "/other";
  in.args = "[5]";
  say(2, in);
  auto out = others.take<wire::routed>(2);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].online, 0u);
}

// -- acknowledgements while a link is cut -------------------------------------

namespace {

/// Node 2 has an event here acknowledged.
confirmed acknowledge(relay_rig& rig) {
  wire::deliver in;
  in.nsp = "/";
  in.users = {"anna"};
  in.args = "[5]";
  in.confirm = 70;
  in.confirm_ms = 5000;
  rig.say(2, in);
  return {rig.asked->all<deliver_users>().back().confirm, "anna"};
}

} // namespace

TEST(an acknowledgement waits until the node that wants it is back) {
  auto done = acknowledge(*this);
  change({1, 3});
  caf::anon_send(x.ingest, done);
  settle();
  CHECK_EQUAL(others.left(), 0u);
  change({1});
  change({1, 2});
  auto out = others.take<wire::confirmed>(2);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].confirm, 70u);
  CHECK_EQUAL(out[0].user, "anna");
  MESSAGE("once");
  change({1});
  change({1, 2});
  CHECK_EQUAL(others.left(), 0u);
  MESSAGE("and not for ever");
  change({1});
  caf::anon_send(x.ingest, done);
  advance(5000 + 3 * opts.cluster.request_timeout.count() + 200);
  change({1, 2});
  CHECK_EQUAL(others.left(), 0u);
}

TEST(what one process has asked for is not told to the next one) {
  auto done = acknowledge(*this);
  wire::broadcast in;
  in.ticket = 30;
  in.nsp = "/";
  in.args = "[5]";
  say(2, in);
  MESSAGE("its numbers mean something else");
  change({1, 3});
  caf::anon_send(x.ingest, done);
  settle();
  others.processes[2] = 2;
  change({1, 2, 3});
  caf::anon_send(x.ingest, done);
  route_here(cast->all<broadcast>()[0].ticket, 1, 1);
  CHECK_EQUAL(others.left(), 0u);
}

// -- commands -----------------------------------------------------------------

TEST(a command is carried out by all nodes) {
  user_command y;
  y.what = user_command::kind::rooms;
  y.ticket = 7;
  y.ids = {"anna"};
  y.nsp = "/";
  y.join = {"r"};
  y.leave = {"s"};
  y.scope = {"/", "/chat"};
  caf::anon_send(x.users, y);
  settle();
  REQUIRE_EQUAL(asked->all<user_command>().size(), 1u);
  for (uint16_t node : {2, 3}) {
    auto out = others.take<wire::command>(node);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].ticket, 7u);
    CHECK_EQUAL(out[0].what, static_cast<uint8_t>(y.what));
    CHECK_EQUAL(out[0].ids, names{"anna"});
    CHECK_EQUAL(out[0].nsp, "/");
    CHECK_EQUAL(out[0].join, names{"r"});
    CHECK_EQUAL(out[0].leave, names{"s"});
    CHECK(out[0].scope == (names{"/", "/chat"}));
  }
  user_info here;
  here.ticket = 7;
  here.changed = 1;
  here.connections = {"{}"};
  caf::anon_send(x.ingest, here);
  wire::command_done there;
  there.ticket = 7;
  there.changed = 2;
  there.version = 9;
  there.info = R"({"n":1})";
  there.online = {true};
  say(2, there);
  CHECK(answers->all<user_info>().empty());
  MESSAGE("a node that is lost is named");
  change({1, 2});
  REQUIRE_EQUAL(answers->all<user_info>().size(), 1u);
  const auto& got = answers->all<user_info>()[0];
  CHECK_EQUAL(got.ticket, 7u);
  CHECK_EQUAL(got.changed, 3u);
  CHECK_EQUAL(got.version, 9u);
  CHECK_EQUAL(got.info, R"({"n":1})");
  CHECK_EQUAL(got.connections.size(), 1u);
  CHECK(got.unreachable == nodes{3});
}

TEST(a command of another node is carried out and answered) {
  wire::command in;
  in.ticket = 30;
  in.what = static_cast<uint8_t>(user_command::kind::disconnect);
  in.connections = true;
  in.ids = {"c1"};
  in.scope = {"/chat"};
  say(2, in);
  REQUIRE_EQUAL(asked->all<user_command>().size(), 1u);
  const auto& local = asked->all<user_command>()[0];
  CHECK(local.what == user_command::kind::disconnect);
  CHECK(local.connections);
  CHECK_EQUAL(local.scope, names{"/chat"});
  user_info here;
  here.ticket = local.ticket;
  here.changed = 1;
  here.version = 4;
  here.online = {true};
  here.connections = {"{}"};
  caf::anon_send(x.ingest, here);
  settle();
  auto out = others.take<wire::command_done>(2);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].ticket, 30u);
  CHECK_EQUAL(out[0].changed, 1u);
  CHECK_EQUAL(out[0].version, 4u);
  CHECK_EQUAL(out[0].connections.size(), 1u);
  CHECK(answers->all<user_info>().empty());
  MESSAGE("one without ids is no command");
  in.ids.clear();
  say(2, in);
  CHECK_EQUAL(asked->all<user_command>().size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
