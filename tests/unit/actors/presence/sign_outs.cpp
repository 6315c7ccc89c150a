#include "actors/presence/sign_outs.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

TEST(a verdict that was asked for before the sign out is void) {
  sign_outs x{10, 1000};
  CHECK_EQUAL(x.void_before("anna", "/"), 0u);
  x.note("anna", "", 7, 0);
  CHECK_EQUAL(x.void_before("anna", "/"), 7u);
  CHECK_EQUAL(x.void_before("ben", "/"), 0u);
  MESSAGE("the last one counts");
  x.note("anna", "", 9, 1);
  CHECK_EQUAL(x.void_before("anna", "/"), 9u);
  CHECK_EQUAL(x.size(), 1u);
}

TEST(a forgotten sign out makes all older verdicts void) {
  sign_outs x{10, 1000};
  x.note("anna", "", 7, 0);
  x.note("ben", "", 8, 999);
  CHECK_EQUAL(x.void_before("carla", "/"), 0u);
  x.note("dora", "", 9, 1000);
  CHECK_EQUAL(x.size(), 2u);
  CHECK_EQUAL(x.void_before("anna", "/"), 7u);
  CHECK_EQUAL(x.void_before("carla", "/"), 7u);
  CHECK_EQUAL(x.void_before("ben", "/"), 8u);
}

TEST(the oldest is forgotten when there are too many) {
  sign_outs x{2, 1000};
  x.note("a", "", 1, 0);
  x.note("b", "", 2, 0);
  MESSAGE("one that is noted again is the newest");
  x.note("a", "", 3, 0);
  x.note("c", "", 4, 0);
  CHECK_EQUAL(x.size(), 2u);
  CHECK_EQUAL(x.void_before("nobody", "/"), 2u);
  CHECK_EQUAL(x.void_before("a", "/"), 3u);
  CHECK_EQUAL(x.void_before("b", "/"), 2u);
}

TEST(a namespace has sign outs of its own) {
  sign_outs x{10, 1000};
  x.note("anna", "/shop", 7, 0);
  CHECK_EQUAL(x.void_before("anna", "/shop"), 7u);
  CHECK_EQUAL(x.void_before("anna", "/bank"), 0u);
  x.note("anna", "", 9, 0);
  CHECK_EQUAL(x.void_before("anna", "/shop"), 9u);
  CHECK_EQUAL(x.void_before("anna", "/bank"), 9u);
}
