#include "transports/codec/json_text.hpp"

#include "transports/codec/json_scan.hpp"

#include <nlohmann/json.hpp>

#include <random>
#include <string>

#include "tests/support/check.hpp"

using namespace signalbox::codec;
using namespace std::string_literals;

namespace {

std::string as_literal(std::string_view text) {
  std::string out;
  quote_json(text, out);
  return out;
}

std::string as_ascii(std::string_view json) {
  std::string out;
  ascii_json(json, out);
  return out;
}

} // namespace

TEST(unquoting undoes every escape) {
  CHECK_EQUAL(unquote_json(R"("")"), "");
  CHECK_EQUAL(unquote_json(R"("plain")"), "plain");
  CHECK_EQUAL(unquote_json(R"("\"\\\/\b\f\n\r\t")"), "\"\\/\b\f\n\r\t");
  CHECK_EQUAL(unquote_json(R"("\u0041\u00e9\u20AC")"), "A\xC3\xA9\xE2\x82\xAC");
  CHECK_EQUAL(unquote_json(R"("\ud83d\ude00")"), "\xF0\x9F\x98\x80");
  CHECK(unquote_json(R"("a\u0000b")") == "a\0b"s);
}

TEST(a lone surrogate becomes the replacement character) {
  CHECK_EQUAL(unquote_json(R"("\ud800")"), "\xEF\xBF\xBD");
  CHECK_EQUAL(unquote_json(R"("\udc00x")"), "\xEF\xBF\xBDx");
  CHECK_EQUAL(unquote_json(R"("\ud800\u0041")"), "\xEF\xBF\xBD"
                                                 "A");
  CHECK_EQUAL(unquote_json(R"("\ud800\n")"), "\xEF\xBF\xBD\n");
  CHECK_EQUAL(unquote_json(R"("\ud800\ud83d\ude00")"),
              "\xEF\xBF\xBD\xF0\x9F\x98\x80");
}

TEST(strict unquoting refuses a lone surrogate) {
  for (const auto* each :
       {R"("\ud800")", R"("\udc00x")", R"("\ud800\u0041")", R"("a\ud800\n")",
        R"("\ud800\ud83d\ude00")", R"("\ude00\ud83d")", R"("\uD83D\")"})
    CHECK_EQUAL(unquote_json_strictly(each).error(), errc::bad_utf8);
  auto pair = unquote_json_strictly(R"("\ud83d\ude00\ufffd")");
  REQUIRE(pair);
  CHECK_EQUAL(*pair, "\xF0\x9F\x98\x80\xEF\xBF\xBD");
}

TEST(quoting escapes what JSON forbids) {
  CHECK_EQUAL(as_literal("a\"b\\c/"), R"("a\"b\\c/")");
  CHECK_EQUAL(as_literal("\b\t\n\f\r\v\x1F\x7F"),
              "\"\\b\\t\\n\\f\\r\\u000b\\u001f\x7F\"");
  CHECK_EQUAL(as_literal("\0"s), R"("\u0000")");
  CHECK_EQUAL(as_literal("\xC3\xA9"), "\"\xC3\xA9\"");
}

TEST(quoting replaces every byte that is not UTF8) {
  CHECK_EQUAL(as_literal("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
  CHECK_EQUAL(as_literal("\xE2\x82"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(quoting and unquoting are inverse) {
  std::mt19937 random{2};
  for (auto n = 0; n < 2000; ++n) {
    std::string text;
    for (auto i = random() % 20; i > 0; --i)
      text += static_cast<char>(random());
    auto literal = as_literal(text);
    CHECK(scan_json(literal, {}));
    auto value = unquote_json(literal);
    CHECK_EQUAL(as_literal(value), literal);
    CHECK_EQUAL(nlohmann::json::parse(literal).get<std::string>(), value);
  }
}

TEST(the ASCII form has escapes for all other characters) {
  CHECK_EQUAL(as_ascii("[\"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\x7F\"]"),
              R"(["a\u00e9\u20ac\ud83d\ude00\u007f"])");
  CHECK_EQUAL(as_ascii("\"\xE2\x80\xA8\""), R"("\u2028")");
  CHECK_EQUAL(as_ascii("\"\xFF\""), R"("\ufffd")");
}
