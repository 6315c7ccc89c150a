#include "actors/membership/view.hpp"

#include <map>
#include <memory>

#include "tests/support/check.hpp"

using signalbox::view_state;
namespace wire = signalbox::wire;

namespace {

/// Some nodes whose words are carried by hand.
struct fixture {
  view_state& add(uint16_t node, uint64_t incarnation = 0) {
    auto& x = nodes[node];
    number[node] = incarnation != 0 ? incarnation : node + 100u;
    x = std::make_unique<view_state>(node, number[node]);
    return *x;
  }

  void link(uint16_t a, uint16_t b) {
    nodes[a]->up(b, number[b]);
    nodes[b]->up(a, number[a]);
  }

  void cut(uint16_t a, uint16_t b) {
    nodes[a]->down(b);
    nodes[b]->down(a);
  }

  /// A node has reported its users and tells all that it is linked with.
  void reattach(uint16_t node) {
    auto& x = *nodes[node];
    if (x.reattached(x.serial()))
      for (auto to : x.nodes())
        if (to != node)
          under_way.push_back({node, to, x.say(to)});
  }

  /// Carries words, and the answers to them, until there are none. Returns how
  /// many there were.
  size_t talk() {
    size_t n = 0;
    while (!under_way.empty() && n < 1000) {
      auto x = under_way.front();
      under_way.erase(under_way.begin());
      ++n;
      if (nodes[x.to]->take(x.from, x.said))
        under_way.push_back({x.to, x.from, nodes[x.to]->say(x.from)});
    }
    return n;
  }

  struct word {
    uint16_t from;
    uint16_t to;
    wire::view said;
  };

  std::map<uint16_t, std::unique_ptr<view_state>> nodes;
  std::map<uint16_t, uint64_t> number;
  std::vector<word> under_way;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(view_tests, fixture)

TEST(a node alone is settled) {
  auto& a = add(1);
  CHECK(a.settled());
  CHECK_EQUAL(a.nodes().size(), 1u);
  CHECK_EQUAL(a.nodes()[0], 1u);
}

TEST(two nodes settle when both have said that they see the same) {
  auto& a = add(1);
  auto& b = add(2);
  link(1, 2);
  CHECK(!a.settled());
  CHECK_EQUAL(a.hash(), b.hash());
  MESSAGE("a has reported its users, b has not");
  reattach(1);
  talk();
  CHECK(!a.settled());
  CHECK(!b.settled());
  reattach(2);
  talk();
  CHECK(a.settled());
  CHECK(b.settled());
}

TEST(the answers to words come to an end) {
  for (uint16_t i = 0; i < 5; ++i)
    add(i);
  for (uint16_t i = 0; i < 5; ++i)
    for (uint16_t k = 0; k < i; ++k)
      link(i, k);
  for (uint16_t i = 0; i < 5; ++i)
    reattach(i);
  auto n = talk();
  MESSAGE(n << " words");
  CHECK(n <= 3u * 5 * 4);
  for (const auto& [node, x] : nodes)
    CHECK(x->settled());
}

TEST(a view is not settled while one node sees another one) {
  auto& a = add(1);
  auto& b = add(2);
  auto& c = add(3);
  link(1, 2);
  link(1, 3);
  for (uint16_t i = 1; i <= 3; ++i)
    reattach(i);
  talk();
  CHECK(!a.settled());
  CHECK(!b.settled());
  CHECK(!c.settled());
  MESSAGE("b and c find each other");
  link(2, 3);
  for (uint16_t i = 1; i <= 3; ++i)
    reattach(i);
  talk();
  CHECK(a.settled());
  CHECK(b.settled());
  CHECK(c.settled());
}

TEST(users that were reported in an earlier view do not count) {
  auto& a = add(1);
  add(2);
  auto before = a.serial();
  link(1, 2);
  CHECK(!a.reattached(before));
  reattach(2);
  talk();
  CHECK(!a.settled());
  CHECK(a.reattached(a.serial()));
}

TEST(a word about an equal view that is older than the last change is void) {
  auto& a = add(1);
  auto& b = add(2);
  add(3);
  link(1, 2);
  reattach(1);
  reattach(2);
  talk();
  REQUIRE(a.settled());
  auto old = b.say(1);
  MESSAGE("a sees c come and go: its view is what it was, but b's users may "
          "have been reported elsewhere meanwhile");
  a.up(3, number[3]);
  CHECK(!a.settled());
  a.down(3);
  CHECK_EQUAL(a.hash(), b.hash());
  a.reattached(a.serial());
  CHECK(!a.settled());
  a.take(2, old);
  CHECK(!a.settled());
  MESSAGE("b answers what it has not seen yet, and that counts");
  REQUIRE(b.take(1, a.say(2)));
  a.take(2, b.say(1));
  CHECK(a.settled());
}

TEST(a node that comes again as another process makes another view) {
  auto& a = add(1);
  add(2);
  link(1, 2);
  reattach(1);
  reattach(2);
  talk();
  auto before = a.hash();
  cut(1, 2);
  a.reattached(a.serial());
  CHECK(a.settled());
  auto& b = add(2, 999);
  link(1, 2);
  CHECK(a.hash() != before);
  CHECK_EQUAL(a.hash(), b.hash());
  CHECK(!a.settled());
}

TEST(the word of a node that is not linked is not taken) {
  auto& a = add(1);
  wire::view x;
  x.hash = a.hash();
  x.serial = 1;
  x.echo = a.serial();
  CHECK(!a.take(9, x));
  CHECK_EQUAL(a.nodes().size(), 1u);
  CHECK(a.settled());
}

TEST(who is lost is not waited for) {
  auto& a = add(1);
  add(2);
  add(3);
  link(1, 2);
  link(1, 3);
  link(2, 3);
  reattach(1);
  reattach(2);
  talk();
  CHECK(!a.settled());
  cut(1, 3);
  cut(2, 3);
  reattach(1);
  reattach(2);
  talk();
  CHECK(a.settled());
}

CAF_TEST_FIXTURE_SCOPE_END()
