#include "transports/codec/header_lines.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::codec;

namespace {

std::string mended(std::string in, size_t most = 1000) {
  mend_header(in, most);
  return in;
}

} // namespace

TEST(bare line ends become those of HTTP) {
  CHECK_EQUAL(mended("GET / HTTP/1.1\nHost: a\n\n"),
              "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  CHECK_EQUAL(mended("GET / HTTP/1.1\r\nHost: a\r\nOrigin: b\n\n\r\n\r\n"),
              "GET / HTTP/1.1\r\nHost: a\r\nOrigin: b\r\n\r\n\r\n\r\n");
  CHECK_EQUAL(mended("GET / HTTP/1.1\r\nOrigin: b\n\r\n\x81\x80\n\n"),
              "GET / HTTP/1.1\r\nOrigin: b\r\n\r\n\x81\x80\n\n");
}

TEST(what is well formed stays as it is) {
  auto text = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\n";
  CHECK_EQUAL(mended(text), text);
}

TEST(plain lines end with CR LF and are not folded) {
  CHECK(has_plain_lines("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  CHECK(has_plain_lines("GET / HT"));
  CHECK(!has_plain_lines("GET / HTTP/1.1\nHost: a\r\n\r\n"));
  CHECK(!has_plain_lines("\nGET"));
  CHECK(!has_plain_lines("GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n"));
  CHECK(!has_plain_lines("GET / HTTP/1.1\r\nA: b\r\n\tc"));
}

TEST(a header ends with an empty line of either kind) {
  CHECK(has_header_end("GET / HTTP/1.1\n\n"));
  CHECK(has_header_end("GET / HTTP/1.1\r\n\r\nx"));
  CHECK(has_header_end("GET / HTTP/1.1\n\r\n"));
  CHECK(!has_header_end("GET / HTTP/1.1\r\nHost: a\r\n"));
  CHECK(!has_header_end(""));
}

TEST(what is not whole or long or has a body stays as it is) {
  for (const auto* text :
       {"", "GET / HTTP/1.1\nHost: a\n", "POST / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\nContent-Length: 2\n\nab",
        "GET / HTTP/1.1\ntransfer-encoding: chunked\n\n"})
    CHECK_EQUAL(mended(text), text);
  CHECK_EQUAL(mended("GET / HTTP/1.1\nHost: a\n\n", 23),
              "GET / HTTP/1.1\nHost: a\n\n");
  CHECK_EQUAL(mended("GET / HTTP/1.1\nHost: a\n\n", 24),
              "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
}
