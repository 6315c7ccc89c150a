#include "transports/session/handshake.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using session::handshake;

TEST(what the client presented is found again) {
  handshake x{"192.0.2.7", "EIO=3&a=b", codec::dialect::eio3};
  x.add("cookie", "session=1; theme=a:b");
  x.add("user-agent", "");
  x.shrink();
  CHECK_EQUAL(x.address(), "192.0.2.7");
  CHECK_EQUAL(x.query(), "EIO=3&a=b");
  CHECK_EQUAL(x.header("cookie"), "session=1; theme=a:b");
  CHECK_EQUAL(x.header("user-agent"), "");
  CHECK(x.dialect() == codec::dialect::eio3);
  CHECK(!x.site());
}

TEST(a header is found by its whole name only) {
  handshake x{"192.0.2.7", "cookie:no", codec::dialect::eio4, true};
  x.add("cookie-consent", "yes");
  x.add("x-cookie", "no");
  CHECK_EQUAL(x.header("cookie"), "");
  CHECK_EQUAL(x.header("consent"), "");
  CHECK_EQUAL(x.header("x"), "");
  CHECK_EQUAL(x.header("cookie-consent"), "yes");
  MESSAGE("of equal ones the first");
  x.add("x-cookie", "other");
  CHECK_EQUAL(x.header("x-cookie"), "no");
  CHECK(x.site());
}

TEST(nothing presented is nothing found) {
  handshake x;
  CHECK_EQUAL(x.address(), "");
  CHECK_EQUAL(x.query(), "");
  CHECK_EQUAL(x.header("cookie"), "");
}
