#include "transports/session/outbox.hpp"

#include <string>

#include "tests/support/check.hpp"

using namespace signalbox;
using session::out_packet;
using session::outbox;

namespace {

out_packet text(std::string x) {
  return {nullptr, std::move(x), false};
}

std::string whole(const out_packet& x) {
  return std::string{x.first()} + std::string{x.second()};
}

} // namespace

TEST(packets leave in the order they came) {
  outbox x{100, 10};
  CHECK(x.empty());
  x.push(text("4a"));
  x.push_control("2");
  x.push(text("4bc"));
  CHECK_EQUAL(x.packets(), 3u);
  CHECK_EQUAL(whole(x.at(0)), "4a");
  CHECK_EQUAL(whole(x.at(2)), "4bc");
  x.pop();
  CHECK_EQUAL(whole(x.at(0)), "2");
  x.pop();
  x.pop();
  CHECK(x.empty());
  CHECK_EQUAL(x.packets(), 0u);
}

TEST(the bound in bytes is kept to the byte) {
  outbox x{10, 100};
  x.push(text("1234"));
  CHECK(x.fits(6, 1, false));
  CHECK(!x.fits(7, 1, false));
  x.push(text("123456"));
  CHECK(x.fits(0, 1, false));
  CHECK(!x.fits(1, 1, false));
  x.pop();
  CHECK_EQUAL(x.bytes(), 6u);
  CHECK(x.fits(4, 1, false));
}

TEST(the bound in packets is kept to the packet) {
  outbox x{1000, 3};
  x.push(text("a"));
  CHECK(x.fits(1, 2, false));
  CHECK(!x.fits(1, 3, false));
  x.push(text("b"));
  x.push(text("c"));
  CHECK(!x.fits(0, 1, false));
  x.pop();
  CHECK(x.fits(1, 1, false));
}

TEST(bytes decide between two polls) {
  MESSAGE("a packet of a client that polls counts as 64 bytes at least");
  outbox x{640, 3};
  for (auto i = 0; i < 9; ++i) {
    CHECK(x.fits(1, 1, true));
    x.push(text("a"));
  }
  CHECK(!x.fits(1, 1, false));
  CHECK(x.fits(1, 1, true));
  CHECK(!x.fits(1, 2, true));
  CHECK(!x.fits(632, 1, true));
  MESSAGE("a larger bound in packets holds there too");
  outbox y{640, 30};
  for (auto i = 0; i < 29; ++i)
    y.push(text("a"));
  CHECK(y.fits(1, 1, true));
  CHECK(!y.fits(1, 2, true));
}

TEST(an event fits however large it is if no other waits) {
  outbox x{10, 1};
  CHECK(x.fits(1000, 50, false));
  // The protocol's own packets are in no bound.
  x.push_control("0{\"sid\":\"0123456789\"}");
  x.push_control("2");
  CHECK(x.fits(1000, 50, false));
  CHECK_EQUAL(x.bytes(), 0u);
  x.push(text("4"));
  CHECK(!x.fits(1, 1, false));
}

TEST(a control packet always goes in) {
  outbox x{1, 1};
  x.push(text("4"));
  x.push_control("2");
  CHECK_EQUAL(x.packets(), 2u);
  CHECK_EQUAL(x.bytes(), 1u);
}

TEST(clearing forgets what was counted) {
  outbox x{10, 10};
  x.push(text("12345"));
  x.push_control("2");
  x.clear();
  CHECK(x.empty());
  CHECK_EQUAL(x.bytes(), 0u);
  x.push(text("1"));
  x.push(text("2"));
  CHECK(x.fits(8, 8, false));
  CHECK(!x.fits(9, 1, false));
}

TEST(a shared body is sent as it is or with another head) {
  codec::shared_event event{"/ns", R"(["ev",1])", {}};
  const auto& body = event.packets(codec::wire_form::v4).front();
  out_packet plain{body, {}, false};
  CHECK_EQUAL(whole(plain), R"(42/ns,["ev",1])");
  CHECK_EQUAL(plain.size(), whole(plain).size());
  out_packet asking{body, event.header(codec::wire_form::v4, 7), false};
  CHECK_EQUAL(whole(asking), R"(42/ns,7["ev",1])");
  CHECK_EQUAL(asking.size(), whole(asking).size());
  CHECK(!plain.binary());
}

TEST(an attachment is binary) {
  out_packet x{
    codec::encode_attachment(codec::wire_form::v4, "\x01\x02"), {}, false};
  CHECK(x.binary());
  CHECK_EQUAL(whole(x), "\x01\x02");
}

TEST(a long queue keeps its order while it moves on) {
  outbox x{100000, 10000};
  size_t in = 0;
  size_t out = 0;
  for (int i = 0; i < 500; ++i) {
    x.push(text(std::to_string(in++)));
    x.push(text(std::to_string(in++)));
    CHECK_EQUAL(whole(x.at(0)), std::to_string(out++));
    x.pop();
  }
  CHECK_EQUAL(x.packets(), 500u);
  while (!x.empty()) {
    CHECK_EQUAL(whole(x.at(0)), std::to_string(out++));
    x.pop();
  }
  CHECK_EQUAL(out, 1000u);
  CHECK_EQUAL(x.bytes(), 0u);
  MESSAGE("what another one left behind is not seen");
  outbox y{100, 10};
  y.push(text("new"));
  CHECK_EQUAL(y.packets(), 1u);
  CHECK_EQUAL(whole(y.at(0)), "new");
}
