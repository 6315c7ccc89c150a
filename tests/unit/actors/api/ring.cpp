#include "actors/api/ring.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "tests/support/check.hpp"

using signalbox::ring_home;
using signalbox::stable_id;

namespace {

constexpr int users = 20000;

std::string user(int i) {
  return "user-" + std::to_string(i);
}

} // namespace

TEST(every node finds the same home) {
  MESSAGE("these never change: another version would look elsewhere");
  CHECK_EQUAL(ring_home("anna", {0, 1, 2}), ring_home("anna", {2, 0, 1}));
  const std::vector<uint16_t> nodes{1, 2, 3, 700, 65535};
  std::string found;
  for (const auto* name : {"anna", "ben", "carla", "", "42", "\xc3\xa4"})
    found += std::to_string(ring_home(name, nodes)) + ' ';
  CHECK_EQUAL(found, "3 65535 65535 700 1 1 ");
}

TEST(a node alone is the home of everybody) {
  for (int i = 0; i < 100; ++i)
    CHECK_EQUAL(ring_home(user(i), {65535}), 65535u);
}

TEST(a node that goes moves its own share only) {
  const std::vector<uint16_t> all{0, 1, 2, 3, 4};
  const std::vector<uint16_t> without{0, 1, 3, 4};
  auto moved = 0;
  for (int i = 0; i < users; ++i) {
    auto before = ring_home(user(i), all);
    auto after = ring_home(user(i), without);
    if (before == 2)
      ++moved;
    else if (before != after)
      CAF_FAIL("user " << i << " moved from " << before << " to " << after);
  }
  MESSAGE("and those are spread over all that stay");
  CHECK(moved > users / 6);
  std::map<uint16_t, int> takers;
  for (int i = 0; i < users; ++i)
    if (ring_home(user(i), all) == 2)
      ++takers[ring_home(user(i), without)];
  CHECK_EQUAL(takers.size(), 4u);
  for (const auto& [node, n] : takers)
    CHECK(n > moved / 6);
}

TEST(the shares are even) {
  for (auto nodes :
       {std::vector<uint16_t>{0, 1}, {7, 8, 9}, {0, 256, 512, 4096, 65535}}) {
    std::map<uint16_t, int> shares;
    for (int i = 0; i < users; ++i)
      ++shares[ring_home(user(i), nodes)];
    auto fair = users / static_cast<int>(nodes.size());
    REQUIRE_EQUAL(shares.size(), nodes.size());
    for (const auto& [node, n] : shares) {
      MESSAGE("node " << node << " has " << n << " of " << fair);
      CHECK(n > fair * 9 / 10);
      CHECK(n < fair * 11 / 10);
    }
  }
}

TEST(an id that names a key is the same everywhere) {
  CHECK_EQUAL(stable_id("site\nk1"), "e2becab995cc3a2131932bedab1361d6");
  CHECK(stable_id("site\nk1") != stable_id("site\nk2"));
  CHECK_EQUAL(stable_id("").size(), 32u);
}
