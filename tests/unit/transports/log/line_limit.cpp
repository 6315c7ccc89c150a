#include "transports/log/line_limit.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

TEST(a cause has one line a second) {
  line_limit x;
  CHECK_EQUAL(x.turn(log_cause::page, 5000), std::string{});
  CHECK(!x.turn(log_cause::page, 5000));
  CHECK(!x.turn(log_cause::page, 5999));
  CHECK(x.turn(log_cause::page, 6000).has_value());
  CHECK_EQUAL(x.left_out(), 2u);
}

TEST(a line tells how many like it were left out) {
  line_limit x;
  x.turn(log_cause::key, 0);
  x.turn(log_cause::key, 1);
  x.turn(log_cause::key, 2);
  CHECK_EQUAL(x.turn(log_cause::key, 1000),
              " (2 more like it were left out before)");
  CHECK_EQUAL(x.turn(log_cause::key, 2000), std::string{});
}

TEST(one cause takes nothing from another) {
  line_limit x;
  for (auto i = 0; i < 1000; ++i)
    x.turn(log_cause::page, i);
  CHECK_EQUAL(x.turn(log_cause::site, 999), std::string{});
}
