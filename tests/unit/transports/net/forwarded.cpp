#include "transports/net/forwarded.hpp"

#include <string>
#include <utility>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

using lines = std::vector<std::pair<std::string, std::string>>;

const networks trusted{{"10.0.0.0/8", "127.0.0.1", "2001:db8:f::/48"}};

/// A request of a proxy at 10.0.0.9.
http_request told(const lines& headers,
                  forwarded_headers which = forwarded_headers::any) {
  http_request x;
  for (const auto& [name, value] : headers)
    x.headers.emplace_back(name, value);
  x.address = "10.0.0.9";
  x.host = "own";
  apply_forwarded(x, trusted, which);
  // The views end with the lines.
  x.headers.clear();
  x.port = {};
  return x;
}

std::string address(const std::vector<std::string>& chain) {
  lines all;
  for (const auto& each : chain)
    all.emplace_back("X-Forwarded-For", each);
  return told(all).address;
}

std::string node(std::string_view x) {
  auto out = parse_node(x);
  return out ? out->text() : "none";
}

bool secure(const lines& headers) {
  return told(headers).secure;
}

std::string host(const lines& headers) {
  return told(headers).host;
}

} // namespace

TEST(addresses are read in the forms that proxies write) {
  for (auto each : {"203.0.113.7", " 203.0.113.7\t", "203.0.113.7:40000",
                    "\"203.0.113.7:1\"", "::ffff:203.0.113.7",
                    "[::ffff:203.0.113.7]:1", "203.0.113.7:_port"})
    CHECK_EQUAL(node(each), "203.0.113.7");
  for (auto each : {"2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711",
                    "\"[2001:db8::1]:4711\"", "[2001:DB8:0::1%eth0]"})
    CHECK_EQUAL(node(each), "2001:db8::1");
  for (auto each :
       {"", "unknown", "_hidden", "<b>x</b>", "203.0.113.7:", "203.0.113.7:x",
        "203.0.113.7:123456", "[203.0.113.7]", "[2001:db8::1", "[2001:db8::1]x",
        "[2001:db8::1]:", "203.0.113.7 1", "\"203.0.113.7", "unix:", "host:80",
        "\"203.0.113.7\\\"\""})
    CHECK_EQUAL(node(each), "none");
}

TEST(addresses are walked from the right over all lines) {
  CHECK_EQUAL(address({}), "10.0.0.9");
  CHECK_EQUAL(address({"203.0.113.7"}), "203.0.113.7");
  CHECK_EQUAL(address({"6.6.6.6, 203.0.113.7"}), "203.0.113.7");
  CHECK_EQUAL(address({"6.6.6.6", "203.0.113.7"}), "203.0.113.7");
  CHECK_EQUAL(address({"6.6.6.6", "203.0.113.7", "10.1.2.3,10.1.2.4"}),
              "203.0.113.7");
  CHECK_EQUAL(address({"203.0.113.7:1, [2001:db8:f::1]:2"}), "203.0.113.7");
  CHECK_EQUAL(address({"10.0.0.1, 10.0.0.2"}), "10.0.0.1");
}

TEST(what is no address ends the walk before it) {
  CHECK_EQUAL(address({"<b>x</b>"}), "10.0.0.9");
  CHECK_EQUAL(address({"203.0.113.7, unknown"}), "10.0.0.9");
  CHECK_EQUAL(address({"203.0.113.7, unknown, 10.0.0.2"}), "10.0.0.2");
  CHECK_EQUAL(address({"203.0.113.7,"}), "10.0.0.9");
  CHECK_EQUAL(address({"203.0.113.7", ""}), "10.0.0.9");
  CHECK_EQUAL(address({"\"6.6.6.6", "203.0.113.7"}), "203.0.113.7");
  CHECK_EQUAL(address({"\"6.6.6.6, 203.0.113.7"}), "203.0.113.7");
}

TEST(a proxy that names its own address has a client there) {
  CHECK_EQUAL(address({"6.6.6.6", "10.0.0.9"}), "10.0.0.9");
  CHECK_EQUAL(address({"6.6.6.6, ::ffff:10.0.0.9"}), "10.0.0.9");
}

