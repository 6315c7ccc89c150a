#include "tests/unit/actors/membership/node_rig.hpp"

using namespace signalbox;
using signalbox::test::fake_link;
using signalbox::test::node_rig;
using signalbox::test::rig_node;

CAF_TEST_FIXTURE_SCOPE(membership_loss_tests, node_rig)

// -- loss ---------------------------------------------------------------------

TEST(a node that falls silent is dead after its time) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  for (auto& each : cables)
    each->cut = true;
  deaf = {"node0:1", "node1:1"};
  pass(a.opts.cluster.dead_after.count() - 100);
  CHECK_EQUAL(live(a), "0,1");
  pass(200);
  CHECK_EQUAL(live(a), "0");
  CHECK_EQUAL(live(b), "1");
  CHECK_EQUAL(peers(a), "1:dead");
  CHECK_EQUAL(links(), 0);
  CHECK(a.x.local->lost() == std::vector<uint16_t>{1});
  MESSAGE("and forgotten later");
  pass(a.opts.cluster.forget_after.count());
  CHECK(a.x.local->lost().empty());
}

TEST(signs of life keep a quiet cluster together) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  views.clear();
  for (int i = 0; i < 100; ++i)
    pass(500);
  CHECK_EQUAL(views, "");
  CHECK_EQUAL(live(a), "0,1");
  CHECK(a.x.local->info().members[0].sent_batches < 20);
}

TEST(a connection that comes back goes on without loss or doubles) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  send(a, 1, "one");
  settle();
  MESSAGE("two is lost on the way, three and four before anybody notices");
  cables[0]->cut = true;
  send(a, 1, "two");
  send(b, 0, "TWO");
  settle();
  send(a, 1, "three");
  settle();
  send(a, 1, "four");
  unplug_all();
  agree();
  CHECK_EQUAL(peers(a), "1:dead");
  CHECK_EQUAL(a.x.local->send(1, wire::confirmed{0, 1, "never"}), 0u);
  pass(3000);
  CHECK_EQUAL(live(a), "0,1");
  send(a, 1, "five");
  agree();
  CHECK_EQUAL(got(b), "0 one\n0 two\n0 three\n0 four\n0 five\n");
  CHECK_EQUAL(got(a), "1 TWO\n");
  auto info = a.x.local->info();
  CHECK_EQUAL(info.members[0].reconnects, 1u);
}

TEST(what had arrived does not come again) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  send(a, 1, "one");
  MESSAGE("it arrives, but its acknowledgement does not");
  a.x.local->send(1, wire::deliver{});
  while (got(b).empty())
    first.poll();
  unplug_all();
  pass(3000);
  send(a, 1, "two");
  agree();
  CHECK_EQUAL(got(b), "0 two\n");
}

TEST(a connection may break again and again) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  std::string wanted;
  for (int i = 0; i < 30; ++i) {
    auto what = std::to_string(i);
    if (a.x.local->send(1, wire::confirmed{0, 1, what}) != 0)
      wanted += "0 " + what + '\n';
    for (int k = 0; k < i % 7; ++k)
      first.poll();
    if (i % 3 == 0)
      cables.back()->cut = true;
    if (i % 5 == 4)
      unplug_all();
    pass(i % 4 * 300);
  }
  pass(10000);
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(got(b), wanted);
}

TEST(a node that starts again is dialed although it dials nobody) {
  auto& a = add(0, {"node1:1"});
  auto& b = add(1);
  start(b);
  start(a);
  CHECK_EQUAL(live(a), "0,1");
  kill("node1:1");
  agree();
  CHECK_EQUAL(live(a), "0");
  pass(2000);
  start(b);
  pass(10000);
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(live(b), "0,1");
  MESSAGE("and what was on its way to its former life does not come");
  CHECK_EQUAL(got(b), "");
}

TEST(a node that starts again before its loss is noticed takes its place) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  auto before = a.x.local->view();
  for (auto& each : cables)
    each->cut = true;
  views.clear();
  kill("node1:1");
  CHECK_EQUAL(live(a), "0,1");
  start(b);
  pass(300);
  CHECK_EQUAL(live(a), "0,1");
  CHECK(a.x.local->view() != before);
  MESSAGE("its rooms are told that the former one is gone");
  CHECK(views.find("node0:1 0\n") != std::string::npos);
}

TEST(a late hello of a dead process costs the living one nothing) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  for (const auto* each : {"one", "two", "three"}) {
    send(b, 0, each);
    send(a, 1, each);
    settle();
  }
  auto late = hello(1);
  late.address = b.address;
  CHECK_EQUAL(knock(a, late), "hello 0");
  agree();
  MESSAGE("which may be long out of reach");
  deaf = {"node0:1", "node1:1"};
  pass(2 * a.opts.cluster.dead_after.count());
  deaf.clear();
  pass(10000);
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(live(b), "0,1");
  send(b, 0, "four");
  send(a, 1, "four");
  agree();
  CHECK_EQUAL(got(a), "1 one\n1 two\n1 three\n1 four\n");
  CHECK_EQUAL(got(b), "0 one\n0 two\n0 three\n0 four\n");
}

