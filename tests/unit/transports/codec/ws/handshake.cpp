#include "transports/codec/ws/handshake.hpp"

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace std::literals;

TEST(a key has 22 base64 characters and two equals signs) {
  CHECK(ws::valid_key("dGhlIHNhbXBsZSBub25jZQ=="));
  CHECK(ws::valid_key("++++////0000AAAAzzzzZZ=="));
  MESSAGE("28 characters (V20)");
  CHECK(!ws::valid_key("eHh4eHh4eHh4eHh4eHh4eHh4eHg="));
  CHECK(!ws::valid_key(""));
  CHECK(!ws::valid_key("=="));
  CHECK(!ws::valid_key("dGhlIHNhbXBsZSBub25jZQ="));
  CHECK(!ws::valid_key("dGhlIHNhbXBsZSBub25jZQA="));
  CHECK(!ws::valid_key("dGhlIHNhbXBsZSBub25jZ==="));
  CHECK(!ws::valid_key("dGhlIHNhbXBsZSBub25j-_=="));
  CHECK(!ws::valid_key(" GhlIHNhbXBsZSBub25jZQ=="));
  CHECK(!ws::valid_key("dGhlIHNhbXBsZSBub25jZQ==\n"));
  CHECK(!ws::valid_key("dGhlIHNhbXBs\0SBub25jZQ=="sv));
}

TEST(the accept value answers the key) {
  MESSAGE("RFC 6455 section 1.3");
  CHECK_EQUAL(ws::accept_key("dGhlIHNhbXBsZSBub25jZQ=="),
              "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  MESSAGE("a key that only old servers take (V20)");
  CHECK_EQUAL(ws::accept_key("eHh4eHh4eHh4eHh4eHh4eHh4eHg="),
              "QNDjWaHCxq6OYlnu1oSRlN8Zmyw=");
}
