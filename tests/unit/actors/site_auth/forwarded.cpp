#include "actors/site_auth/forwarded.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;

namespace {

std::string made(forwarded_style style, const browser_origin& x) {
  std::vector<std::pair<std::string, std::string>> headers;
  add_forwarded(style, x, headers);
  std::string out;
  for (const auto& [name, value] : headers)
    out += name + ": " + value + "\n";
  return out;
}

} // namespace

TEST(the usual headers) {
  CHECK_EQUAL(made(forwarded_style::x_forwarded, {"192.0.2.7", "a.test", true}),
              "X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: https\n"
              "X-Forwarded-Host: a.test\n");
  CHECK_EQUAL(made(forwarded_style::x_forwarded, {"2001:db8::7", {}, false}),
              "X-Forwarded-For: 2001:db8::7\nX-Forwarded-Proto: http\n");
}

TEST(the standard header quotes what is no token) {
  CHECK_EQUAL(made(forwarded_style::forwarded, {"192.0.2.7", "a.test", false}),
              "Forwarded: for=192.0.2.7;proto=http;host=a.test\n");
  CHECK_EQUAL(
    made(forwarded_style::forwarded, {"2001:db8::7", "[::1]:80", true}),
    "Forwarded: for=\"[2001:db8::7]\";proto=https;host=\"[::1]:80\"\n");
  CHECK_EQUAL(made(forwarded_style::forwarded, {{}, "a\"b\\;for=c", true}),
              "Forwarded: for=unknown;proto=https;host=\"a\\\"b\\\\;for=c\"\n");
}

TEST(both or none) {
  CHECK_EQUAL(made(forwarded_style::both, {"192.0.2.7", {}, false}),
              "X-Forwarded-For: 192.0.2.7\nX-Forwarded-Proto: http\n"
              "Forwarded: for=192.0.2.7;proto=http\n");
  CHECK_EQUAL(made(forwarded_style::none, {"192.0.2.7", "a", true}), "");
}
