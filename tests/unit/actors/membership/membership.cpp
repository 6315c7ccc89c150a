#include "actors/membership/membership.hpp"

#include "tests/unit/actors/membership/node_rig.hpp"

using namespace signalbox;
using signalbox::test::fake_link;
using signalbox::test::node_rig;
using signalbox::test::rig_node;

CAF_TEST_FIXTURE_SCOPE(membership_tests, node_rig)

// -- joining ------------------------------------------------------------------

TEST(a node alone is the whole cluster) {
  auto& a = add(0);
  start(a);
  CHECK_EQUAL(live(a), "0");
  CHECK_EQUAL(peers(a), "");
  CHECK_EQUAL(a.x.local->self(), 0u);
}

TEST(a node that knows another one joins it) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(live(b), "0,1");
  CHECK_EQUAL(peers(a), "1:up");
  CHECK_EQUAL(links(), 2);
  CHECK_EQUAL(a.x.local->view(), b.x.local->view());
  CHECK_EQUAL(a.x.local->session(1), b.x.local->session(0));
  CHECK(a.x.local->session(1) != 0);
  CHECK_EQUAL(a.x.local->session(7), 0u);
  MESSAGE("both find the same homes");
  for (int i = 0; i < 20; ++i) {
    auto user = "user" + std::to_string(i);
    CHECK_EQUAL(a.x.local->home(user), b.x.local->home(user));
  }
}

TEST(items reach the room they are for with the node they came from) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  send(a, 1, "x");
  send(b, 0, "y");
  settle();
  CHECK_EQUAL(got(b), "0 x\n");
  CHECK_EQUAL(got(a), "1 y\n");
  a.x.local->send(1, wire::confirmed{0, 4, "anna"});
  settle();
  REQUIRE_EQUAL(b.told->all<wire::confirmed>().size(), 1u);
  CHECK_EQUAL(b.told->all<wire::confirmed>()[0].confirm, 4u);
  MESSAGE("nothing is sent to who is not there");
  CHECK_EQUAL(a.x.local->send(2, wire::leaving{}), 0u);
}

TEST(claims reach RELAY with the process they came from) {
  auto& a = add(1);
  auto& b = add(2, {"node1:1"});
  start(a);
  start(b);
  auto ask = [&] {
    b.x.local->send(1, wire::claim{});
    settle();
    auto all = std::exchange(a.told->all<wire::claim>(), {});
    return all.empty() ? 0 : all.back().from_process;
  };
  auto first_ = b.x.local->process(2);
  CHECK(first_ != 0);
  CHECK_EQUAL(a.x.local->process(2), first_);
  CHECK_EQUAL(ask(), first_);
  MESSAGE("which is another one after a restart");
  kill(b.address);
  start(b);
  pass(1000);
  CHECK(ask() != first_);
  CHECK_EQUAL(ask(), b.x.local->process(2));
}

TEST(a seed that is not there yet is tried again and again) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(b);
  CHECK_EQUAL(live(b), "1");
  pass(20000);
  auto tries = b.dials.size();
  CHECK(tries >= 4);
  CHECK(tries < 20);
  start(a);
  pass(5200);
  CHECK_EQUAL(live(b), "0,1");
  MESSAGE("and not any more once it is");
  tries = b.dials.size();
  pass(4000);
  CHECK_EQUAL(b.dials.size(), tries);
  CHECK(a.dials.empty());
}

TEST(the nodes that one knows all find each other) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  auto& c = add(2, {"node1:1"});
  auto& d = add(3, {"node0:1"});
  start(a);
  start(b);
  start(c);
  start(d);
  for (int i = 0; i < 40; ++i)
    pass(100);
  for (auto* each : {&a, &b, &c, &d})
    CHECK_EQUAL(live(*each), "0,1,2,3");
  CHECK_EQUAL(links(), 12);
}

TEST(a node that finds itself among its seeds leaves itself alone) {
  auto& a = add(0, {"node0:1", "alias:1"});
  nodes["alias:1"] = std::make_unique<rig_node>();
  start(a);
  nodes["alias:1"]->x = a.x;
  pass(30000);
  CHECK_EQUAL(live(a), "0");
  CHECK_EQUAL(std::count(a.dials.begin(), a.dials.end(), "node0:1"), 0);
  auto tries = std::count(a.dials.begin(), a.dials.end(), "alias:1");
  pass(30000);
  CHECK_EQUAL(std::count(a.dials.begin(), a.dials.end(), "alias:1"), tries);
  CHECK_EQUAL(links(), 0);
  nodes.erase("alias:1");
}

