#include "transports/session/transfer_watch.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::session;

namespace {

/// 10 bytes in each 100 ms.
constexpr transfer_rules rules{100, 100, 1000};

} // namespace

TEST(a transfer at the least rate goes on) {
  transfer_watch x{0, 5, 300, rules};
  CHECK_EQUAL(x.wait(0), 300);
  CHECK_EQUAL(x.wait(120), 180);
  CHECK(x.goes_on(120, 5, rules));
  CHECK(x.goes_on(300, 35, rules));
  CHECK_EQUAL(x.wait(300), 100);
  CHECK(x.goes_on(400, 45, rules));
}

TEST(a slower one does not ) {
  transfer_watch x{0, 0, 300, rules};
  CHECK(!x.goes_on(300, 29, rules));
  transfer_watch y{0, 0, 100, rules};
  CHECK(y.goes_on(100, 1000, rules));
  MESSAGE("what it made before does not count");
  CHECK(!y.goes_on(200, 1009, rules));
}

TEST(a late look asks for one window only) {
  transfer_watch x{0, 0, 100, rules};
  CHECK(x.goes_on(5, 0, rules));
  CHECK(x.goes_on(900, 10, rules));
}

TEST(a transfer has an end however fast it is) {
  transfer_watch x{0, 0, 100, rules};
  for (auto now = 100; now < 1000; now += 100)
    CHECK(x.goes_on(now, now, rules));
  CHECK_EQUAL(x.wait(950), 50);
  CHECK(!x.goes_on(1000, 1000, rules));
}
