#include "transports/codec/short_text.hpp"

#include <unordered_map>

#include "tests/support/check.hpp"

using namespace signalbox::codec;

TEST(a short text is the text it was made of) {
  short_text<4> x = "abcd";
  CHECK(x == "abcd");
  CHECK(x != "abc");
  CHECK(x == short_text<4>{std::string{"abcd"}});
  CHECK(!x.empty());
  x = "";
  CHECK(x.empty());
  CHECK(x == std::string_view{});
}

TEST(a text that does not fit is refused) {
  auto refused = false;
  try {
    (void)short_text<4>{"abcde"};
  } catch (const std::length_error&) {
    refused = true;
  }
  CHECK(refused);
}

TEST(tables are searched with any text) {
  std::unordered_map<connection_id, int, connection_id::hash, std::equal_to<>>
    table;
  table.emplace("a", 1);
  table.emplace("b", 2);
  CHECK_EQUAL(table.find(std::string_view{"b"})->second, 2);
  CHECK(table.find(std::string{"c"}) == table.end());
}

TEST(a rare text is there or empty) {
  rare_text x;
  CHECK_EQUAL(std::string_view{x}, "");
  x = std::string{"info"};
  CHECK_EQUAL(std::string_view{x}, "info");
  x = "";
  CHECK_EQUAL(std::string_view{x}, "");
}
