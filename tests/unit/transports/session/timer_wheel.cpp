#include "transports/session/timer_wheel.hpp"

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox::session;

namespace {

constexpr time_point start = 1000003;
constexpr auto step = timer_wheel::granularity;

// A timer that counts how often it fired, and may do something then.
struct alarm {
  explicit alarm(timer_wheel& x) : wheel(x) {
    // nop
  }

  void fire() {
    ++fired;
    at = wheel.now();
    if (then)
      then();
  }

  timer_wheel& wheel;
  timer it{make_timer<&alarm::fire>(this)};
  int fired = 0;
  time_point at = 0;
  std::function<void()> then;
};

} // namespace

TEST(a deadline fires once and neither early nor later than a slot) {
  for (time_point delay = 1; delay < 20000; delay += 37) {
    timer_wheel wheel{start};
    alarm x{wheel};
    wheel.arm(x.it, delay);
    CHECK(x.it.armed());
    CHECK_EQUAL(x.it.deadline(), start + delay);
    wheel.advance(start + delay - 1);
    CHECK_EQUAL(x.fired, 0);
    wheel.advance(start + delay + step);
    CHECK_EQUAL(x.fired, 1);
    CHECK(!x.it.armed());
    wheel.advance(start + delay + 40000);
    CHECK_EQUAL(x.fired, 1);
  }
}

TEST(a deadline beyond one turn of the wheel waits for its own turn) {
  timer_wheel wheel{start};
  alarm x{wheel};
  wheel.arm(x.it, 100000);
  for (time_point t = 0; t < 100000; t += 10)
    wheel.advance(start + t);
  CHECK_EQUAL(x.fired, 0);
  wheel.advance(start + 100000 + step);
  CHECK_EQUAL(x.fired, 1);
}

TEST(after a long stop everything due fires and the rest stays) {
  timer_wheel wheel{start};
  alarm near{wheel};
  alarm far{wheel};
  wheel.arm(near.it, 50);
  wheel.arm(far.it, 1000000);
  wheel.advance(start + 900000);
  CHECK_EQUAL(near.fired, 1);
  CHECK_EQUAL(far.fired, 0);
  wheel.advance(start + 1000000 + step);
  CHECK_EQUAL(far.fired, 1);
}

TEST(arming again moves the deadline) {
  timer_wheel wheel{start};
  alarm x{wheel};
  wheel.arm(x.it, 50);
  wheel.arm(x.it, 500);
  wheel.advance(start + 400);
  CHECK_EQUAL(x.fired, 0);
  wheel.arm(x.it, 10);
  wheel.advance(start + 410 + step);
  CHECK_EQUAL(x.fired, 1);
}

TEST(a delay of nothing or less fires with the next slot) {
  timer_wheel wheel{start};
  alarm x{wheel};
  alarm y{wheel};
  wheel.arm(x.it, 0);
  wheel.arm(y.it, -500);
  wheel.advance(start);
  CHECK_EQUAL(x.fired + y.fired, 0);
  wheel.advance(start + 1 + step);
  CHECK_EQUAL(x.fired, 1);
  CHECK_EQUAL(y.fired, 1);
}

TEST(a cancelled or destroyed timer does not fire) {
  timer_wheel wheel{start};
  alarm x{wheel};
  auto y = std::make_unique<alarm>(wheel);
  wheel.arm(x.it, 50);
  wheel.arm(y->it, 50);
  x.it.cancel();
  x.it.cancel();
  y.reset();
  wheel.advance(start + 1000);
  CHECK_EQUAL(x.fired, 0);
}

TEST(a timer may arm itself again while it fires) {
  timer_wheel wheel{start};
  alarm x{wheel};
  x.then = [&] { wheel.arm(x.it, 100); };
  wheel.arm(x.it, 100);
  for (time_point t = 0; t <= 1000; ++t)
    wheel.advance(start + t);
  // Each period is up to one slot longer than asked for.
  CHECK(x.fired >= 8 && x.fired <= 10);
}

TEST(after a stop of a whole turn a timer armed again fires once) {
  timer_wheel wheel{start};
  alarm x{wheel};
  x.then = [&] { wheel.arm(x.it, 1); };
  wheel.arm(x.it, 5);
  wheel.advance(start + 1024 * step);
  CHECK_EQUAL(x.fired, 1);
  wheel.advance(start + 1024 * step + 1 + step);
  CHECK_EQUAL(x.fired, 2);
}

