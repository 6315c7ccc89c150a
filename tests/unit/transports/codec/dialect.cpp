#include "transports/codec/dialect.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::codec;

namespace {

std::string path(std::string_view text) {
  auto x = parse_legacy_path(text);
  if (!x)
    return "none";
  std::string out{x->protocol};
  return out.append(" ").append(x->transport).append(" ").append(x->sid);
}

std::string speaks(std::string_view eio, bool lax = false,
                   bool unnamed = false) {
  auto x = engine_dialect(eio, unnamed, lax);
  return x ? std::string{to_string(*x)} : "none";
}

} // namespace

TEST(the revision of Engine.IO is 2 to 4) {
  CHECK_EQUAL(speaks("4"), "eio4");
  CHECK_EQUAL(speaks("3"), "eio3");
  CHECK_EQUAL(speaks("2"), "eio3");
  for (const auto* other : {"", "1", "5", "04", "4 ", "x"}) {
    CHECK_EQUAL(speaks(other), "none");
    CHECK_EQUAL(speaks(other, true), "eio3");
  }
  MESSAGE("no revision at all may count as 3, and nothing else");
  CHECK_EQUAL(speaks("", false, true), "eio3");
  for (const auto* other : {"1", "5", "04", "4 ", "x"})
    CHECK_EQUAL(speaks(other, false, true), "none");
  CHECK_EQUAL(speaks("4", true, true), "eio4");
}

TEST(a path of 0.9 begins with a number) {
  CHECK_EQUAL(path("1"), "1  ");
  CHECK_EQUAL(path("1/"), "1  ");
  CHECK_EQUAL(path("1/websocket/abc"), "1 websocket abc");
  CHECK_EQUAL(path("1/websocket/abc/"), "1 websocket abc");
  CHECK_EQUAL(path("1/xhr-polling/"), "1 xhr-polling ");
  CHECK_EQUAL(path("1//abc/"), "1  abc");
  CHECK_EQUAL(path("23/x"), "23 x ");
  for (const auto* other : {"", "/1", "x", "1x/", "socket.io.js", "foo/1"})
    CHECK_EQUAL(path(other), "none");
}

TEST(names of dialects are read as they are written) {
  for (auto x : {dialect::v09, dialect::eio3, dialect::eio4})
    CHECK(parse_dialect(to_string(x)) == x);
  CHECK(!parse_dialect("eio5"));
}

TEST(what a page puts into its queries is an object) {
  CHECK_EQUAL(query_json("EIO=3&transport=polling&t=x&b64=1&sid=&j=1", ""), "");
  CHECK_EQUAL(query_json("token=a%20b&EIO=3&key=k\"", ""),
              R"({"key":"k\"","token":"a b"})");
  MESSAGE("a namespace's own query counts before that of the handshake");
  CHECK_EQUAL(query_json("token=a&x=1", "token=b&y=%E2%82%AC"),
              "{\"token\":\"b\",\"x\":\"1\",\"y\":\"\xE2\x82\xAC\"}");
}