// -- who does not belong ------------------------------------------------------

TEST(a node of another cluster is refused and told why) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"}, "other");
  start(a);
  start(b);
  CHECK_EQUAL(live(a), "0");
  CHECK_EQUAL(live(b), "1");
  CHECK_EQUAL(links(), 0);
  auto x = hello(1);
  x.cluster = "other";
  CHECK_EQUAL(knock(a, x), R"(it belongs to the cluster "other", not to )"
                           R"("test"; compare cluster.name)");
}

TEST(a node of another major version is refused) {
  auto& a = add(0);
  start(a);
  auto x = hello(1);
  x.major = wire::major_version + 1;
  CHECK(knock(a, x).starts_with("it speaks version 2, not 1"));
  MESSAGE("another minor version, with more to say, is none to be refused");
  x = hello(1);
  x.minor = wire::minor_version + 7;
  CHECK_EQUAL(knock(a, x, "fields of later"), "hello 0");
  agree();
  CHECK_EQUAL(live(a), "0,1?");
}

TEST(a number that is taken is refused) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  CHECK(knock(a, hello(0)).starts_with("its number 0 is taken"));
  CHECK(knock(a, hello(1)).starts_with("its number 1 is taken"));
  CHECK_EQUAL(live(a), "0,1");
  MESSAGE("unless whoever had it is dead");
  kill("node1:1");
  agree();
  CHECK_EQUAL(knock(a, hello(1)), "hello 0");
}

TEST(what is no hello is not answered) {
  auto& a = add(0);
  start(a);
  CHECK_EQUAL(knock(a, hello(0)).substr(0, 10), "its number");
  std::string whole;
  wire::append(whole, hello(1));
  std::string ping;
  wire::append(ping, wire::ping{});
  for (const auto& bytes : {std::string{}, std::string{"\x64"},
                            whole.substr(0, whole.size() - 1), ping})
    caf::anon_send(
      caf::actor_cast<caf::actor>(a.x.handle),
      link_open{bytes, caf::actor_cast<caf::strong_actor_ptr>(knocker)});
  caf::anon_send(caf::actor_cast<caf::actor>(a.x.handle),
                 link_open{whole, nullptr});
  settle();
  CHECK(heard->all<link_open>().empty());
  CHECK(heard->all<link_batch>().empty());
  CHECK_EQUAL(links(), 0);
}

TEST(who dials looks at the answer as closely) {
  auto& a = add(0, {"node1:1"});
  std::tie(knocker, heard) = spawn_light<fake_link, caf::actor>(one);
  auto& b = *(nodes["node1:1"] = std::make_unique<rig_node>());
  b.x.handle = caf::actor_cast<membership_actor>(knocker);
  start(a);
  auto answer = [&](auto change) {
    for (int i = 0; heard->all<link_open>().empty() && i < 100; ++i)
      pass(100);
    REQUIRE(!heard->all<link_open>().empty());
    auto asked = heard->all<link_open>()[0];
    heard->all<link_open>().clear();
    auto x = hello(1);
    x.session = read<wire::hello>(asked.bytes).session;
    change(x);
    std::string bytes;
    wire::append(bytes, x);
    caf::anon_send(
      caf::actor_cast<caf::actor>(asked.link),
      link_open{bytes, caf::actor_cast<caf::strong_actor_ptr>(knocker)});
    agree();
    return live(a);
  };
  CHECK_EQUAL(answer([](auto& x) { x.cluster = "other"; }), "0");
  CHECK_EQUAL(answer([](auto& x) { x.major = 9; }), "0");
  CHECK_EQUAL(answer([](auto& x) { x.node = 0; }), "0");
  CHECK_EQUAL(answer([](auto&) {}), "0,1?");
  b.x.handle = nullptr;
}

// -- two at the same time -----------------------------------------------------

