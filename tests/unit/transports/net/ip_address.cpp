#include "transports/net/ip_address.hpp"

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

std::string text(std::string_view x) {
  auto out = ip_address::parse(x);
  return out ? out->text() : "none";
}

} // namespace

TEST(an address has one text) {
  CHECK_EQUAL(text("203.0.113.7"), "203.0.113.7");
  CHECK_EQUAL(text("::ffff:203.0.113.7"), "203.0.113.7");
  CHECK_EQUAL(text("::FFFF:cb00:7107"), "203.0.113.7");
  CHECK_EQUAL(text("2001:0DB8:0:0:0:0:0:1"), "2001:db8::1");
  CHECK_EQUAL(text("fe80::1%eth0"), "fe80::1");
  for (auto bad :
       {"", "unknown", "203.0.113", "203.0.113.256", "203.0.113.07", "1.2.3.4 ",
        "1.2.3.4%eth0", "[::1]", "::1::", "<b>x</b>", "203.0.113.7:1"})
    CHECK_EQUAL(text(bad), "none");
  CHECK_EQUAL(text({"1.2.3.4\0", 8}), "none");
  CHECK_EQUAL(text(std::string(1000, '1')), "none");
}

TEST(a client of IPv6 is known by its first 64 bits) {
  auto client = [](std::string_view x) {
    return ip_address::parse(x)->client().text();
  };
  CHECK_EQUAL(client("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
  CHECK_EQUAL(client("203.0.113.7"), "203.0.113.7");
  CHECK_EQUAL(client("::1"), "::1");
}

TEST(networks hold addresses of their family in either form) {
  networks x{{"10.0.0.0/8", "::ffff:192.0.2.0/120", "2001:db8::/33",
              "fe80::1%eth0", "203.0.113.7"}};
  for (auto in : {"10.255.0.1", "::ffff:10.1.2.3", "192.0.2.9",
                  "2001:db8:7fff::1", "fe80::1", "203.0.113.7"})
    CHECK(x.contains(std::string_view{in}));
  for (auto out : {"11.0.0.1", "192.0.3.1", "2001:db8:8000::1", "fe80::2",
                   "203.0.113.8", "a00::1", "nothing"})
    CHECK(!x.contains(std::string_view{out}));
  networks all{{"::/0"}};
  CHECK(all.contains(std::string_view{"2001:db8::1"}));
  CHECK(!all.contains(std::string_view{"10.0.0.1"}));
  CHECK((networks{{"0.0.0.0/0"}}.contains(std::string_view{"10.0.0.1"})));
  CHECK(!(networks{{"0.0.0.0/0"}}.contains(std::string_view{"::1"})));
}
