#include "actors/connection/hold.hpp"

#include <set>

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

// The site has no verdict when a connection comes in.

namespace {

/// No pause is longer, in milliseconds.
constexpr int64_t longest = 5000;

} // namespace

CAF_TEST_FIXTURE_SCOPE(hold_tests, rooms)

TEST(a CONNECT waits until the site has a verdict) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect, R"({"tab":1})");
  for (auto i = 0; i < 3; ++i) {
    REQUIRE_EQUAL(site->all<authenticate>().size(), 1u);
    CHECK_EQUAL(site->all<authenticate>()[0].auth, R"({"tab":1})");
    answer(ec::unavailable);
    CHECK_EQUAL(count.connects_held, 1);
    MESSAGE("it does not ask at once");
    CHECK(site->all<authenticate>().empty());
    advance(longest + 17);
    CHECK_EQUAL(count.connects_held, 0);
  }
  CHECK(out.packets.empty());
  CHECK_EQUAL(out.closed, "");
  answer(ec::none, "anna");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
  CHECK_EQUAL(post("anna"), 1u);
  CHECK_EQUAL(count.connects_unavailable, 0u);
}

TEST(what waits can still be refused) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unavailable);
  advance(longest + 17);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
}

TEST(what waits in no other namespace has an end) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  for (int64_t t = 0; t < opts.engine.connect_timeout.count() - longest;
       t += longest) {
    CHECK_EQUAL(out.closed, "");
    answer(ec::unavailable);
    advance(longest);
  }
  advance(longest + 17);
  CHECK_EQUAL(out.closed, "connect_timeout");
}

TEST(a client that leaves while it waits is in nowhere) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  answer(ec::unavailable);
  packet(x, packet_type::disconnect);
  CHECK_EQUAL(count.connects_held, 0);
  advance(longest + 17);
  CHECK(site->all<authenticate>().empty());
  MESSAGE("and may come again");
  packet(x, packet_type::connect);
  answer(ec::none, "anna");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
}

TEST(a session that ends while it waits is counted no more) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  answer(ec::unavailable);
  CHECK_EQUAL(count.connects_held, 1);
  out.gone->session_gone();
  caf::anon_send(x, session_closed{});
  settle();
  CHECK_EQUAL(count.connects_held, 0);
}

TEST(a verdict that is always void waits too) {
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  uint64_t asked = 0;
  for (auto i = 0; i < 4; ++i) {
    asked = next_stamp();
    change(user_command::kind::disconnect, "anna");
    answer(ec::none, "anna", asked);
  }
  CHECK(out.packets.empty());
  CHECK_EQUAL(count.connects_held, 1);
  advance(longest + 17);
  REQUIRE_EQUAL(site->all<authenticate>().size(), 1u);
  MESSAGE("and what was said before is void still");
  CHECK(site->all<authenticate>()[0].not_before > asked);
  answer(ec::none, "anna");
  CHECK_EQUAL(post("anna"), 1u);
}

TEST(with retry the connection is closed instead) {
  opts.site.when_unavailable = unavailable_policy::retry;
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unavailable);
  CHECK(out.packets.empty());
  CHECK_EQUAL(out.closed, "site_unavailable");
  CHECK_EQUAL(count.connects_unavailable, 1u);
}

TEST(with retry a connection that is in another namespace stays) {
  opts.site.when_unavailable = unavailable_policy::retry;
  add_namespace("/a");
  fake_port out;
  auto x = join(out, one, "anna");
  packet(x, packet_type::connect, {}, {}, "/a");
  answer(ec::unavailable);
  CHECK_EQUAL(out.closed, "");
  CHECK_EQUAL(count.connects_held, 1);
  advance(longest + 17);
  answer(ec::none, "anna");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c2"})");
}

TEST(where no site is set nothing waits) {
  opts.site.auth_url.clear();
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  answer(ec::unavailable);
  CHECK_EQUAL(out.last(),
              R"(4{"message":"unavailable","data":{"retry":true}})");
}

TEST(pauses grow and differ) {
  std::set<int64_t> all;
  for (auto i = 0; i < 100; ++i) {
    auto early = pause_before_asking(1).count();
    CHECK(early >= 500 && early <= 1000);
    auto next = pause_before_asking(2).count();
    CHECK(next >= 1000 && next <= 2000);
    for (auto failures : {5u, 40u, 4000000000u}) {
      auto late = pause_before_asking(failures).count();
      CHECK(late >= longest / 2 && late <= longest);
      all.insert(late);
    }
  }
  CHECK(all.size() > 100);
}

CAF_TEST_FIXTURE_SCOPE_END()