TEST(two nodes that dial each other keep one session) {
  hold_new = true;
  auto& a = add(0, {"node1:1"});
  auto& b = add(1, {"node0:1"});
  start(b);
  start(a);
  pass(1000);
  REQUIRE_EQUAL(cables.size(), 2u);
  auto& to_a = *(cables[0]->to == "node0:1" ? cables[0] : cables[1]);
  auto& to_b = *(cables[0]->to == "node0:1" ? cables[1] : cables[0]);
  hold_new = false;
  MESSAGE("both are answered before either hears of it");
  for (auto* each : {&to_a, &to_b}) {
    auto first_word = std::exchange(each->waiting, {});
    for (auto& word : first_word)
      word();
    settle();
  }
  release(to_b);
  release(to_a);
  agree();
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(live(b), "0,1");
  CHECK_EQUAL(links(), 2);
  CHECK_EQUAL(a.x.local->session(1), b.x.local->session(0));
  MESSAGE("which stays");
  pass(20000);
  CHECK_EQUAL(cables.size(), 2u);
  CHECK_EQUAL(peers(a), "1:up");
}

TEST(a session that stands is not given up for a late dial) {
  hold_new = true;
  auto& a = add(0, {"node1:1"});
  auto& b = add(1, {"node0:1"});
  start(b);
  start(a);
  pass(1000);
  REQUIRE_EQUAL(cables.size(), 2u);
  auto& to_a = *(cables[0]->to == "node0:1" ? cables[0] : cables[1]);
  auto& to_b = *(cables[0]->to == "node0:1" ? cables[1] : cables[0]);
  hold_new = false;
  release(to_b);
  agree();
  CHECK_EQUAL(live(a), "0,1");
  views.clear();
  MESSAGE("what the other one had sent before comes by another way");
  release(to_a);
  agree();
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(live(b), "0,1");
  CHECK_EQUAL(a.x.local->session(1), b.x.local->session(0));
  CHECK_EQUAL(views, "");
  CHECK_EQUAL(links(), 2);
}

TEST(who was dialed meanwhile does not dial) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  deaf.insert("node0:1");
  start(b);
  deaf.clear();
  MESSAGE("the connection takes its time, and the other node is quicker");
  dialed late;
  late.address = "node0:1";
  auto on = std::make_shared<signalbox::test::cable>();
  cables.push_back(on);
  late.gate = signalbox::test::cable_end::make(
    one, on, caf::actor_cast<caf::strong_actor_ptr>(a.x.handle));
  pass(300);
  REQUIRE_EQUAL(live(b), "0,1");
  views.clear();
  caf::anon_send(b.x.handle, late);
  agree();
  CHECK_EQUAL(views, "");
  CHECK_EQUAL(live(a), "0,1");
  CHECK_EQUAL(links(), 2);
}

// -- leaving ------------------------------------------------------------------

TEST(a node that leaves is not waited for) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  auto& c = add(2, {"node0:1"});
  start(a);
  start(b);
  start(c);
  pass(3000);
  REQUIRE_EQUAL(live(c), "0,1,2");
  b.x.local->leave();
  agree();
  CHECK_EQUAL(live(a), "0,2");
  CHECK_EQUAL(live(c), "0,2");
  CHECK_EQUAL(peers(a), "1:left 2:up");
  CHECK(a.x.local->lost().empty());
  MESSAGE("nor dialed, nor does it dial");
  a.dials.clear();
  b.dials.clear();
  pass(20000);
  CHECK(a.dials.empty());
  CHECK(b.dials.empty());
  CHECK(knock(b, hello(5)).starts_with("this node leaves"));
  MESSAGE("until it starts again");
  kill("node1:1");
  start(b);
  pass(3000);
  CHECK_EQUAL(live(a), "0,1,2");
  CHECK_EQUAL(live(c), "0,1,2");
}

TEST(a node that ends takes its links with it) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  kill("node1:1");
  agree();
  CHECK_EQUAL(live(a), "0");
  CHECK_EQUAL(links(), 0);
  CHECK_EQUAL(living(actor_kind::membership), 1);
}

TEST(a node has another one drain) {
  auto& a = add(0);
  auto& b = add(1, {"node0:1"});
  start(a);
  start(b);
  CHECK(a.x.local->drain(1));
  settle();
  CHECK_EQUAL(b.drains, 1);
  CHECK_EQUAL(a.drains, 0);
  CHECK(a.x.local->drain(0));
  CHECK_EQUAL(a.drains, 1);
  CHECK(!a.x.local->drain(5));
}

CAF_TEST_FIXTURE_SCOPE_END()
