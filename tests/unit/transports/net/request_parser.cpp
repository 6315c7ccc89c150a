#include "transports/net/request_parser.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

using progress = request_parser::progress;

std::string request(const std::string& lines) {
  return "POST /a?b HTTP/1.1\r\n" + lines + "\r\n";
}

} // namespace

TEST(a request is read in pieces) {
  request_parser x;
  http_request out;
  REQUIRE(x.begin(
    request("Host: h\r\nConnection: close\r\nContent-Length: 4\r\n"), out));
  x.limit_body(4);
  CHECK_EQUAL(out.method, "POST");
  CHECK_EQUAL(out.target, "/a?b");
  CHECK_EQUAL(out.path, "/a");
  CHECK_EQUAL(out.query, "b");
  CHECK_EQUAL(out.header("host"), "h");
  CHECK_EQUAL(x.version(), 11u);
  CHECK_EQUAL(x.content_length().value_or(0), 4u);
  CHECK(!x.keep_alive());
  CHECK(!x.done());
  size_t taken = 0;
  CHECK(x.take("ab", taken, out.body) == progress::incomplete);
  CHECK_EQUAL(taken, 2u);
  CHECK(x.take("cdef", taken, out.body) == progress::done);
  CHECK_EQUAL(taken, 2u);
  CHECK(x.done());
  CHECK_EQUAL(out.body, "abcd");
}

TEST(one request leaves nothing for the next) {
  request_parser x;
  http_request out;
  REQUIRE(x.begin(
    request("Host: h\r\nConnection: close\r\nContent-Length: 4\r\n"), out));
  x.end();
  CHECK(!x.begun());
  REQUIRE(x.begin(request(""), out));
  x.limit_body(4);
  CHECK(x.begun());
  CHECK(x.keep_alive());
  CHECK(x.done());
  CHECK_EQUAL(out.header("host"), "");
}

TEST(a body in chunks is put together) {
  request_parser x;
  http_request out;
  REQUIRE(
    x.begin("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", out));
  x.limit_body(4);
  CHECK(!x.content_length());
  size_t taken = 0;
  std::string_view body = "2\r\nab\r\n1\r\nc\r\n0\r\n\r\nGET";
  auto now = x.take(body, taken, out.body);
  CHECK(now == progress::done);
  CHECK_EQUAL(body.substr(taken), "GET");
  CHECK_EQUAL(out.body, "abc");
}

TEST(chunks are bounded and checked) {
  for (auto [body, expected] :
       {std::pair{"5\r\nabcde\r\n", progress::too_large},
        std::pair{"x\r\n", progress::malformed}}) {
    request_parser x;
    http_request out;
    REQUIRE(
      x.begin("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", out));
    x.limit_body(4);
    size_t taken = 0;
    CHECK(x.take(body, taken, out.body) == expected);
  }
}

TEST(what is malformed is no request) {
  for (auto text : {"GET / HTTP/1.1\r\nA : b\r\n\r\n",
                    "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n",
                    "GET / HTTP/1.1\r\nA: b\nC: d\r\n\r\n"}) {
    request_parser x;
    http_request out;
    CHECK(!x.begin(text, out));
    CHECK(!x.begun());
    CHECK(out.headers.empty());
  }
}
