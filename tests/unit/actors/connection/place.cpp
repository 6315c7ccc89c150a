#include "actors/connection/place.hpp"

#include <cstddef>

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

/// A place whose owner is never asked.
struct fixture {
  alignas(std::max_align_t) std::byte nobody[1]{};
  const std::string nsp = "/";
  place x{reinterpret_cast<connection_impl&>(nobody), nsp};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(place_tests, fixture)

TEST(who has joined since a node was lost is known) {
  x.losses = 2;
  CHECK(x.joined_before(3));
  CHECK(x.joined_before(30000));
  CHECK(!x.joined_before(2));
  CHECK(!x.joined_before(1));
  MESSAGE("also when the count goes round");
  x.losses = static_cast<uint16_t>(65535 + 3);
  CHECK(x.joined_before(65535 + 4));
  CHECK(!x.joined_before(65535));
}

TEST(ack ids count up and each is taken once) {
  CHECK_EQUAL(x.owe(70, 1000, 2).value_or(9), 0u);
  CHECK_EQUAL(x.owe(71, 1000, 2).value_or(9), 1u);
  CHECK_EQUAL(x.settle(1), 71u);
  CHECK_EQUAL(x.settle(1), 0u);
  CHECK_EQUAL(x.settle(0), 70u);
}

TEST(an ack that nobody awaits is for nothing) {
  CHECK_EQUAL(x.settle({}), 0u);
  CHECK_EQUAL(x.settle(0), 0u);
  x.owe(70, 1000, 2);
  CHECK_EQUAL(x.settle(1), 0u);
  CHECK_EQUAL(x.settle({}), 0u);
}

TEST(no more acks are owed than the limit and no id comes twice) {
  x.owe(70, 1000, 2);
  x.owe(71, 1000, 2);
  CHECK(!x.owe(72, 1000, 2));
  x.settle(0);
  CHECK_EQUAL(x.owe(72, 1000, 2).value_or(9), 2u);
}

TEST(acks expire by their own deadlines) {
  x.owe(70, 1000, 9);
  x.owe(71, 500, 9);
  CHECK_EQUAL(x.next_expiry(0), 500);
  CHECK_EQUAL(x.next_expiry(300), 300);
  x.expire(499);
  CHECK_EQUAL(x.next_expiry(0), 500);
  x.expire(500);
  CHECK_EQUAL(x.next_expiry(0), 1000);
  CHECK_EQUAL(x.settle(1), 0u);
  CHECK_EQUAL(x.settle(0), 70u);
  CHECK_EQUAL(x.next_expiry(0), 0);
}

TEST(only who has joined and publishers are inside) {
  using stage = place::stage;
  CHECK(!x.inside());
  x.at = stage::attaching;
  CHECK(!x.inside());
  x.at = stage::joined;
  CHECK(x.inside());
  x.at = stage::publisher;
  CHECK(x.inside());
}

CAF_TEST_FIXTURE_SCOPE_END()
