#include "transports/net/address_limiter.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

using verdict = address_limiter::verdict;

} // namespace

TEST(connections of one address are counted at a time and by the second) {
  address_limiter x{2, 3, false};
  CHECK(x.enter("192.0.2.1", 1) == verdict::admitted);
  CHECK(x.enter("::ffff:192.0.2.1", 1) == verdict::admitted);
  CHECK(x.enter("192.0.2.1", 1) == verdict::too_many);
  CHECK(x.enter("192.0.2.2", 1) == verdict::admitted);
  x.leave(*x.find("192.0.2.1"));
  CHECK(x.enter("192.0.2.1", 1) == verdict::admitted);
  x.leave(*x.find("192.0.2.1"));
  CHECK(x.enter("192.0.2.1", 1) == verdict::too_fast);
  CHECK(x.enter("192.0.2.1", 2) == verdict::admitted);
}

TEST(a client of IPv6 is all its addresses) {
  address_limiter x{1, 10, false};
  CHECK(x.enter("2001:db8::1", 1) == verdict::admitted);
  CHECK(x.enter("2001:db8::ffff:2", 1) == verdict::too_many);
  CHECK(x.enter("2001:db8:0:1::1", 1) == verdict::admitted);
}

TEST(sessions behind a proxy count as connections too) {
  address_limiter x{2, 10, false, 3};
  address_limiter::entry* at = nullptr;
  auto enter = [&](bool proxied) {
    return x.enter_session("192.0.2.1", proxied, 1, at);
  };
  CHECK(enter(true) == verdict::admitted);
  CHECK(enter(true) == verdict::admitted);
  CHECK(enter(true) == verdict::too_many);
  CHECK(x.enter("192.0.2.1", 1) == verdict::too_many);
  // One that comes directly has its connection counted already.
  CHECK(enter(false) == verdict::admitted);
  CHECK(enter(false) == verdict::crowded);
  REQUIRE(at != nullptr);
  x.leave_session(*at, true);
  CHECK(enter(true) == verdict::admitted);
}

TEST(what still counts outlives the sweep) {
  address_limiter x{1, 10, false, 1};
  address_limiter::entry* at = nullptr;
  CHECK(x.enter_session("192.0.2.1", false, 1, at) == verdict::admitted);
  CHECK(x.enter("192.0.2.2", 100) == verdict::admitted);
  CHECK(x.enter_session("192.0.2.1", false, 200, at) == verdict::crowded);
}

TEST(loopback counts if it is told to) {
  address_limiter::entry* at = nullptr;
  address_limiter free{1, 1, false, 1};
  for (auto i = 0; i < 3; ++i) {
    CHECK(free.enter("127.0.0.5", 1) == verdict::admitted);
    CHECK(free.enter_session("::1", true, 1, at) == verdict::admitted);
    CHECK(at == nullptr);
  }
  address_limiter counted{1, 9, true, 1};
  CHECK(counted.enter("::1", 1) == verdict::admitted);
  CHECK(counted.enter("::1", 1) == verdict::too_many);
}
