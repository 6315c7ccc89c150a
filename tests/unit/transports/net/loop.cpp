#include "transports/net/loop.hpp"

#include <chrono>
#include <memory>
#include <thread>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

/// Takes its time to write.
struct writer : loop::flushable {
  explicit writer(size_t& to) : count(to) {
    // nop
  }

  void flush() override {
    auto end = std::chrono::steady_clock::now() + std::chrono::microseconds{50};
    while (std::chrono::steady_clock::now() < end)
      std::this_thread::yield();
    ++count;
  }

  size_t& count;
};

} // namespace

TEST(others have their turn while very many are flushed) {
  loop home{0};
  size_t flushed = 0;
  size_t before = 0;
  for (auto i = 0; i < 2000; ++i)
    home.flush_later(std::make_shared<writer>(flushed));
  home.post([&] { before = flushed; });
  while (home.poll() > 0 && flushed < 2000)
    ;
  CHECK_EQUAL(flushed, 2000u);
  CHECK(before > 0 && before < 2000);
}

TEST(what a turn queues leaves before what earlier turns left) {
  struct witness : loop::flushable {
    explicit witness(const size_t& of) : flushed(of) {
      // nop
    }

    void flush() override {
      seen = flushed;
    }

    const size_t& flushed;
    size_t seen = 0;
  };
  loop home{0};
  size_t flushed = 0;
  auto last = std::make_shared<witness>(flushed);
  for (auto i = 0; i < 2000; ++i)
    home.flush_later(std::make_shared<writer>(flushed));
  home.post([&] { home.flush_later(last); });
  while (home.poll() > 0 && flushed < 2000)
    ;
  CHECK_EQUAL(flushed, 2000u);
  CHECK(last->seen > 0 && last->seen < 1000);
}

TEST(what is flushed again is so in a later turn) {
  struct again : loop::flushable, std::enable_shared_from_this<again> {
    explicit again(loop& x) : home(x) {
      // nop
    }

    void flush() override {
      if (++count < 3)
        home.flush_later(shared_from_this());
    }

    loop& home;
    int count = 0;
  };
  loop home{0};
  auto x = std::make_shared<again>(home);
  home.flush_later(x);
  while (home.poll() > 0 && x->count < 3)
    ;
  CHECK_EQUAL(x->count, 3);
}