TEST(a node that does not drain is cut off and comes again) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  a.opts.cluster.queue_bytes = 10000;
  start(a);
  start(b);
  for (auto& each : cables)
    each->cut = true;
  for (int i = 0; i < 12; ++i)
    send(a, 1, std::string(1000, 'x'));
  agree();
  CHECK_EQUAL(peers(a), "1:dead");
  CHECK_EQUAL(count.limit_cluster_queue, 1u);
  auto info = a.x.local->info();
  CHECK_EQUAL(info.members[0].queue_bytes, 0u);
  unplug_all();
  pass(3000);
  CHECK_EQUAL(live(a), "0,1");
  send(a, 1, "after");
  agree();
  MESSAGE("without what was too much");
  CHECK_EQUAL(got(b), "0 after\n");
}

TEST(a broken session has its connection cut) {
  auto& a = add(0);
  start(a);
  CHECK_EQUAL(knock(a, hello(1)), "hello 0");
  agree();
  REQUIRE_EQUAL(live(a), "0,1?");
  pass(a.opts.cluster.dead_after.count() + 100);
  CHECK_EQUAL(live(a), "0");
}

// -- what rests on it ---------------------------------------------------------

TEST(a view is settled when every node has reported its users) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  b.reports = false;
  start(a);
  start(b);
  CHECK_EQUAL(live(a), "0,1?");
  CHECK_EQUAL(live(b), "0,1?");
  MESSAGE("a report of an earlier view is none");
  b.x.local->reattached(1);
  agree();
  CHECK_EQUAL(live(a), "0,1?");
  b.reports = true;
  agree();
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(live(b), "0,1");
}

TEST(RELAY hears which batches have arrived) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  a.told->all<batches_acked>().clear();
  auto number = a.x.local->send(1, wire::keys{});
  CHECK_EQUAL(a.x.local->send(1, wire::keys{}), number);
  settle();
  auto& acked = a.told->all<batches_acked>();
  REQUIRE(!acked.empty());
  CHECK_EQUAL(acked.back().node, 1u);
  CHECK_EQUAL(acked.back().number, number);
}

TEST(frames of tunnels do not outlive their session) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  auto frame = [&](uint64_t id) {
    wire::tunnel x;
    x.id = id;
    x.session = a.x.local->session(1);
    a.x.local->send(1, x);
  };
  frame(1);
  settle();
  REQUIRE_EQUAL(b.told->all<wire::tunnel>().size(), 1u);
  CHECK_EQUAL(b.told->all<wire::tunnel>()[0].from, 0u);
  cables[0]->cut = true;
  frame(2);
  send(a, 1, "kept");
  settle();
  unplug_all();
  pass(3000);
  frame(3);
  agree();
  CHECK_EQUAL(got(b), "0 kept\n");
  REQUIRE_EQUAL(b.told->all<wire::tunnel>().size(), 2u);
  CHECK_EQUAL(b.told->all<wire::tunnel>()[1].id, 3u);
}

TEST(what a node says comes behind its version floor) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  MESSAGE("b has changed its view, and nothing else tells a of it");
  b.x.local->raise_version_floor();
  b.x.local->raise_version_floor();
  auto raised = b.x.local->version_floor();
  REQUIRE(a.x.local->version_floor() < raised);
  send(b, 0, "behind it");
  settle();
  CHECK_EQUAL(got(a), "1 behind it\n");
  CHECK_EQUAL(a.x.local->version_floor(), raised);
  MESSAGE("in a new session it does so again");
  b.x.local->raise_version_floor();
  unplug_all();
  pass(3000);
  CHECK_EQUAL(a.x.local->version_floor(), b.x.local->version_floor());
}

TEST(a node that is gone had no version above the raised floor) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  MESSAGE("the clocks differ a little");
  clock += 1;
  start(b);
  clock -= 1;
  auto b_floor = b.x.local->version_floor();
  unplug_all();
  a.x.local->raise_version_floor();
  CHECK(a.x.local->version_floor() > b_floor);
  MESSAGE("a clock that goes back changes nothing");
  clock -= 1000;
  auto a_floor = a.x.local->version_floor();
  a.x.local->raise_version_floor();
  CHECK(a.x.local->version_floor() > a_floor);
}

TEST(the version floor does not run away from the clock) {
  auto& a = add(0);
  start(a);
  for (int i = 0; i < 10; ++i)
    a.x.local->raise_version_floor();
  auto floor = a.x.local->version_floor();
  clock += 3;
  MESSAGE("who starts anew and knows nobody begins above it");
  auto& b = add(1);
  start(b);
  CHECK(b.x.local->version_floor() > floor);
}

CAF_TEST_FIXTURE_SCOPE_END()
