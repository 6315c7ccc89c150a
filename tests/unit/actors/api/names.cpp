#include "actors/api/names.hpp"

#include "transports/codec/json_scan.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::string_literals;

namespace {

constexpr size_t most = 24;

/// Returns the id of a literal, or why it is none behind a question mark.
std::string id(std::string_view literal) {
  REQUIRE(codec::scan_json(literal, {}));
  std::string out;
  auto why = read_id(literal, most, out);
  return why ? "?" + *why : out;
}

std::string name(std::string_view literal) {
  std::string out;
  auto why = read_name(literal, most, out);
  return why ? "?" + *why : out;
}

struct row {
  std::string_view literal;
  std::string_view id;
};

constexpr row ids[] = {
  // Strings are taken as they are.
  {R"("anna")", "anna"},
  {R"(" a b ")", " a b "},
  {R"("a/b\"c\\")", "a/b\"c\\"},
  {R"("\u0061")", "a"},
  {R"("é")", "\xC3\xA9"},
  {R"("\u00e9")", "\xC3\xA9"},
  // The other form of the same letter is another id.
  {R"("e\u0301")", "e\xCC\x81"},
  {R"("\ud83d\ude00")", "\xF0\x9F\x98\x80"},
  {R"("\ufffd")", "\xEF\xBF\xBD"},
  {R"("123456789012345678901234")", "123456789012345678901234"},
  {R"("0017")", "0017"},
  {R"("1e3")", "1e3"},
  // Integers of 64 bits, exactly.
  {"17", "17"},
  {"0", "0"},
  {"-17", "-17"},
  {"9007199254740993", "9007199254740993"},
  {"9223372036854775807", "9223372036854775807"},
  {"18446744073709551615", "18446744073709551615"},
  {"-9223372036854775808", "-9223372036854775808"},
  // Everything else is refused, and told.
  {"18446744073709551616",
   "?it is an integer of more than 64 bits; give it as a string"},
  {"-9223372036854775809",
   "?it is an integer of more than 64 bits; give it as a string"},
  {"-0", "?it is -0; give 0"},
  {"1.0", "?it is no integer; give one without fraction and exponent, or a "
          "string"},
  {"1e3", "?it is no integer; give one without fraction and exponent, or a "
          "string"},
  {R"("")", "?it is empty"},
  {R"("1234567890123456789012345")",
   "?it has 25 bytes; 24 are allowed (limits.name-bytes)"},
  {R"("\ud800")", "?it has half of a surrogate pair, which is no character"},
  {R"("\udfff")", "?it has half of a surrogate pair, which is no character"},
  {R"("a\ude00\ud83d")",
   "?it has half of a surrogate pair, which is no character"},
  {R"("a\u0000")", "?it has the control character U+0000"},
  {R"("a\nb")", "?it has the control character U+000A"},
  {R"("\u001f")", "?it has the control character U+001F"},
  {R"("\u007f")", "?it has the control character U+007F"},
  {R"("\u0085")", "?it has the control character U+0085"},
  {R"("\u009f")", "?it has the control character U+009F"},
  {R"("\u00a0")", "\xC2\xA0"},
  {"null", "?it is null; give a string or an integer"},
  {"true", "?it is a boolean; give a string or an integer"},
  {"[1]", "?it is an array; give a string or an integer"},
  {R"({"id":1})", "?it is an object; give a string or an integer"},
};

} // namespace

TEST(an id is a name or an integer) {
  for (const auto& each : ids)
    CHECK_EQUAL(id(each.literal), each.id);
}

TEST(a name is no integer) {
  CHECK_EQUAL(name(R"("17")"), "17");
  CHECK_EQUAL(name("17"), "?it is a number; give a string");
  CHECK_EQUAL(name("null"), "?it is null; give a string");
}

TEST(a label may have control characters) {
  auto label = [](std::string_view literal) {
    std::string out;
    auto why = read_label(literal, most, out);
    return why ? "?" + *why : out;
  };
  CHECK(label(R"("a\u0000\n")") == "a\0\n"s);
  CHECK_EQUAL(label(R"("")"), "?it is empty");
  CHECK_EQUAL(label(R"("\ud800")"),
              "?it has half of a surrogate pair, which is no character");
  CHECK_EQUAL(label("17"), "?it is a number; give a string");
  CHECK_EQUAL(label(R"("1234567890123456789012345")"),
              "?it has 25 bytes; 24 are allowed");
}

TEST(bytes are a name as far as they are text) {
  auto check = [](std::string_view x) {
    return check_name(x, most).value_or("");
  };
  CHECK_EQUAL(check("anna"), "");
  CHECK_EQUAL(check("\xC3\xA9"), "");
  CHECK_EQUAL(check(""), "it is empty");
  CHECK_EQUAL(check("a\xFF"), "it is no well-formed UTF-8");
  MESSAGE("a surrogate in three bytes, and an overlong slash");
  CHECK_EQUAL(check("\xED\xA0\x80"), "it is no well-formed UTF-8");
  CHECK_EQUAL(check("\xC0\xAF"), "it is no well-formed UTF-8");
  CHECK_EQUAL(check("a\0b"s), "it has the control character U+0000");
  CHECK_EQUAL(check(std::string(25, 'x')),
              "it has 25 bytes; 24 are allowed (limits.name-bytes)");
}
