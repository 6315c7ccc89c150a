#include "actors/site_auth/verdict_cache.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

struct fixture {
  void add(const char* key, const char* user, int64_t until) {
    verdict x;
    x.user = user;
    cache.add(key, std::move(x), until);
  }

  std::string user(const char* key, int64_t now) const {
    const auto* x = cache.find(key, now);
    return x == nullptr ? "" : x->user;
  }

  verdict_cache cache{2};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(verdict_cache_tests, fixture)

TEST(a verdict holds until its time is over) {
  add("a", "anna", 1000);
  CHECK_EQUAL(user("a", 999), "anna");
  CHECK_EQUAL(user("a", 1000), "");
  CHECK_EQUAL(user("b", 0), "");
}

TEST(what has expired is dropped and the next time told) {
  CHECK_EQUAL(cache.expire(0), 0);
  add("a", "anna", 1000);
  add("b", "ben", 1500);
  CHECK_EQUAL(cache.expire(999), 1000);
  CHECK_EQUAL(cache.size(), 2u);
  CHECK_EQUAL(cache.expire(1000), 1500);
  CHECK_EQUAL(cache.size(), 1u);
  CHECK_EQUAL(user("b", 1000), "ben");
  CHECK_EQUAL(cache.expire(1500), 0);
  CHECK_EQUAL(cache.size(), 0u);
}

TEST(the oldest makes room) {
  add("a", "anna", 1000);
  add("b", "ben", 1100);
  add("c", "carla", 1200);
  CHECK_EQUAL(cache.size(), 2u);
  CHECK_EQUAL(user("a", 0), "");
  CHECK_EQUAL(user("b", 0), "ben");
  CHECK_EQUAL(user("c", 0), "carla");
}

TEST(a new verdict takes the place of an old one) {
  add("a", "anna", 1000);
  add("b", "ben", 1100);
  add("a", "alma", 1200);
  CHECK_EQUAL(cache.size(), 2u);
  CHECK_EQUAL(user("a", 1100), "alma");
  CHECK_EQUAL(cache.expire(1100), 1200);
}

CAF_TEST_FIXTURE_SCOPE_END()
