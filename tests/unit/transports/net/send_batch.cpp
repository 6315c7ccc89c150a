#include "transports/net/send_batch.hpp"

#include "transports/net/stream.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox;
using net::send_batch;

namespace {

/// One end that is written to, one that is read.
struct pair : send_batch::writer {
  pair() {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) != 0)
      std::abort();
  }

  ~pair() override {
    for (auto fd : ends)
      ::close(fd);
  }

  void wrote(ssize_t n) override {
    results.push_back(n);
    if (then)
      then();
  }

  std::string read() const {
    std::string out(1 << 20, '\0');
    auto n = ::recv(ends[1], out.data(), out.size(), 0);
    out.resize(n > 0 ? static_cast<size_t>(n) : 0);
    return out;
  }

  std::array<int, 2> ends{};
  std::vector<ssize_t> results;
  std::function<void()> then;
};

using results = std::vector<ssize_t>;

struct fixture {
  /// Runs something with a ring, if there is one, and without.
  template <class F>
  void both(F fun) {
    {
      send_batch plain;
      fun(plain);
    }
    send_batch ring;
    auto why = ring.open_ring();
    if (why.empty())
      fun(ring);
    else
      MESSAGE("no ring here: " << why);
  }

  static void add(send_batch& to, pair& x,
                  const std::vector<std::string>& all) {
    std::vector<iovec> pieces;
    for (const auto& each : all)
      pieces.push_back({const_cast<char*>(each.data()), each.size()});
    to.add(x.ends[0], pieces.data(), pieces.size(), x);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(send_batch_tests, fixture)

TEST(everybody gets what is theirs) {
  both([](send_batch& x) {
    pair a;
    pair b;
    std::vector<std::string> one{"one"};
    std::vector<std::string> more{"two ", "three ", "four"};
    add(x, a, one);
    add(x, b, more);
    CHECK(a.results.empty());
    CHECK_EQUAL(a.read(), "");
    x.submit();
    CHECK_EQUAL(a.results, results{3});
    CHECK_EQUAL(b.results, results{14});
    CHECK_EQUAL(a.read(), "one");
    CHECK_EQUAL(b.read(), "two three four");
    MESSAGE("nothing is left of it");
    x.submit();
    CHECK_EQUAL(a.results, results{3});
  });
}

TEST(one that is full or gone harms no other) {
  both([](send_batch& x) {
    pair full;
    pair gone;
    pair good;
    std::vector<std::string> large{std::string(4 << 20, 'x')};
    std::vector<std::string> small{"small"};
    add(x, full, large);
    x.submit();
    MESSAGE("a part goes out, then nothing");
    REQUIRE_EQUAL(full.results.size(), 1u);
    CHECK(full.results[0] > 0);
    CHECK(full.results[0] < 4 << 20);
    ::shutdown(gone.ends[0], SHUT_RDWR);
    add(x, full, small);
    add(x, gone, small);
    add(x, good, small);
    x.submit();
    CHECK_EQUAL(full.results.back(), net::stream::again);
    CHECK_EQUAL(gone.results, results{net::stream::gone});
    CHECK_EQUAL(good.results, results{5});
    CHECK_EQUAL(good.read(), "small");
    MESSAGE("what went out is what was said");
    CHECK_EQUAL(full.read(),
                std::string(static_cast<size_t>(full.results[0]), 'x')
                  .substr(0, 1 << 20));
  });
}

TEST(a batch has an end) {
  both([](send_batch& x) {
    std::vector<std::unique_ptr<pair>> all;
    std::vector<std::string> text{"x"};
    for (int i = 0; i < 600; ++i) {
      // Many writes, few sockets.
      if (i % 10 == 0)
        all.push_back(std::make_unique<pair>());
      add(x, *all.back(), text);
    }
    CHECK_EQUAL(all.front()->results.size(), 10u);
    CHECK(all.back()->results.empty());
    x.submit();
    for (const auto& each : all) {
      CHECK_EQUAL(each->results, results(10, 1));
      CHECK_EQUAL(each->read(), "xxxxxxxxxx");
    }
  });
}

TEST(who is told may write more) {
  both([](send_batch& x) {
    pair a;
    std::vector<std::string> first{"1"};
    std::vector<std::string> second{"2"};
    a.then = [&] {
      if (a.results.size() == 1)
        add(x, a, second);
    };
    add(x, a, first);
    x.submit();
    CHECK_EQUAL(a.read(), "1");
    x.submit();
    CHECK_EQUAL(a.read(), "2");
    CHECK_EQUAL(a.results, (results{1, 1}));
  });
}

CAF_TEST_FIXTURE_SCOPE_END()
