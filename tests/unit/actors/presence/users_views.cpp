#include "tests/unit/actors/presence/users_rig.hpp"

using namespace signalbox;
using signalbox::test::fake_mesh;
using signalbox::test::nodes;
using signalbox::test::users_rig;

CAF_TEST_FIXTURE_SCOPE(users_views_tests, users_rig)

// -- views --------------------------------------------------------------------

TEST(a lost home is followed by another one) {
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  join(here, "c1");
  join(there, "c2");
  for (const auto& each : others.take<wire::attach>(2))
    answer(2, each);
  REQUIRE_EQUAL(others.left(), 0u);
  change({1, 3});
  CHECK_EQUAL(where(here), "1@1");
  auto held = others.take<wire::hold>(3);
  REQUIRE_EQUAL(held.size(), 1u);
  CHECK_EQUAL(held[0].user, there);
  CHECK_EQUAL(held[0].info, R"({"n":1})");
  CHECK_EQUAL(others.left(), 0u);
  MESSAGE("then this node says that it has reported all");
  CHECK_EQUAL(others.reports.size(), 1u);
  CHECK_EQUAL(others.reports.back(), others.serial);
}

TEST(a home that comes back gets its users from where they were) {
  change({1, 3});
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  others.agreed = true;
  join(here, "c1");
  join(there, "c2");
  answer(3, others.one<wire::attach>(3));
  others.kinds();
  change({1, 2, 3});
  CHECK_EQUAL(where(here), "-");
  CHECK_EQUAL(living(actor_kind::presence), 0);
  auto held = others.take<wire::hold>(2);
  REQUIRE_EQUAL(held.size(), 2u);
  auto released = others.take<wire::release>(3);
  REQUIRE_EQUAL(released.size(), 1u);
  CHECK_EQUAL(released[0].user, there);
  CHECK_EQUAL(others.left(), 0u);
}

TEST(users whose home stays are not reported again) {
  join(at(1), "c1");
  join(at(3), "c2");
  answer(3, others.one<wire::attach>(3));
  change({1, 3});
  CHECK_EQUAL(others.kinds(), "");
  CHECK_EQUAL(where(at(1)), "1@1");
}

TEST(a home that was lost and is back knows nothing and is told again) {
  join(at(2), "c1");
  answer(2, others.one<wire::attach>(2));
  change({1, 3});
  others.kinds();
  change({1, 2, 3});
  CHECK_EQUAL(others.take<wire::hold>(2).size(), 1u);
}

TEST(a lost node takes its connections out of the records) {
  auto anna = at(1);
  attach(2, anna, 10);
  attach(3, anna, 10);
  auto before = version(anna);
  change({1, 3});
  CHECK_EQUAL(where(anna), "1@3");
  CHECK(version(anna) > before);
  MESSAGE("what it had sent before comes too late");
  wire::hold x;
  x.user = anna;
  x.seats = {{"/", 10}};
  say(2, x);
  CHECK_EQUAL(where(anna), "1@3");
}

TEST(a home for a moment does not cost the record what others hold) {
  change({1, 3});
  auto anna = fake_mesh::user_of(1, {1, 3});
  for (int i = 0; ring_home(anna, {1, 2, 3}) != 2; ++i)
    anna = fake_mesh::user_of(1, {1, 3}, i);
  attach(3, anna, 10);
  join(anna, "c1");
  REQUIRE_EQUAL(where(anna), "2@3@1");
  MESSAGE("node 2 comes and goes; 3, which never saw it, says nothing");
  change({1, 2, 3});
  change({1, 3});
  CHECK_EQUAL(where(anna), "2@3@1");
}

