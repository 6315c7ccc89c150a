#include "tests/unit/actors/relay/relay_rig.hpp"

using namespace signalbox;
using signalbox::test::names;
using signalbox::test::nodes;
using signalbox::test::relay_rig;

CAF_TEST_FIXTURE_SCOPE(relay_failures_tests, relay_rig)

// -- what fails ---------------------------------------------------------------

TEST(the loss of a home that is asked sends the event to all nodes) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  others.kinds();
  change({1, 3});
  CHECK_EQUAL(others.kinds(), "20>3 21>3 ");
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
}

TEST(a node that is lost before it answers is named) {
  others.gone = {2};
  post_all(7);
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "");
  change({1, 3});
  CHECK_EQUAL(told(), "7:2/2 !2 ");
}

TEST(a node that is lost before it has the event is named) {
  post(7, {at(2)});
  locate(2, 7, {{2, 3}});
  route(3, 7, 1, 1, {}, {true});
  change({1, 3});
  CHECK_EQUAL(told(), "7:1/1 !2 ");
  MESSAGE("answers of its next life mean nothing");
  change({1, 2, 3});
  route(2, 7, 1, 1, {}, {true});
  CHECK_EQUAL(told(), "");
}

TEST(a node that is lost and not forgotten is named in every answer) {
  change({1, 3});
  others.gone = {2};
  others.agreed = true;
  post_all(7);
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "7:2/2 !2 ");
  others.gone = {};
  post_all(8);
  route_here(8, 1, 1);
  route(3, 8, 1, 1);
  CHECK_EQUAL(told(), "8:2/2 ");
}

TEST(a node that comes back before the answer is named all the same) {
  change({1, 3});
  others.gone = {2};
  others.agreed = true;
  post_all(7);
  others.gone = {};
  change({1, 2, 3});
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "7:2/2 !2 ");
}

TEST(a node that does not answer in time is named) {
  post_all(7);
  route_here(7, 1, 1);
  route(2, 7, 1, 1);
  advance(opts.cluster.request_timeout.count() - 200);
  CHECK_EQUAL(told(), "");
  advance(400);
  CHECK_EQUAL(told(), "7:2/2 !3 ");
  MESSAGE("what it says later is too late");
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "");
}

TEST(a home that does not answer in time is done without) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  others.kinds();
  advance(opts.cluster.request_timeout.count() + 200);
  CHECK_EQUAL(others.kinds(), "20>2 20>3 21>2 21>3 ");
}

TEST(an event that goes to all nodes does so without the owner of its key) {
  std::string key;
  for (int i = 0; key.empty() || others.home("key:site\n" + key) != 3; ++i)
    key = std::to_string(i);
  deliver_users out;
  out.ticket = 7;
  out.users = {at(2)};
  out.event = event("[1]");
  out.claim = {"site", key, "id", 7};
  caf::anon_send(x.users, std::move(out));
  settle();
  locate(2, 7, {{}}, false);
  CHECK_EQUAL(sent(2), "");
  advance(opts.cluster.request_timeout.count() / 2 + 100);
  CHECK_EQUAL(sent(2), "[1]");
  CHECK_EQUAL(sent(3), "[1]");
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
}

TEST(a silent home and then a silent node take no longer than one of them) {
  auto timeout = opts.cluster.request_timeout.count();
  post(7, {at(2)}, "[1]");
  post_all(8, "[2]");
  advance(timeout / 2 + 100);
  MESSAGE("what has no time to lose goes to all nodes");
  CHECK_EQUAL(sent(2), "[1][2]");
  CHECK_EQUAL(sent(3), "[1][2]");
  route_here(7, 1, 1, {}, {true});
  route(3, 7, 0, 0, {}, {false});
  route_here(8, 1, 1);
  route(3, 8, 1, 1);
  CHECK_EQUAL(told(), "");
  advance(timeout / 2);
  CHECK_EQUAL(told(), "7:1/1 !2 8:2/2 !2 ");
}

