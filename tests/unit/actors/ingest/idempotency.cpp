#include "actors/ingest/idempotency.hpp"

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
