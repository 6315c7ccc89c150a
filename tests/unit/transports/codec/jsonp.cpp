#include "transports/codec/jsonp.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::codec;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  quote_script(text, out);
  return out;
}

} // namespace

TEST(only the digits of an index get into a script) {
  CHECK_EQUAL(script_index("0").value_or(""), "0");
  CHECK_EQUAL(script_index("1a2<s>").value_or(""), "12");
  CHECK_EQUAL(script_index("0);alert(1)//").value_or(""), "01");
  CHECK_EQUAL(script_index("12345678901234").value_or(""), "1234567890");
  CHECK(!script_index(""));
  CHECK(!script_index("x"));
}

TEST(no text ends the script it stands in) {
  CHECK_EQUAL(quoted("2:40"), R"("2:40")");
  CHECK_EQUAL(quoted(R"(42["a\nb"])"), R"("42[\"a\\nb\"]")");
  CHECK_EQUAL(quoted("</script><!--"), R"("<\/script>\u003c!--")");
  CHECK_EQUAL(quoted("\xE2\x80\xA8\xE2\x80\xA9\xE2\x82\xAC"),
              "\"\\u2028\\u2029\xE2\x82\xAC\"");
}

TEST(the payload is a field of the form) {
  CHECK_EQUAL(form_data("d=14%3A42%5B%22echo%22%2C%22x%22%5D").value_or(""),
              R"(14:42["echo","x"])");
  CHECK_EQUAL(form_data("x=1&d=a+b").value_or(""), "a b");
  CHECK(!form_data("x=1"));
  CHECK(!form_data(""));
}

TEST(line ends come through a form) {
  CHECK_EQUAL(restore_newlines(R"(a\nb)"), "a\nb");
  CHECK_EQUAL(restore_newlines(R"(a\\nb)"), R"(a\nb)");
  CHECK_EQUAL(restore_newlines(R"(a\\\nb)"), R"(a\\nb)");
  CHECK_EQUAL(restore_newlines(R"(\\\\n)"), R"(\\\n)");
  CHECK_EQUAL(restore_newlines(R"(a\\b\"c\)"), R"(a\\b\"c\)");
}
