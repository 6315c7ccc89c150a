#include "transports/net/spread.hpp"

#include "transports/net/loop.hpp"

#include <memory>

#include "tests/support/check.hpp"

using namespace signalbox::net;

TEST(each has a turn within the time and none twice) {
  loop home{0};
  spread x{home};
  std::vector<size_t> turns;
  auto alive = std::make_shared<int>();
  x.start(10, 1000, [&turns, alive](size_t i) { turns.push_back(i); });
  CHECK_EQUAL(turns, std::vector<size_t>{0});
  auto at = home.wheel().now();
  size_t half = 0;
  for (auto ms = 0; ms <= 1200; ms += 10) {
    home.wheel().advance(at + ms);
    if (ms == 500)
      half = turns.size();
  }
  CHECK(half >= 4 && half <= 7);
  CHECK_EQUAL(turns, (std::vector<size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  CHECK_EQUAL(alive.use_count(), 1);
}

TEST(a lone one does not wait) {
  loop home{0};
  spread x{home};
  size_t turns = 0;
  x.start(1, 60000, [&](size_t) { ++turns; });
  CHECK_EQUAL(turns, 1u);
  x.start(0, 60000, [&](size_t) { ++turns; });
  CHECK_EQUAL(turns, 1u);
}

TEST(those left have no turn after a cancel) {
  loop home{0};
  spread x{home};
  size_t turns = 0;
  x.start(10, 1000, [&](size_t) { ++turns; });
  x.cancel();
  home.wheel().advance(home.wheel().now() + 2000);
  CHECK_EQUAL(turns, 1u);
}
