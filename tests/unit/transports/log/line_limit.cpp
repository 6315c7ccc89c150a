#include "transports/log/line_limit.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

TEST(a kind of lines has one a second) {
  line_limit x;
  auto before = lines_left_out();
  CHECK_EQUAL(x.turn(5000), std::string{});
  CHECK(!x.turn(5000));
  CHECK(!x.turn(5999));
  CHECK(x.turn(6000).has_value());
  CHECK_EQUAL(lines_left_out() - before, 2u);
}

TEST(or one in another interval) {
  line_limit x{std::chrono::hours{1}};
  CHECK(x.turn(0).has_value());
  CHECK(!x.turn(3599999));
  CHECK(x.turn(3600000).has_value());
}

TEST(a line tells how many like it were left out) {
  line_limit x;
  x.turn(0);
  x.turn(1);
  x.turn(2);
  CHECK_EQUAL(x.turn(1000), " (2 more like it were left out before)");
  CHECK_EQUAL(x.turn(2000), std::string{});
}

TEST(one cause takes nothing from another) {
  for (auto i = 0; i < 1000; ++i)
    log_turn(log_cause::page);
  CHECK_EQUAL(log_turn(log_cause::client), std::string{});
}