TEST(a record that moves away ends here when it is released) {
  auto anna = fake_mesh::user_of(1, {1, 3});
  for (int i = 0; ring_home(anna, {1, 2, 3}) != 2; ++i)
    anna = fake_mesh::user_of(1, {1, 3}, i);
  change({1, 3});
  attach(3, anna, 10);
  CHECK_EQUAL(where(anna), "1@3");
  change({1, 2, 3});
  MESSAGE("its node may not see yet that the home is elsewhere");
  CHECK_EQUAL(where(anna), "1@3");
  say(3, wire::release{0, anna});
  CHECK_EQUAL(where(anna), "-");
  MESSAGE("a report that was under way makes a record that its release ends");
  wire::hold x;
  x.user = anna;
  x.seats = {{"/", 10}};
  say(3, x);
  say(3, wire::release{0, anna});
  CHECK_EQUAL(where(anna), "-");
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

// -- views while somebody joins -----------------------------------------------

TEST(a home that is lost while it is asked is followed by another one) {
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  auto* a = join(here, "c1");
  auto* b = join(there, "c2");
  others.kinds();
  change({1, 3});
  CHECK_EQUAL(where(here), "1@1");
  auto asked = others.take<wire::attach>(3);
  REQUIRE_EQUAL(asked.size(), 2u);
  for (const auto& each : asked) {
    CHECK_EQUAL(each.home, each.user == there);
    answer(3, each);
  }
  CHECK_EQUAL(outcome(a), "none");
  CHECK_EQUAL(outcome(b), "none");
}

TEST(a node that was asked before it was the home is asked again) {
  others.agreed = false;
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  auto* a = join(here, "c1");
  auto* b = join(there, "c2");
  for (const auto& each : others.take<wire::attach>(3)) {
    CHECK(!each.home);
    answer(3, each);
  }
  others.kinds();
  CHECK_EQUAL(outcome(a), "-");
  change({1, 3});
  MESSAGE("whoever is the home now must have the user in its record");
  CHECK_EQUAL(where(here), "1@1");
  auto asked = others.take<wire::attach>(3);
  auto home = std::find_if(asked.begin(), asked.end(),
                           [&](const auto& x) { return x.user == there; });
  REQUIRE(home != asked.end());
  CHECK(home->home);
  for (const auto& each : asked)
    answer(3, each);
  CHECK_EQUAL(outcome(a), "none");
  CHECK_EQUAL(outcome(b), "none");
}

TEST(an old answer does not speak for a new question) {
  others.agreed = false;
  auto there = at(2, 2, 3);
  auto* x = join(there, "c1");
  auto old = others.one<wire::attach>(3);
  change({1, 3});
  auto again = others.take<wire::attach>(3);
  REQUIRE_EQUAL(again.size(), 1u);
  answer(3, old);
  CHECK_EQUAL(outcome(x), "-");
  answer(3, again[0], ec::too_many_connections);
  CHECK_EQUAL(outcome(x), "too_many_connections");
}

TEST(a home that is no longer one lets go of who was joining) {
  change({1, 3});
  others.agreed = true;
  auto there = at(2, 2, 3);
  auto* x = join(there, "c1");
  REQUIRE_EQUAL(others.take<wire::attach>(3).size(), 1u);
  change({1, 2, 3});
  for (uint16_t node : {2, 3})
    for (const auto& each : others.take<wire::attach>(node)) {
      CHECK_EQUAL(each.home, node == 2);
      answer(node, each);
    }
  CHECK_EQUAL(outcome(x), "none");
  CHECK_EQUAL(others.take<wire::detach>(3).size(), 1u);
}

TEST(who left while a home was lost is known nowhere) {
  auto here = at(2, 2, 1);
  auto* x = join(here, "c1");
  tell(presence_detach{here, "c1"});
  CHECK_EQUAL(others.take<wire::detach>(2).size(), 1u);
  change({1, 3});
  CHECK(others.take<wire::attach>(3).empty());
  CHECK_EQUAL(outcome(x), "-");
  CHECK_EQUAL(where(here), "-");
}

TEST(a new view raises the version floor) {
  change({1, 2, 3});
  auto anna = at(1);
  attach(2, anna, 10);
  auto before = version(anna);
  change({1, 3});
  CHECK(version(anna) >= others.floor);
  CHECK(version(anna) > before);
}

CAF_TEST_FIXTURE_SCOPE_END()
