#include "actors/api/log.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

TEST(plain text is logged as it is) {
  CHECK_EQUAL(printable("GET /a?b=c"), "GET /a?b=c");
}

TEST(what could forge a line or a terminal is escaped) {
  CHECK_EQUAL(printable("a\nb"), "a\\u000ab");
  CHECK_EQUAL(printable("\x1b[31m"), "\\u001b[31m");
  CHECK_EQUAL(printable("\"\\"), "\\\"\\\\");
  CHECK_EQUAL(printable("\xc3\xa4"), "\\u00c3\\u00a4");
  CHECK_EQUAL(printable("\x7f"), "\\u007f");
}

TEST(a text over 256 bytes is cut) {
  std::string text(256, 'x');
  CHECK_EQUAL(printable(text), text);
  CHECK_EQUAL(printable(text + 'x'), text + "...");
}
