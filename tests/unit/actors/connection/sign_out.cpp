#include "actors/connection/connection.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

// The site changes its mind about a user while a connection comes in.

CAF_TEST_FIXTURE_SCOPE(sign_out_tests, rooms)

TEST(a verdict of before the sign out does not let in) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect, R"({"tab":1})");
  auto asked = next_stamp();
  change(user_command::kind::disconnect, "anna");
  answer(ec::none, "anna", asked);
  CHECK(out.packets.empty());
  CHECK_EQUAL(post("anna"), 0u);
  MESSAGE("the site is asked the same anew");
  REQUIRE_EQUAL(site->all<authenticate>().size(), 1u);
  CHECK_EQUAL(site->all<authenticate>()[0].auth, R"({"tab":1})");
  CHECK(site->all<authenticate>()[0].not_before > asked);
  answer(ec::unauthorized);
  CHECK_EQUAL(out.last(), R"(4{"message":"unauthorized"})");
  CHECK_EQUAL(post("anna"), 0u);
}

TEST(a verdict of after the sign out lets in) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  auto asked = next_stamp();
  change(user_command::kind::disconnect, "anna");
  MESSAGE("another user is not concerned");
  fake_port other;
  auto y = open(other, one);
  packet(y, packet_type::connect);
  std::swap(site->all<authenticate>()[0], site->all<authenticate>()[1]);
  answer(ec::none, "ben", asked);
  CHECK_EQUAL(other.last(), R"(0{"sid":"c1"})");
  answer(ec::none, "anna", asked);
  answer(ec::none, "anna");
  CHECK_EQUAL(out.last(), R"(0{"sid":"c3"})");
  CHECK_EQUAL(post("anna"), 1u);
}

TEST(a room that is taken away makes a verdict void too) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  auto asked = next_stamp();
  change(user_command::kind::rooms, "anna", "/", {"staff"});
  answer(ec::none, "anna", asked);
  CHECK(out.packets.empty());
  CHECK_EQUAL(site->all<authenticate>().size(), 1u);
}

TEST(a room that is given or of another namespace changes nothing) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  auto asked = next_stamp();
  change(user_command::kind::rooms, "anna", "/");
  change(user_command::kind::rooms, "anna", "/other", {"staff"});
  change(user_command::kind::disconnect, "anna", "/other");
  answer(ec::none, "anna", asked);
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
}

TEST(a question about a user does not make verdicts void) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  auto asked = next_stamp();
  show("anna");
  change(user_command::kind::online, "anna");
  answer(ec::none, "anna", asked);
  CHECK_EQUAL(out.last(), R"(0{"sid":"c1"})");
}

TEST(the site is asked again a few times and not for ever) {
  opts.site.when_unavailable = unavailable_policy::refuse;
  fake_port out;
  auto x = open(out, one);
  packet(x, packet_type::connect);
  for (auto i = 0; i < 4; ++i) {
    CHECK(out.packets.empty());
    REQUIRE_EQUAL(site->all<authenticate>().size(), 1u);
    auto asked = next_stamp();
    change(user_command::kind::disconnect, "anna");
    answer(ec::none, "anna", asked);
  }
  CHECK(site->all<authenticate>().empty());
  CHECK_EQUAL(out.last(),
              R"(4{"message":"unavailable","data":{"retry":true}})");
}

TEST(a client that leaves while the site is asked anew is in nowhere) {
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  auto asked = next_stamp();
  change(user_command::kind::disconnect, "anna");
  answer(ec::none, "anna", asked);
  packet(x, packet_type::disconnect);
  answer(ec::none, "anna");
  CHECK(out.packets.empty());
  CHECK_EQUAL(post("anna"), 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