TEST(a timer may cancel and destroy others of its slot) {
  timer_wheel wheel{start};
  alarm first{wheel};
  alarm second{wheel};
  auto third = std::make_unique<alarm>(wheel);
  alarm fourth{wheel};
  first.then = [&] {
    second.it.cancel();
    third.reset();
  };
  for (auto* x : {&first, &second, third.get(), &fourth})
    wheel.arm(x->it, 50);
  wheel.advance(start + 50 + step);
  CHECK_EQUAL(first.fired, 1);
  CHECK_EQUAL(second.fired, 0);
  CHECK_EQUAL(fourth.fired, 1);
}

TEST(a call that throws costs no other timer its deadline) {
  timer_wheel wheel{start};
  alarm late{wheel};
  alarm bad{wheel};
  alarm good{wheel};
  // A whole turn of the wheel later: the same slot, but not yet due.
  wheel.arm(late.it, 50 + 1024 * step);
  wheel.arm(bad.it, 50);
  wheel.arm(good.it, 50);
  bad.then = [] { throw std::runtime_error("bad"); };
  auto thrown = false;
  try {
    wheel.advance(start + 50 + step);
  } catch (const std::runtime_error&) {
    thrown = true;
  }
  CHECK(thrown);
  CHECK_EQUAL(good.fired, 0);
  wheel.advance(start + 50 + 2 * step);
  CHECK_EQUAL(bad.fired, 1);
  CHECK_EQUAL(good.fired, 1);
  CHECK_EQUAL(late.fired, 0);
  wheel.advance(start + 50 + 1025 * step);
  CHECK_EQUAL(late.fired, 1);
}

TEST(a clock that steps back is ignored) {
  timer_wheel wheel{start};
  alarm x{wheel};
  wheel.arm(x.it, 50);
  wheel.advance(start - 100);
  CHECK_EQUAL(wheel.now(), start);
  wheel.advance(start + 50 + step);
  CHECK_EQUAL(x.fired, 1);
}

TEST(many deadlines fire in the order of their slots) {
  timer_wheel wheel{start};
  std::vector<std::unique_ptr<alarm>> all;
  for (time_point i = 0; i < 500; ++i) {
    all.push_back(std::make_unique<alarm>(wheel));
    wheel.arm(all.back()->it, 1 + i * 7919 % 30000);
  }
  for (time_point t = 0; t < 31000; t += 5)
    wheel.advance(start + t);
  for (const auto& x : all) {
    CHECK_EQUAL(x->fired, 1);
    auto late = x->at - x->it.deadline();
    CHECK(late >= 0 && late < step + 5);
  }
}

TEST(a wheel may end before its timers) {
  auto wheel = std::make_unique<timer_wheel>(start);
  alarm x{*wheel};
  alarm y{*wheel};
  wheel->arm(x.it, 50);
  wheel->arm(y.it, 50);
  wheel.reset();
  x.it.cancel();
  CHECK(!x.it.armed());
}

namespace {

// Has a deadline at times, and may go when it fires.
struct sleeper {
  void fire() {
    ++*fired;
    if (then)
      then();
  }

  rare_timer it;
  int* fired = nullptr;
  std::function<void()> then;
};

} // namespace

TEST(a rare deadline is there while it is armed) {
  timer_wheel wheel{start};
  auto fired = 0;
  sleeper x;
  x.fired = &fired;
  CHECK(!x.it.armed());
  x.it.arm<&sleeper::fire>(wheel, &x, 50);
  CHECK(x.it.armed());
  x.it.arm<&sleeper::fire>(wheel, &x, 500);
  wheel.advance(start + 50 + step);
  CHECK_EQUAL(fired, 0);
  wheel.advance(start + 500 + step);
  CHECK_EQUAL(fired, 1);
  CHECK(!x.it.armed());
  x.it.arm<&sleeper::fire>(wheel, &x, 50);
  x.it.cancel();
  wheel.advance(start + 1000);
  CHECK_EQUAL(fired, 1);
}

TEST(whoever has a rare deadline may go when it fires) {
  timer_wheel wheel{start};
  auto fired = 0;
  auto x = std::make_unique<sleeper>();
  x->fired = &fired;
  x->then = [&x] { auto last = std::move(x); };
  x->it.arm<&sleeper::fire>(wheel, x.get(), 50);
  wheel.advance(start + 50 + step);
  CHECK_EQUAL(fired, 1);
  CHECK(x == nullptr);
  MESSAGE("or set it anew");
  sleeper y;
  y.fired = &fired;
  y.then = [&] { y.it.arm<&sleeper::fire>(wheel, &y, 50); };
  y.it.arm<&sleeper::fire>(wheel, &y, 50);
  wheel.advance(start + 200);
  wheel.advance(start + 400);
  CHECK(fired > 2);
  CHECK(y.it.armed());
}
