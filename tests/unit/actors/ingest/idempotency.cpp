#include "actors/ingest/idempotency.hpp"

#include <algorithm>

#include "tests/support/check.hpp"

using namespace signalbox;

TEST(a key is known for the whole window and not longer) {
  idempotency x{10, 1000};
  CHECK(x.find("k", 0) == nullptr);
  REQUIRE(x.insert("k", 0) != nullptr);
  x.find("k", 0)->id = "first";
  CHECK_EQUAL(x.find("k", 999)->id, "first");
  CHECK(x.find("k", 1000) == nullptr);
  CHECK_EQUAL(x.size(), 0u);
}

TEST(a full table refuses a new key and forgets none) {
  idempotency x{2, 1000};
  REQUIRE(x.insert("a", 0) != nullptr);
  REQUIRE(x.insert("b", 500) != nullptr);
  CHECK(x.insert("c", 999) == nullptr);
  CHECK(x.find("a", 999) != nullptr);
  MESSAGE("the oldest has expired");
  CHECK(x.insert("c", 1000) != nullptr);
}

TEST(a repeat does not make a key live longer) {
  idempotency x{10, 1000};
  x.insert("k", 0);
  for (auto now : {300, 600, 900})
    CHECK(x.find("k", now) != nullptr);
  CHECK(x.find("k", 1000) == nullptr);
  MESSAGE("and it may come again as a new one");
  REQUIRE(x.insert("k", 1000) != nullptr);
  CHECK(x.find("k", 1999) != nullptr);
  CHECK(!x.find("k", 1999)->done);
}

TEST(a key that was erased comes again as a new one) {
  idempotency x{1, 1000};
  x.insert("k", 0);
  x.erase("k");
  CHECK(x.find("k", 1) == nullptr);
  REQUIRE(x.insert("k", 500) != nullptr);
  MESSAGE("and lives its own time");
  CHECK(x.find("k", 1000) != nullptr);
  CHECK(x.find("k", 1500) == nullptr);
  CHECK_EQUAL(x.size(), 0u);
}

TEST(a key of another node lives as long as it would there) {
  idempotency x{10, 1000};
  x.insert("old", 0);
  REQUIRE(x.insert("given", 100, 200) != nullptr);
  CHECK(x.find("given", 299) != nullptr);
  CHECK(x.find("given", 300) == nullptr);
  CHECK(x.find("old", 300) != nullptr);
  MESSAGE("and no longer than the window");
  x.insert("longer", 400, 5000);
  CHECK(x.find("longer", 1399) != nullptr);
  CHECK(x.find("longer", 1400) == nullptr);
}

TEST(repeats that wait for a key are told when its time is over) {
  std::string told;
  idempotency x{10, 1000, [&told](const auto& tickets) {
                  for (auto ticket : tickets)
                    told += std::to_string(ticket) + ' ';
                }};
  x.insert("a", 0)->waiting = {1, 2};
  x.insert("b", 100)->waiting = {3};
  x.insert("c", 200);
  x.insert("given", 300, 100)->waiting = {4};
  CHECK(x.find("given", 400) == nullptr);
  CHECK_EQUAL(told, "4 ");
  CHECK(x.find("c", 1100) != nullptr);
  CHECK_EQUAL(told, "4 1 2 3 ");
  MESSAGE("but not when it is erased, or nothing waits for it");
  x.find("c", 1100)->waiting = {5};
  x.erase("c");
  x.insert("d", 1200);
  x.find("d", 9000);
  CHECK_EQUAL(told, "4 1 2 3 ");
}

TEST(keys are walked over some at a time) {
  idempotency x{10, 1000};
  std::string seen;
  auto look = [&seen](const std::string& key, const idempotency::entry&) {
    seen += key;
  };
  for (const auto* key : {"a", "b", "c", "d", "e"})
    x.insert(key, 0);
  x.erase("b");
  uint64_t position = 0;
  CHECK(x.walk(position, 3, 1, look));
  CHECK_EQUAL(seen, "ac");
  MESSAGE("one that comes meanwhile is the last");
  x.insert("f", 500);
  CHECK(!x.walk(position, 3, 500, look));
  CHECK_EQUAL(seen, "acdef");
  MESSAGE("what has expired is passed over");
  position = 0;
  x.insert("g", 1100);
  CHECK(!x.walk(position, 3, 1100, look));
  CHECK_EQUAL(seen, "acdeffg");
}

TEST(keys that were erased take no room) {
  idempotency x{5, 1000};
  std::string seen;
  auto look = [&seen](const std::string& key, const idempotency::entry&) {
    seen += key;
  };
  x.insert("a", 0);
  for (int i = 0; i < 1000; ++i) {
    REQUIRE(x.insert("k", i / 10) != nullptr);
    x.erase("k");
  }
  x.insert("b", 200);
  uint64_t position = 0;
  CHECK(!x.walk(position, 11, 200, look));
  CHECK_EQUAL(seen, "ab");
  MESSAGE("and the others still end in time");
  CHECK(x.find("a", 999) != nullptr);
  CHECK(x.find("a", 1000) == nullptr);
  CHECK(x.find("b", 1199) != nullptr);
  CHECK(x.find("b", 1200) == nullptr);
  CHECK_EQUAL(x.size(), 0u);
}

TEST(a walk misses no key when those that were erased are dropped) {
  idempotency x{5, 1000};
  std::string seen;
  auto look = [&seen](const std::string& key, const idempotency::entry&) {
    seen += key;
  };
  for (const auto* key : {"a", "b", "c"})
    x.insert(key, 0);
  uint64_t position = 0;
  CHECK(x.walk(position, 2, 0, look));
  CHECK_EQUAL(seen, "ab");
  x.erase("a");
  for (int i = 0; i < 20; ++i) {
    x.insert("k", 1);
    x.erase("k");
  }
  x.insert("d", 1);
  seen.clear();
  while (x.walk(position, 2, 1, look))
    ;
  CHECK(seen.find("c") != seen.npos);
  CHECK(seen.find("d") != seen.npos);
  CHECK(seen.find("a") == seen.npos);
  MESSAGE("a key that comes again at the same time is seen once");
  seen.clear();
  x.insert("e", 1);
  x.erase("e");
  x.insert("e", 1);
  position = 0;
  while (x.walk(position, 2, 1, look))
    ;
  CHECK_EQUAL(std::count(seen.begin(), seen.end(), 'e'), 1);
}
