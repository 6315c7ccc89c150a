#include "transports/net/kept_links.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

struct fixture {
  fixture() {
    make({4000, 28});
  }

  ~fixture() {
    links.reset();
    for (auto fd : peers)
      ::close(fd);
  }

  void make(const kept_links::options& opts) {
    links.emplace(home, opts);
  }

  /// Makes a connection and returns it; its other end is the last of `peers`.
  kept_links::link open() {
    std::array<int, 2> both{};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, both.data()) != 0)
      CAF_FAIL("socketpair");
    peers.push_back(both[1]);
    return {std::make_unique<stream>(home, both[0], nullptr),
            home.wheel().now()};
  }

  void keep(const std::string& server = "a") {
    links->keep(server, open());
  }

  bool takes(const std::string& server = "a") {
    last = links->take(server);
    return last.io != nullptr;
  }

  void advance(int64_t ms) {
    home.wheel().advance(home.wheel().now() + ms);
  }

  /// Keeps connections without a surprise until the server is proven.
  void prove() {
    keep();
    advance(kept_links::proof_ms);
  }

  void say(int fd, std::string_view bytes = "x") {
    CHECK_EQUAL(::write(fd, bytes.data(), bytes.size()),
                static_cast<ssize_t>(bytes.size()));
  }

  bool hung_up(int fd) {
    char byte;
    return ::recv(fd, &byte, 1, 0) == 0;
  }

  void settle() {
    for (auto i = 0; i < 10; ++i)
      home.poll();
  }

  loop home{0};
  std::optional<kept_links> links;
  std::vector<int> peers;
  kept_links::link last;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(kept_links_tests, fixture)

TEST(a connection is given out after it was quiet) {
  keep();
  CHECK(!takes());
  advance(kept_links::unproven_quiet_ms - 1);
  CHECK(!takes());
  advance(1);
  CHECK(takes());
  CHECK(!takes());
}

TEST(a proven server needs but a moment) {
  prove();
  keep();
  CHECK(!takes());
  advance(kept_links::quiet_ms);
  CHECK(takes());
}

TEST(connections are those of their server) {
  keep("a");
  advance(kept_links::unproven_quiet_ms);
  CHECK(!takes("b"));
  CHECK(takes("a"));
}

TEST(a byte ends all connections of its server and keeps others away) {
  keep();
  keep();
  keep("b");
  say(peers[0]);
  settle();
  CHECK_EQUAL(links->size(), 1u);
  CHECK(hung_up(peers[1]));
  MESSAGE("none is kept for a while");
  keep();
  CHECK(hung_up(peers[3]));
  advance(kept_links::distrust_ms - 1);
  keep();
  CHECK(hung_up(peers[4]));
  advance(1);
  keep();
  MESSAGE("then it has to prove itself again");
  advance(kept_links::quiet_ms);
  CHECK(!takes());
  advance(kept_links::unproven_quiet_ms);
  CHECK(takes());
}

TEST(a byte that the loop has not seen is seen when asked for) {
  keep();
  keep();
  advance(kept_links::unproven_quiet_ms);
  say(peers[1]);
  CHECK(!takes());
  CHECK(hung_up(peers[0]));
  CHECK_EQUAL(links->size(), 0u);
}

TEST(an end costs one connection only) {
  keep();
  keep();
  advance(kept_links::unproven_quiet_ms);
  ::shutdown(peers[1], SHUT_WR);
  CHECK(takes());
  CHECK_EQUAL(links->size(), 0u);
  last = {};
  CHECK(hung_up(peers[0]));
  keep();
  CHECK_EQUAL(links->size(), 1u);
}

TEST(connections end by age and idleness and number) {
  make({2000, 2});
  keep();
  advance(1999);
  CHECK_EQUAL(links->size(), 1u);
  advance(20);
  CHECK_EQUAL(links->size(), 0u);
  CHECK(hung_up(peers[0]));
  MESSAGE("one too many is not kept");
  keep();
  keep();
  keep();
  CHECK_EQUAL(links->size(), 2u);
  CHECK(hung_up(peers[3]));
  advance(2020);
  MESSAGE("an old one is not kept");
  auto old = open();
  old.born -= kept_links::life_ms;
  links->keep("a", std::move(old));
  CHECK(hung_up(peers[4]));
  MESSAGE("nor any if none may idle");
  make({0, 28});
  keep();
  CHECK(hung_up(peers[5]));
}

CAF_TEST_FIXTURE_SCOPE_END()
