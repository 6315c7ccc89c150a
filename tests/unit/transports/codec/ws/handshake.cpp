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

TEST(an offer of permessage - deflate is taken if our answer fits) {
  CHECK(ws::offers_deflate("permessage-deflate"));
  CHECK(ws::offers_deflate("permessage-deflate; client_max_window_bits"));
  CHECK(ws::offers_deflate("permessage-deflate;server_no_context_takeover"));
  CHECK(ws::offers_deflate("permessage-deflate; server_max_window_bits=15"));
  MESSAGE("the second offer of a list");
  CHECK(ws::offers_deflate("x-foo, permessage-deflate"));
}

TEST(an offer that we could not keep is passed over) {
  CHECK(!ws::offers_deflate(""));
  CHECK(!ws::offers_deflate("x-webkit-deflate-frame"));
  CHECK(!ws::offers_deflate("permessage-deflate; server_max_window_bits=9"));
  CHECK(!ws::offers_deflate("permessage-deflate; toString=1"));
  CHECK(!ws::offers_deflate("constructor, __proto__; toString=1"));
}
