#include "actors/presence/seats.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

using fake_connection = recorder<deliver>;

struct fixture : shards {
  fixture() {
    for (size_t i = 0; i < who.size(); ++i)
      std::tie(who[i], out[i]) =
        spawn_light<fake_connection, connection_actor>(two);
  }

  ~fixture() {
    x.clear();
    for (auto& each : who)
      end(each);
    settle();
    for (auto& each : who)
      each = nullptr;
  }

  void add(size_t i, const std::string& user, const std::string& sid,
           const std::string& nsp = "/", const std::string& info = {}) {
    x.add({who[i], 0, user, nsp, sid, info, "polling", codec::dialect::eio4,
           1700000000},
          3);
  }

  uint64_t push(const std::string& user, const std::string& nsp) {
    deliver_users event;
    event.event = std::make_shared<const codec::shared_event>(
      nsp, R"(["x"])", std::vector<std::string>{});
    event.volatile_ = true;
    event.confirm = 70;
    event.confirm_ms = 500;
    event.users = {"somebody", user};
    auto n = x.push(event, 1, answer);
    settle();
    return n;
  }

  std::shared_ptr<receipt> answer =
    std::make_shared<receipt>(count, ingest_actor{}, deliver_users{});
  seats x;
  std::array<connection_actor, 2> who;
  std::array<fake_connection*, 2> out{};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(seats_tests, fixture)

TEST(an event goes to the connections in its namespace) {
  add(0, "anna", "a", "/");
  add(0, "anna", "b", "/chat");
  add(1, "anna", "c", "/chat");
  add(1, "ben", "d", "/chat");
  CHECK_EQUAL(push("anna", "/chat"), 2u);
  REQUIRE_EQUAL(out[0]->all<deliver>().size(), 1u);
  const auto& got = out[0]->all<deliver>()[0];
  CHECK(got.sid == "b");
  CHECK(got.volatile_);
  CHECK_EQUAL(got.confirm, 70u);
  CHECK_EQUAL(got.confirm_ms, 500);
  MESSAGE("they say that they took it for the second of the users");
  CHECK(got.receipt == answer);
  CHECK_EQUAL(got.user, 1u);
  REQUIRE_EQUAL(out[1]->all<deliver>().size(), 1u);
  CHECK(out[1]->all<deliver>()[0].sid == "c");
  MESSAGE("all share the same bytes");
  CHECK(got.event == out[1]->all<deliver>()[0].event);
  CHECK_EQUAL(push("anna", "/none"), 0u);
  CHECK_EQUAL(push("carla", "/"), 0u);
}

TEST(a user is there as long as one connection is) {
  add(0, "anna", "a", "/", R"({"n":1})");
  add(1, "anna", "b", "/", R"({"n":2})");
  REQUIRE(x.find("anna") != nullptr);
  CHECK_EQUAL(x.find("anna")->all.size(), 2u);
  CHECK_EQUAL(std::string_view{x.find("anna")->info}, R"({"n":2})");
  CHECK_EQUAL(x.find("anna")->home, 3u);
  auto was = x.remove("a");
  REQUIRE(was.has_value());
  CHECK_EQUAL(was->user, "anna");
  CHECK(was->at.who == who[0]);
  CHECK(!x.remove("a").has_value());
  x.remove("b");
  CHECK(x.find("anna") == nullptr);
  CHECK(x.users().empty());
}

TEST(nobody is found by the id only) {
  add(0, "", "a");
  CHECK(x.users().empty());
  REQUIRE(x.find_sid("a") != nullptr);
  CHECK(x.find_sid("a")->who == who[0]);
  CHECK(x.find_sid("b") == nullptr);
  auto was = x.remove("a");
  REQUIRE(was.has_value());
  CHECK_EQUAL(was->user, "");
  CHECK(x.find_sid("a") == nullptr);
}

TEST(a new transport is noted) {
  add(0, "anna", "a");
  x.move({"anna", "a", "websocket"});
  x.move({"anna", "unknown", "websocket"});
  x.move({"ben", "a", "polling"});
  REQUIRE(x.find_sid("a") != nullptr);
  CHECK_EQUAL(x.find_sid("a")->transport, "websocket");
  CHECK_EQUAL(to_json(*x.find_sid("a")),
              R"({"id":"a","namespace":"/","transport":"websocket",)"
              R"("dialect":"eio4","since":1700000000})");
}

TEST(the report to the home names every seat) {
  add(0, "anna", "a", "/", R"({"n":1})");
  add(0, "anna", "b", "/chat", R"({"n":1})");
  auto said = describe("anna", *x.find("anna"));
  CHECK_EQUAL(said.user, "anna");
  CHECK_EQUAL(said.info, R"({"n":1})");
  REQUIRE_EQUAL(said.seats.size(), 2u);
  CHECK_EQUAL(said.seats[0].nsp, "/");
  CHECK_EQUAL(said.seats[1].nsp, "/chat");
  MESSAGE("a connection has one number in all its namespaces");
  CHECK_EQUAL(said.seats[0].connection, connection_number(who[0]));
  CHECK_EQUAL(said.seats[1].connection, connection_number(who[0]));
  CHECK(connection_number(who[0]) != connection_number(who[1]));
}

CAF_TEST_FIXTURE_SCOPE_END()
