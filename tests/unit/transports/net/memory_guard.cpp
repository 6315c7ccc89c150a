#include "transports/net/memory_guard.hpp"

#include "transports/net/loop.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

struct rig {
  rig() {
    for (size_t i = 0; i < 2; ++i) {
      loops.push_back(std::make_unique<loop>(i));
      guard.add(*loops[i], [this, i](auto& to) {
        for (auto& [name, bytes] : held[i])
          to.push_back({bytes, [this, i, n = name] {
                          ended += n;
                          used -= held[i][n];
                          held[i].erase(n);
                        }});
      });
    }
  }

  void settle() {
    for (auto quiet = 0; quiet < 5; ++quiet)
      for (auto& each : loops)
        if (each->poll() > 0)
          quiet = 0;
  }

  memory_counters count;
  size_t used = 0;
  std::string ended;
  std::map<std::string, size_t> held[2];
  std::vector<std::unique_ptr<loop>> loops;
  memory_guard guard{1000, [this] { return used; }, count};
};

} // namespace

TEST(below the limit nothing happens) {
  rig x;
  x.used = 1000;
  x.held[0]["a"] = 1000;
  x.guard.look();
  x.settle();
  CHECK_EQUAL(x.ended, "");
  CHECK(!x.count.full);
  CHECK_EQUAL(x.count.limit, 1000u);
  CHECK_EQUAL(x.count.used, 1000u);
}

TEST(above it the fullest go until nine tenths are left) {
  rig x;
  x.used = 1100;
  x.held[0]["a"] = 90;
  x.held[1]["b"] = 120;
  x.held[0]["c"] = 80;
  x.held[1]["d"] = 10;
  x.guard.look();
  CHECK(x.count.full);
  x.settle();
  CHECK_EQUAL(x.ended.size(), 2u);
  CHECK(x.ended.find('a') != std::string::npos);
  CHECK(x.ended.find('b') != std::string::npos);
  CHECK_EQUAL(x.count.closed, 2u);
  x.guard.look();
  CHECK(!x.count.full);
}

TEST(nobody else goes before those have gone) {
  rig x;
  x.used = 1100;
  x.held[0]["a"] = 500;
  x.held[1]["b"] = 400;
  x.guard.look();
  x.guard.look();
  x.guard.look();
  x.settle();
  CHECK_EQUAL(x.ended, "a");
}

TEST(without anybody to close new work waits) {
  rig x;
  x.used = 2000;
  x.guard.look();
  x.settle();
  x.guard.look();
  x.settle();
  CHECK(x.count.full);
  CHECK_EQUAL(x.count.closed, 0u);
  x.used = 10;
  x.guard.look();
  CHECK(!x.count.full);
}
