#include "actors/membership/fingerprints.hpp"
#include "actors/membership/membership.hpp"
#include "tests/unit/actors/membership/node_rig.hpp"

#include "tests/support/actors.hpp"

// Nodes that are configured so that they cannot be one router, or not quite.

using namespace signalbox;
using signalbox::test::node_rig;
using signalbox::test::rig_node;

namespace {

struct fixture : node_rig {
  static std::string state(const rig_node& of, uint16_t node) {
    for (const auto& each : of.x.local->info().members)
      if (each.node == node)
        return each.state;
    return "unknown";
  }

  static std::string conflict(const rig_node& of) {
    return of.x.local->info().conflict;
  }

  static std::vector<std::string> differs(const rig_node& of, uint16_t node) {
    for (const auto& each : of.x.local->info().members)
      if (each.node == node)
        return each.differs;
    return {"unknown"};
  }

  static std::vector<wire::fingerprint> prints(uint64_t sid, uint64_t rules) {
    return {{std::string{sid_key_setting}, sid}, {"rules", rules}};
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(conflict_tests, fixture)

// -- settings -----------------------------------------------------------------

TEST(a node with another sid key is refused) {
  auto& a = add(1);
  auto& b = add(2, {"node1:1"});
  a.alike = prints(1, 5);
  b.alike = prints(2, 5);
  start(a);
  start(b);
  pass(10000);
  CHECK_EQUAL(state(a, 2), "unknown");
  CHECK_EQUAL(state(b, 1), "unknown");
  MESSAGE("which is no conflict of numbers");
  CHECK_EQUAL(conflict(a), "");
  CHECK_EQUAL(conflict(b), "");
}

TEST(other settings that differ are named on both sides) {
  auto& a = add(1);
  auto& b = add(2, {"node1:1"});
  auto& c = add(3, {"node1:1"});
  a.alike = prints(1, 5);
  b.alike = prints(1, 6);
  c.alike = prints(1, 5);
  start(a);
  start(b);
  start(c);
  pass(1000);
  CHECK_EQUAL(state(a, 2), "up");
  CHECK(differs(a, 2) == std::vector<std::string>{"rules"});
  CHECK(differs(b, 1) == std::vector<std::string>{"rules"});
  CHECK(differs(b, 3) == std::vector<std::string>{"rules"});
  CHECK(differs(a, 3).empty());
  MESSAGE("until it comes again with the same");
  kill(b.address);
  pass(100);
  b.alike = prints(1, 5);
  start(b);
  pass(10000);
  CHECK_EQUAL(state(a, 2), "up");
  CHECK(differs(a, 2).empty());
}

TEST(an older version says nothing of its settings) {
  auto& a = add(1);
  auto& b = add(2, {"node1:1"});
  a.alike = prints(1, 5);
  start(a);
  start(b);
  pass(1000);
  CHECK_EQUAL(state(a, 2), "up");
  CHECK(differs(a, 2).empty());
  CHECK(differs(b, 1).empty());
}

// -- numbers ------------------------------------------------------------------

TEST(of two nodes with one number the one that was there first stays) {
  auto& a = add(1, {}, "test", "first:1");
  auto& b = add(1, {"first:1"}, "test", "second:1");
  start(a);
  pass(1000);
  start(b);
  pass(1000);
  CHECK_EQUAL(conflict(a), "");
  CHECK_EQUAL(conflict(b),
              "router.node 1 belongs to another node, says the one "
              "at first:1; give each node its own");
  MESSAGE("and the other one may take part when the first is gone");
  kill(a.address);
  pass(30000);
  CHECK_EQUAL(conflict(b), "");
}

TEST(the younger one gives way also if the older one calls) {
  auto& a = add(1, {"second:1"}, "test", "first:1");
  auto& b = add(1, {}, "test", "second:1");
  start(a);
  pass(1000);
  start(b);
  pass(10000);
  CHECK_EQUAL(conflict(a), "");
  CHECK(!conflict(b).empty());
}

TEST(a node learns from a third one that its number is taken) {
  auto& a = add(1, {"node2:1"}, "test", "first:1");
  auto& b = add(2);
  start(b);
  start(a);
  pass(1000);
  CHECK_EQUAL(state(b, 1), "up");
  auto& c = add(1, {"node2:1"}, "test", "second:1");
  start(c);
  pass(1000);
  CHECK_EQUAL(conflict(a), "");
  CHECK_EQUAL(conflict(b), "");
  CHECK_EQUAL(conflict(c),
              "router.node 1 belongs to another node, says the one "
              "at node2:1; give each node its own");
  CHECK_EQUAL(state(b, 1), "up");
  MESSAGE("it is taken in at once when the number is free");
  kill(a.address);
  pass(12000);
  CHECK_EQUAL(state(b, 1), "up");
  CHECK_EQUAL(conflict(c), "");
}

TEST(a node of another cluster is in no conflict) {
  auto& a = add(1, {}, "test", "first:1");
  auto& b = add(1, {"first:1"}, "other", "second:1");
  start(a);
  pass(100);
  start(b);
  pass(5000);
  CHECK_EQUAL(conflict(a), "");
  CHECK_EQUAL(conflict(b), "");
}

TEST(another fault is no conflict of numbers) {
  auto& a = add(1, {}, "test", "first:1");
  auto& b = add(1, {"first:1"}, "test", "second:1");
  a.alike = prints(1, 5);
  b.alike = prints(2, 5);
  MESSAGE("whichever is older");
  start(a);
  pass(1000);
  start(b);
  pass(5000);
  CHECK_EQUAL(conflict(a), "");
  CHECK_EQUAL(conflict(b), "");
  kill(a.address);
  pass(1000);
  start(a);
  pass(10000);
  CHECK_EQUAL(conflict(a), "");
  CHECK_EQUAL(conflict(b), "");
}

// -- fingerprints -------------------------------------------------------------

TEST(fingerprints tell what differs and nothing else) {
  settings x;
  x.cluster.name = "c";
  x.cluster.sid_key = std::string(32, 's');
  x.namespaces = {{"/"}, {"/news", true}};
  x.rules = {{"*", "letter", rule_target::user, "/to", ""}};
  x.ingest.keys = {{"site", "0123456789abcdef", {}, false}};
  auto same = [&x](auto change) {
    auto y = x;
    change(y);
    return differences(fingerprints(x), fingerprints(y));
  };
  using names = std::vector<std::string>;
  CHECK(same([](auto&) {}).empty());
  CHECK(
    same([](auto& y) { std::swap(y.namespaces[0], y.namespaces[1]); }).empty());
  CHECK(same([](auto& y) { y.presence.max_connections = 7; }).empty());
  CHECK(same([](auto& y) { y.namespaces[1].sequenced = true; })
        == names{"namespaces"});
  CHECK(same([](auto& y) { y.rules[0].pointer = "/user"; }) == names{"rules"});
  CHECK(same([](auto& y) { y.ingest.keys[0].key[3] = 'x'; })
        == names{"ingest.keys"});
  CHECK(same([](auto& y) { y.ingest.keys[0].namespaces = {"/"}; })
        == names{"ingest.keys"});
  CHECK(same([](auto& y) { y.ingest.keys[0].may_listen = true; })
        == names{"ingest.keys"});
  MESSAGE("the order of a key's namespaces is none");
  x.ingest.keys[0].namespaces = {"/", "/news"};
  CHECK(same([](auto& y) {
          y.ingest.keys[0].namespaces = {"/news", "/"};
        }).empty());
  MESSAGE("with another sid key, or in another cluster, nothing is alike");
  CHECK_EQUAL(same([](auto& y) { y.cluster.sid_key[0] = 'x'; }).size(), 4u);
  CHECK_EQUAL(same([](auto& y) { y.cluster.name = "d"; }).size(), 4u);
}

CAF_TEST_FIXTURE_SCOPE_END()