TEST(schemes come under many names) {
  for (const auto& each : std::vector<lines>{
         {{"X-Forwarded-Proto", "https"}},
         {{"X-Forwarded-Proto", "HTTPS"}},
         {{"X-Forwarded-Proto", "wss"}},
         {{"X-Forwarded-Proto", "https,http"}},
         {{"X-Forwarded-Proto", "https"}, {"X-Forwarded-Proto", "http"}},
         {{"X-Forwarded-Proto", "what"}, {"X-Forwarded-Ssl", "on"}},
         {{"X-Forwarded-Ssl", "on"}},
         {{"Front-End-Https", "On"}},
         {{"X-Forwarded-Scheme", "https"}},
         {{"X-Forwarded-Protocol", "https"}},
         {{"X-Url-Scheme", "https"}},
         {{"CloudFront-Forwarded-Proto", "https"}},
         {{"X-ARR-SSL", "2048|256|CN=a"}},
         {{"X-Forwarded-Port", "443"}},
       })
    CHECK(secure(each));
  for (const auto& each : std::vector<lines>{
         {},
         {{"X-Forwarded-Proto", "http"}},
         {{"X-Forwarded-Proto", "http"}, {"X-Forwarded-Ssl", "on"}},
         {{"X-Forwarded-Ssl", "off"}, {"X-Forwarded-Port", "443"}},
         {{"X-Forwarded-Proto", "\"https\""}},
         {{"X-Forwarded-Port", "8443"}},
       })
    CHECK(!secure(each));
}

TEST(of several schemes and hosts those of the client count) {
  lines by_two{
    {"X-Forwarded-For", "6.6.6.6"},       {"X-Forwarded-For", "203.0.113.7"},
    {"X-Forwarded-Proto", "https"},       {"X-Forwarded-Proto", "http"},
    {"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Host", "push.example"}};
  CHECK(!secure(by_two));
  CHECK_EQUAL(host(by_two), "push.example");
  // A hop further away is the client's where the nearer one is trusted.
  lines chain{{"X-Forwarded-For", "203.0.113.7, 10.0.0.2"},
              {"X-Forwarded-Proto", "https,http"},
              {"X-Forwarded-Host", "push.example, inner:8080"}};
  CHECK(secure(chain));
  CHECK_EQUAL(host(chain), "push.example");
  CHECK_EQUAL(host({{"X-Forwarded-For", "203.0.113.7"},
                    {"X-Forwarded-Host", "evil.example, push.example:8443"}}),
              "push.example:8443");
}

TEST(what is no host is passed over) {
  CHECK_EQUAL(host({{"X-Forwarded-Host", "push.example:8443"}}),
              "push.example:8443");
  CHECK_EQUAL(host({{"X-Original-Host", "push.example"}}), "push.example");
  CHECK_EQUAL(host({{"X-Forwarded-Host", "[2001:db8::1]:1"}}),
              "[2001:db8::1]:1");
  for (auto bad : {"", "a b", "a/b", "user@a", "a:b"})
    CHECK_EQUAL(host({{"X-Forwarded-Host", bad}}), "own");
}

TEST(Forwarded says the same in one header) {
  auto x = told({{"Forwarded", "for=6.6.6.6;host=evil.example"},
                 {"Forwarded", "For=\"[2001:db8::1]:4711\" ; PROTO=https;"
                               "host=\"push.example:8443\", for=10.0.0.2"}});
  CHECK_EQUAL(x.address, "2001:db8::1");
  CHECK(x.secure);
  CHECK_EQUAL(x.host, "push.example:8443");
  for (auto bad :
       {"for=unknown", "for=_x;proto=what;host=\"a b\"", "", ";,;",
        "for=\"203.0.113.7", "for=\"\\203.0.113.7\"", "203.0.113.7"}) {
    auto y = told({{"Forwarded", bad}});
    CHECK_EQUAL(y.address, "10.0.0.9");
    CHECK_EQUAL(y.host, "own");
    CHECK(!y.secure);
  }
}

TEST(one family of headers is believed at a time) {
  lines both{{"X-Forwarded-For", "203.0.113.7"},
             {"Forwarded", "for=198.51.100.1;proto=https"}};
  CHECK_EQUAL(told(both).address, "203.0.113.7");
  CHECK(!told(both).secure);
  CHECK_EQUAL(told(both, forwarded_headers::forwarded).address, "198.51.100.1");
  CHECK_EQUAL(told(both, forwarded_headers::x_forwarded).address,
              "203.0.113.7");
  // A client's own, behind a proxy that only tells the scheme.
  lines odd{{"X-Forwarded-Proto", "https"}, {"Forwarded", "for=6.6.6.6"}};
  CHECK_EQUAL(told(odd).address, "10.0.0.9");
  lines alone{{"Forwarded", "for=198.51.100.1"}};
  CHECK_EQUAL(told(alone).address, "198.51.100.1");
  CHECK_EQUAL(told(alone, forwarded_headers::x_forwarded).address, "10.0.0.9");
}
