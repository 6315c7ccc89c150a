#include "transports/log/log_queue.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <thread>

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

struct pipe_ends {
  explicit pipe_ends(int flags = 0) {
    REQUIRE_EQUAL(::pipe2(both, O_CLOEXEC | flags), 0);
    ::fcntl(both[1], F_SETPIPE_SZ, 4096);
  }

  ~pipe_ends() {
    ::close(both[0]);
    ::close(both[1]);
  }

  /// Reads until `count` lines have come.
  std::string lines(size_t count) {
    std::string out;
    for (char c = 0; count > 0 && ::read(both[0], &c, 1) == 1;) {
      out += c;
      count -= c == '\n' ? 1 : 0;
    }
    return out;
  }

  int both[2];
};

std::string notice(uint64_t n) {
  return "dropped " + std::to_string(n) + "\n";
}

/// A line of 1,000 bytes.
std::string line(char c) {
  return std::string(999, c) + '\n';
}

} // namespace

TEST(lines are written in their order) {
  pipe_ends to;
  log_queue x{to.both[1], 65536, notice};
  for (auto i = 0; i < 100; ++i)
    x.push(std::to_string(i) + "\n");
  CHECK(x.drain());
  std::string all;
  for (auto i = 0; i < 100; ++i)
    all += std::to_string(i) + "\n";
  CHECK_EQUAL(to.lines(100), all);
  CHECK_EQUAL(x.dropped(), 0u);
}

TEST(a reader that stands still stops nothing and costs the oldest lines) {
  pipe_ends to;
  log_queue x{to.both[1], 10000, notice};
  x.push("first\n");
  x.push(std::string(4096 - 7, 'x') + '\n');
  CHECK(x.drain());
  MESSAGE("the pipe is full, and a line is held by the writer");
  x.push("held\n");
  CHECK(!x.drain());
  for (auto i = 0; i < 50; ++i)
    x.push(line('x'));
  x.push("last\n");
  MESSAGE("there is room for 9 beside the last in the queue");
  CHECK_EQUAL(x.dropped(), 50u - 9);
  MESSAGE("the reader goes on");
  CHECK(to.lines(3).ends_with("x\nheld\n"));
  auto all = to.lines(1 + 9 + 1);
  CHECK(x.drain());
  CHECK(all.starts_with(notice(41)));
  CHECK(all.ends_with("x\nlast\n"));
  MESSAGE("it is told once");
  x.push("later\n");
  CHECK_EQUAL(to.lines(1), "later\n");
}

TEST(a line beyond the bound is kept if it is alone) {
  pipe_ends to;
  log_queue x{to.both[1], 100, notice};
  std::thread writer{[&] {
    x.push(std::string(20000, 'x') + '\n');
    x.drain();
  }};
  CHECK_EQUAL(to.lines(1).size(), 20001u);
  writer.join();
}

TEST(a descriptor that does not block is waited for) {
  pipe_ends to{O_NONBLOCK};
  ::fcntl(to.both[0], F_SETFL, 0);
  log_queue x{to.both[1], 100000, notice};
  for (auto i = 0; i < 20; ++i)
    x.push(line('x'));
  CHECK_EQUAL(to.lines(20).size(), 20000u);
  CHECK(x.drain());
  CHECK_EQUAL(x.dropped(), 0u);
}

TEST(lines to a closed pipe are dropped) {
  pipe_ends to;
  ::close(to.both[0]);
  to.both[0] = -1;
  log_queue x{to.both[1], 100000, notice};
  x.push("one\n");
  CHECK(x.drain());
  CHECK_EQUAL(x.dropped(), 1u);
}

TEST(a destroyed queue leaves its lines behind in the pipe) {
  pipe_ends to;
  {
    log_queue x{to.both[1], 100000, notice};
    x.push("one\n");
    x.push("two\n");
  }
  CHECK_EQUAL(to.lines(2), "one\ntwo\n");
}
