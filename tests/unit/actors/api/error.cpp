#include "actors/api/error.hpp"

#include <set>
#include <string>

#include "tests/support/check.hpp"

using namespace signalbox;

TEST(every code has a name and a text of its own) {
  std::set<std::string> names;
  std::set<std::string> texts;
  for (uint8_t i = 1; i < static_cast<uint8_t>(ec::count_); ++i) {
    auto x = static_cast<ec>(i);
    CHECK(names.insert(to_string(x)).second);
    CHECK(texts.insert(std::string{describe(x)}).second);
    CHECK(!describe(x).empty());
  }
}

TEST(every refusal has an HTTP status of an error) {
  CHECK_EQUAL(http_status(ec::none), 200u);
  for (uint8_t i = 1; i < static_cast<uint8_t>(ec::count_); ++i) {
    auto status = http_status(static_cast<ec>(i));
    CHECK(status >= 400 && status < 600);
  }
  CHECK_EQUAL(http_status(ec::bad_key), 401u);
  CHECK_EQUAL(http_status(ec::too_large), 413u);
  CHECK_EQUAL(http_status(ec::auth_too_large), 413u);
}

TEST(a code of a newer node reads as one that is known) {
  for (auto x : {ec::count_, static_cast<ec>(255)}) {
    CHECK_EQUAL(to_string(x), std::string{"unavailable"});
    CHECK(!describe(x).empty());
    CHECK_EQUAL(http_status(x), 503u);
  }
  MESSAGE("its number never changes");
  CHECK_EQUAL(static_cast<int>(ec::too_many_connections), 4);
  CHECK_EQUAL(static_cast<int>(ec::idempotency_full), 16);
  CHECK_EQUAL(static_cast<int>(ec::auth_too_large), 24);
}
