#include "actors/connection/connection.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

CAF_TEST_FIXTURE_SCOPE(connection_tests, rooms)

TEST(two CONNECTs while the site is asked are one membership) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  packet(x, packet_type::connect);
  CHECK_EQUAL(site->all<authenticate>().size(), 1u);
  answer(ec::none, "anna");
  CHECK_EQUAL(out.packets.size(), 1u);
  CHECK_EQUAL(post("anna"), 1u);
}

TEST(a CONNECT and a DISCONNECT meanwhile are no membership) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  packet(x, packet_type::disconnect);
  answer(ec::none, "anna");
  CHECK(out.packets.empty());
  CHECK_EQUAL(post("anna"), 0u);
}

TEST(a denied client is told so and stays connected) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
  CHECK_EQUAL(out.closed, "");
}

TEST(an unavailable site never admits anybody) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unavailable, "anna");
  CHECK_EQUAL(out.last(),
              R"(4{"message":"unavailable","data":{"retry":true}})");
  CHECK_EQUAL(post("anna"), 0u);
}

TEST(an anonymous namespace admits whom the site does not know) {
  shared.namespaces["/"].opts.anonymous = true;
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(an event to a namespace that was not joined ends the session) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::event, R"(["x"])");
  CHECK_EQUAL(out.closed, "parse_error");
}

TEST(a second CONNECT to a joined namespace ends the session) {
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::connect);
  CHECK_EQUAL(out.closed, "parse_error");
}

TEST(the failed CONNECT over the limit ends the session) {
  opts.limits.failed_connects = 2;
  fake_port out;
  auto x = open(out, one);
  for (auto i = 0; i < 2; ++i) {
    packet(x, packet_type::connect);
    answer(ec::unauthorized);
  }
  CHECK_EQUAL(out.closed, "");
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.closed, "limit");
}

TEST(a key makes a publisher without asking the site) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, R"({"key":"0123456789abcdef"})");
  CHECK(site->all<authenticate>().empty());
  MESSAGE("what it sent before its end counts");
  out.gone->session_gone();
  packet(x, packet_type::event, R"(["letter",{"to":"anna"}])");
  REQUIRE_EQUAL(ingest->all<publish>().size(), 1u);
  CHECK_EQUAL(ingest->all<publish>()[0].type, "letter");
}

TEST(a wrong key is refused) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, R"({"key":"0123456789abcdeX"})");
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
}

TEST(the cap counts connections and refuses the newest) {
  opts.presence.max_connections = 2;
  fake_port a;
  fake_port b;
  fake_port c;
  join(a, one, "anna");
  join(b, two, "anna");
  CHECK_EQUAL(b.last(), R"(0{"sid":"c2"})");
  join(c, one, "anna");
  CHECK_EQUAL(c.last(), R"(4{"message":"too many connections"})");
}

CAF_TEST_FIXTURE_SCOPE_END()
