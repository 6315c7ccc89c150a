#include "actors/presence/presence.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

using fake_connection = recorder<deliver>;

struct fixture : shards {
  fixture() {
    opts.presence.max_connections = 2;
    std::tie(handle, x) = spawn_light<presence, presence_actor>(
      one, "anna", uint64_t{100}, opts.presence, count,
      [this](presence& it, bool over) {
        ended = it.user() + (over ? " over " : " lost ")
                + std::to_string(it.entries().size());
      });
    for (size_t i = 0; i < 3; ++i)
      std::tie(who[i], out[i]) =
        spawn_light<fake_connection, connection_actor>(two);
  }

  ~fixture() {
    end(handle);
    for (auto& each : who)
      end(each);
    settle();
    handle = nullptr;
    for (auto& each : who)
      each = nullptr;
  }

  ec add(size_t i, const std::string& sid, const std::string& nsp = "/",
         const std::string& info = {}) {
    return x->add(
      {who[i], 0, "anna", nsp, sid, info, "polling", "eio4", 1700000000});
  }

  uint64_t push(const std::string& nsp) {
    deliver_users event;
    event.event = std::make_shared<const codec::shared_event>(
      nsp, R"(["x"])", std::vector<std::string>{});
    event.volatile_ = true;
    event.confirm = 70;
    event.confirm_ms = 500;
    auto n = x->push(event);
    settle();
    return n;
  }

  presence_actor handle;
  presence* x = nullptr;
  std::array<connection_actor, 3> who;
  std::array<fake_connection*, 3> out{};
  std::string ended;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(presence_tests, fixture)

TEST(the version rises by one with each real change) {
  CHECK_EQUAL(x->version(), 100u);
  add(0, "s0");
  CHECK_EQUAL(x->version(), 101u);
  MESSAGE("a connection that reports again is none");
  CHECK(add(0, "s0") == ec::none);
  CHECK_EQUAL(x->version(), 101u);
  add(1, "s1");
  CHECK_EQUAL(x->version(), 102u);
  MESSAGE("neither is one that is refused");
  add(2, "s2");
  CHECK_EQUAL(x->version(), 102u);
  CHECK(x->remove("s1"));
  CHECK_EQUAL(x->version(), 103u);
  MESSAGE("nor one that was not there");
  CHECK(!x->remove("s1"));
  CHECK_EQUAL(x->version(), 103u);
}

TEST(the cap counts connections and not namespaces) {
  CHECK(add(0, "a", "/") == ec::none);
  CHECK(add(0, "b", "/b") == ec::none);
  CHECK(add(0, "c", "/c") == ec::none);
  CHECK(add(1, "d", "/") == ec::none);
  CHECK(add(2, "e", "/") == ec::too_many_connections);
  CHECK(add(1, "f", "/f") == ec::none);
  CHECK_EQUAL(x->entries().size(), 5u);
  MESSAGE("a connection counts until its last namespace");
  x->remove("d");
  CHECK(add(2, "e", "/") == ec::too_many_connections);
  x->remove("f");
  CHECK(add(2, "e", "/") == ec::none);
}

TEST(an event goes to the connections in its namespace) {
  add(0, "a", "/");
  add(0, "b", "/chat");
  add(1, "c", "/chat");
  CHECK_EQUAL(push("/chat"), 2u);
  REQUIRE_EQUAL(out[0]->all<deliver>().size(), 1u);
  const auto& got = out[0]->all<deliver>()[0];
  CHECK_EQUAL(got.sid, "b");
  CHECK(got.volatile_);
  CHECK_EQUAL(got.confirm, 70u);
  CHECK_EQUAL(got.confirm_ms, 500);
  CHECK_EQUAL(out[1]->all<deliver>()[0].sid, "c");
  MESSAGE("all share the same bytes");
  CHECK(got.event == out[1]->all<deliver>()[0].event);
  CHECK_EQUAL(push("/none"), 0u);
}

TEST(a new transport is noted without a new version) {
  add(0, "a");
  x->move({"anna", "a", "websocket"});
  x->move({"anna", "unknown", "websocket"});
  CHECK_EQUAL(x->entries()[0].transport, "websocket");
  CHECK_EQUAL(x->version(), 101u);
}

TEST(the info is that of the last verdict) {
  add(0, "a", "/", R"({"n":1})");
  add(1, "b", "/", R"({"n":2})");
  CHECK_EQUAL(x->info(), R"({"n":2})");
}

TEST(the record ends with the leave grace after the last connection) {
  add(0, "a");
  add(1, "b");
  x->remove("a");
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "");
  x->remove("b");
  advance(opts.presence.leave_grace.count() - 1);
  CHECK_EQUAL(ended, "");
  CHECK_EQUAL(living(actor_kind::presence), 1);
  advance(17);
  CHECK_EQUAL(ended, "anna over 0");
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(who returns within the grace finds the record) {
  add(0, "a");
  x->remove("a");
  advance(opts.presence.leave_grace.count() - 1);
  add(1, "b");
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "");
  CHECK_EQUAL(x->version(), 103u);
}

TEST(a killed record says whom it knew) {
  add(0, "a");
  add(1, "b");
  caf::anon_send_exit(handle, caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(ended, "anna lost 2");
  CHECK_EQUAL(living(actor_kind::presence), 0);
  MESSAGE("and no timer of it is left");
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "anna lost 2");
}

CAF_TEST_FIXTURE_SCOPE_END()
