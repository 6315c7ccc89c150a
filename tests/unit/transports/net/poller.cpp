#include "transports/net/stream.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

/// A stream whose other end is the test's.
struct end {
  explicit end(loop& home) {
    std::array<int, 2> both{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both.data()) != 0)
      CAF_FAIL("socketpair");
    peer = both[1];
    io = std::make_unique<stream>(home, both[0], nullptr);
  }

  ~end() {
    hang_up();
  }

  void say(char x) const {
    CAF_REQUIRE_EQUAL(::write(peer, &x, 1), 1);
  }

  void hang_up() {
    if (peer >= 0)
      ::close(std::exchange(peer, -1));
  }

  int peer = -1;
  std::unique_ptr<stream> io;
};

struct fixture {
  /// Runs the ready sockets. Returns false if that has no end.
  bool settle() {
    for (auto i = 0; i < 100; ++i)
      if (home->poll() == 0)
        return true;
    return false;
  }

  std::optional<loop> home{std::in_place, 0};
  int called = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(poller_tests, fixture)

TEST(whoever waits is told once) {
  end x{*home};
  x.io->wait_readable([this] { ++called; });
  CHECK(settle());
  CHECK_EQUAL(called, 0);
  x.say('a');
  CHECK(settle());
  CHECK_EQUAL(called, 1);
  MESSAGE("what is not read is no reason to be told without asking");
  CHECK(settle());
  CHECK_EQUAL(called, 1);
  MESSAGE("and one to be told at once who asks");
  x.io->wait_readable([this] { ++called; });
  CHECK(settle());
  CHECK_EQUAL(called, 2);
}

TEST(both directions are told) {
  end x{*home};
  std::string order;
  x.say('a');
  x.io->wait_readable([&] { order += 'r'; });
  x.io->wait_writable([&] { order += 'w'; });
  CHECK(settle());
  CHECK_EQUAL(order.size(), 2u);
  CHECK(order.find('r') != order.npos);
  CHECK(order.find('w') != order.npos);
}

TEST(a peer that hangs up while nobody waits costs nothing) {
  end x{*home};
  x.io->wait_readable([this] { ++called; });
  x.say('a');
  CHECK(settle());
  x.hang_up();
  CHECK(settle());
  CHECK_EQUAL(called, 1);
  MESSAGE("and is told to the next who waits");
  x.io->wait_readable([this] { ++called; });
  CHECK(settle());
  CHECK_EQUAL(called, 2);
}

TEST(a stream that one callback closes gets none) {
  end x{*home};
  end y{*home};
  auto close_other = [this](end& other) {
    ++called;
    other.io->close();
  };
  x.io->wait_readable([&] { close_other(y); });
  y.io->wait_readable([&] { close_other(x); });
  x.say('a');
  y.say('a');
  CHECK(settle());
  CHECK_EQUAL(called, 1);
}

TEST(a stream may go from within its own callback) {
  end x{*home};
  x.io->wait_writable([this] { ++called; });
  x.io->wait_readable([&] {
    ++called;
    x.io.reset();
  });
  x.say('a');
  x.hang_up();
  CHECK(settle());
  CHECK(called >= 1);
  CHECK(x.io == nullptr);
}

TEST(a stream goes on at another loop) {
  loop other{1};
  end x{*home};
  x.io->leave();
  x.io->resume(other);
  x.io->wait_readable([this] { ++called; });
  x.say('a');
  CHECK(settle());
  CHECK_EQUAL(called, 0);
  for (auto i = 0; i < 10; ++i)
    other.poll();
  CHECK_EQUAL(called, 1);
}

TEST(the end of a loop drops what waits) {
  auto owner = std::make_shared<end>(*home);
  std::weak_ptr<end> watch = owner;
  owner->io->wait_readable([owner] {});
  owner->io->wait_writable([owner] {});
  owner.reset();
  CHECK(!watch.expired());
  home.reset();
  CHECK(watch.expired());
}

CAF_TEST_FIXTURE_SCOPE_END()