TEST(an event behind one that waits is answered in its own time) {
  auto timeout = opts.cluster.request_timeout.count();
  post(7, {at(2)}, "[1]");
  advance(timeout / 2 - 200);
  post(8, {at(3)}, "[2]");
  locate(3, 8, {{3}});
  CHECK_EQUAL(sent(3), "");
  advance(300);
  CHECK_EQUAL(sent(3), "[1][2]");
  MESSAGE("nobody says anything");
  advance(timeout / 2);
  CHECK_EQUAL(told(), "7:0/0 !1 !2 !3 ");
  advance(timeout / 2);
  CHECK_EQUAL(told(), "8:1/0 !3 ");
}

TEST(a namespace that only other nodes have is answered for by them) {
  post_all(7, "[1]", "/other");
  route(2, 7, 3, 4);
  CHECK_EQUAL(told(), "");
  route(3, 7, 0, 0);
  CHECK_EQUAL(told(), "7:3/4 ");
}

// -- too much waits -----------------------------------------------------------

TEST(an event beyond what may wait is refused at once) {
  opts.cluster.queue_bytes = 4000;
  post(1, {at(2)}, "[\"" + std::string(1000, 'x') + "\"]");
  post(2, {at(2, 1)}, "[\"" + std::string(1000, 'x') + "\"]");
  CHECK(answers->all<routed>().empty());
  others.kinds();
  post_all(3, "[\"" + std::string(1000, 'x') + "\"]");
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK_EQUAL(answers->all<routed>()[0].ticket, 3u);
  CHECK(answers->all<routed>()[0].outcome == ec::busy);
  CHECK_EQUAL(count.limit_cluster_queue, 1u);
  CHECK_EQUAL(others.left(), 0u);
  MESSAGE("a smaller one fits");
  post_all(4, "[4]");
  CHECK_EQUAL(answers->all<routed>().size(), 1u);
  MESSAGE("and what has left takes no room");
  locate(2, 1, {{3}});
  locate(2, 2, {{3}});
  CHECK(others.take<wire::broadcast>(3).size() == 1u);
  post_all(5, "[\"" + std::string(3000, 'x') + "\"]");
  CHECK(others.take<wire::broadcast>(3).size() == 1u);
  CHECK(cast->all<broadcast>().size() == 2u);
}

TEST(what is only kept in case of a death gives way) {
  opts.cluster.queue_bytes = 4000;
  auto nsp = sequenced(2, 3);
  post_all(1, "[\"" + std::string(3000, 'x') + "\"]", nsp);
  post_all(2, "[\"" + std::string(1000, 'x') + "\"]", nsp);
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK(answers->all<routed>()[0].outcome == ec::busy);
  told();
  advance(opts.cluster.request_timeout.count() + 200);
  CHECK_EQUAL(told(), "1:0/0 !2 ");
  post_all(3, "[\"" + std::string(1000, 'x') + "\"]", nsp);
  CHECK_EQUAL(told(), "");
  others.kinds();
  change({1, 3});
  CHECK_EQUAL(others.take<wire::submit>(3).size(), 1u);
}

TEST(a sequencer tells the poster that too much waits) {
  opts.cluster.queue_bytes = 1000;
  wire::submit in;
  in.to_users = true;
  in.users.ticket = 29;
  in.users.nsp = sequenced(1, 2);
  in.users.users = {at(3)};
  in.users.args = "[\"" + std::string(1000, 'x') + "\"]";
  in.users.origin = 500;
  in.users.number = 2;
  MESSAGE("one alone may be larger");
  say(2, in);
  CHECK_EQUAL(others.take<wire::locate>(3).size(), 1u);
  in.to_users = false;
  in.all.ticket = 30;
  in.all.nsp = sequenced(1, 2);
  in.all.args = "[\"" + std::string(1000, 'x') + "\"]";
  in.all.origin = 500;
  in.all.number = 1;
  say(2, in);
  auto answer = others.take<wire::routed>(2);
  REQUIRE_EQUAL(answer.size(), 1u);
  CHECK_EQUAL(answer[0].ticket, 30u);
  CHECK(answer[0].outcome == ec::busy);
  MESSAGE("who tells INGEST");
  opts.cluster.queue_bytes = 100000;
  post_all(7, "[7]", sequenced(2, 3));
  answer[0].ticket = 7;
  say(2, answer[0]);
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK(answers->all<routed>()[0].outcome == ec::busy);
}

CAF_TEST_FIXTURE_SCOPE_END()
