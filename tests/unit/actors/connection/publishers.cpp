#include "actors/connection/connection.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

CAF_TEST_FIXTURE_SCOPE(publishers_tests, rooms)

TEST(a key makes a publisher without asking the site) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, R"({"key":"0123456789abcdef"})");
  CHECK(site->all<authenticate>().empty());
  MESSAGE("what it sent before its end counts");
  out.gone->session_gone();
  packet(x, packet_type::event, R"(["letter",{"to":"anna"}])");
  REQUIRE_EQUAL(ingest->all<publish>().size(), 1u);
  CHECK_EQUAL(ingest->all<publish>()[0].type, R"("letter")");
}

TEST(a listener comes in again when the site changes its user) {
  opts.ingest.keys[0].may_listen = true;
  keys = credentials{opts.ingest.keys};
  fake_port out;
  auto x = open(out, two);
  // USERS handles it when the listener has asked already.
  user_command away;
  away.what = user_command::kind::disconnect;
  away.ids = {"anna"};
  caf::anon_send(shared.users, std::move(away));
  packet(x, packet_type::connect,
         R"({"key":"0123456789abcdef","listen":"anna"})");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c2"})");
  CHECK(site->all<authenticate>().empty());
}

TEST(a wrong key is refused) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, R"({"key":"0123456789abcdeX"})");
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
}

TEST(a key in the header makes a publisher too) {
  session::handshake from;
  from.add("authorization", "Bearer 0123456789abcdef");
  fake_port out;
  auto x = open(out, one, from);
  packet(x, packet_type::connect);
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  MESSAGE("one that is no key of ours is the browser's own business");
  session::handshake foreign;
  foreign.add("authorization", "Bearer something-else");
  fake_port other;
  packet(open(other, one, foreign), packet_type::connect);
  CHECK_EQUAL(site->all<authenticate>().size(), 1u);
}

TEST(who comes by the listener for publishers is one) {
  keys = credentials{opts.ingest.keys, {"/"}};
  add_namespace("/chat");
  session::handshake from{"127.0.0.1", "", codec::dialect::v09, true};
  fake_port out;
  auto x = open(out, one, from);
  packet(x, packet_type::connect);
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  CHECK(site->all<authenticate>().empty());
  packet(x, packet_type::event, R"(["letter",{"to":"anna"}])");
  const auto& told = ingest->all<publish>().back();
  CHECK_EQUAL(told.key, keys.publisher());
  CHECK_EQUAL(told.type, R"("letter")");
  MESSAGE("in the namespaces of publishers");
  packet(x, packet_type::connect, {}, {}, "/chat");
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
  MESSAGE("and receives nothing");
  CHECK_EQUAL(cast(), 0u);
}

TEST(a key that may not post to the namespace is refused) {
  opts.ingest.keys[0].namespaces = {"/chat"};
  keys = credentials{opts.ingest.keys};
  add_namespace("/chat");
  add_namespace("/shop");
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, R"({"key":"0123456789abcdef"})", {}, "/shop");
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
  CHECK_EQUAL(count.bad_keys, 1u);
  MESSAGE("but it may pass the main one on its way");
  packet(x, packet_type::connect, R"({"key":"0123456789abcdef"})");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  packet(x, packet_type::connect, R"({"key":"0123456789abcdef"})", {}, "/chat");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c2"})");
  CHECK_EQUAL(count.bad_keys, 1u);
}

TEST(a publisher receives nothing but its acks) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect, R"({"key":"0123456789abcdef"})");
  CHECK_EQUAL(cast(), 0u);
  packet(x, packet_type::event, R"(["letter",{"to":"anna"}])", 12);
  REQUIRE_EQUAL(ingest->all<publish>().size(), 1u);
  const auto& sent = ingest->all<publish>()[0];
  CHECK_EQUAL(sent.payload, R"({"to":"anna"})");
  CHECK_EQUAL(sent.key, 0u);
  caf::anon_send(x, published{sent.ticket, R"({"ok":true})"});
  settle();
  CHECK_EQUAL(out.last(), R"(3[{"ok":true}])");
  CHECK(out.packets.back().id == uint64_t{12});
  CHECK(out.events.empty());
}

CAF_TEST_FIXTURE_SCOPE_END()
