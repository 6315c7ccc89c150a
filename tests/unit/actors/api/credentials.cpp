#include "actors/api/credentials.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

struct fixture {
  std::vector<key_settings> keys = {
    {"a", "0123456789abcdef", {}, false},
    {"b", "fedcba9876543210-longer", {"/chat", "/news"}, true},
  };
  credentials x{keys};

  /// Returns the index, 9 for none.
  size_t bearer(std::string_view header) const {
    return x.find_bearer(header).value_or(9);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(credentials_tests, fixture)

TEST(a key is found by its exact text) {
  CHECK_EQUAL(x.find("0123456789abcdef").value_or(9), 0u);
  CHECK_EQUAL(x.find("fedcba9876543210-longer").value_or(9), 1u);
  using namespace std::string_view_literals;
  for (auto wrong :
       {""sv, "0123456789abcde"sv, "0123456789abcdef0"sv, "0123456789abcdeF"sv,
        "0123456789abcdef\0"sv, "0123456789abcde\0"sv, "a"sv})
    CHECK(!x.find(wrong));
}

TEST(a header must be a bearer of a key) {
  CHECK_EQUAL(bearer("Bearer 0123456789abcdef"), 0u);
  CHECK_EQUAL(bearer("bearer 0123456789abcdef"), 0u);
  CHECK_EQUAL(bearer("BEARER fedcba9876543210-longer"), 1u);
  for (const auto* wrong :
       {"", "Bearer", "Bearer ", "0123456789abcdef", "Basic 0123456789abcdef",
        "Bearer0123456789abcdef", "Bearer  0123456789abcdef",
        "Bearer 0123456789abcdef "})
    CHECK_EQUAL(bearer(wrong), 9u);
}

TEST(a key posts everywhere unless its namespaces are named) {
  CHECK(x.may_post(0, "/"));
  CHECK(x.may_post(0, "/chat"));
  CHECK(x.may_post(1, "/news"));
  CHECK(!x.may_post(1, "/"));
  CHECK(!x.may_post(1, "/chat/more"));
}

TEST(a credential is read by its index) {
  CHECK_EQUAL(x.at(1).name, "b");
  CHECK(x.at(1).may_target);
}

TEST(without keys nobody has one) {
  keys.clear();
  CHECK(!x.find(""));
  CHECK_EQUAL(bearer("Bearer "), 9u);
}

TEST(publishers without a key have an index of their own) {
  CHECK_EQUAL(x.size(), 3u);
  CHECK_EQUAL(x.publisher(), 2u);
  CHECK(x.may_post(x.publisher(), "/anything"));
  CHECK(!x.at(x.publisher()).may_target);
  MESSAGE("which no key opens, not even none");
  CHECK(!x.find(""));
  CHECK(!x.find_bearer("Bearer "));
  MESSAGE("and that may be bound to namespaces");
  credentials bound{keys, {"/server"}};
  CHECK(bound.may_post(bound.publisher(), "/server"));
  CHECK(!bound.may_post(bound.publisher(), "/"));
}

CAF_TEST_FIXTURE_SCOPE_END()
