#include "actors/nsp/hub.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::shards;

namespace {

struct fake_member : member {
  bool deliver(const codec::shared_event& event, bool) override {
    events.emplace_back(event.args());
    return reads;
  }

  bool joined_before(uint32_t losses) const noexcept override {
    return joined < losses;
  }

  void namespace_down() override {
    down = true;
  }

  std::vector<std::string> events;
  bool reads = true;
  uint32_t joined = 0;
  bool down = false;
};

using fake_nsp = signalbox::test::recorder<fanned_out>;

struct fixture : shards {
  fixture() {
    std::tie(nsp, answers) = spawn_light<fake_nsp, nsp_actor>(one);
    x = spawn_hub(two, "/", count, 3);
    set_nsp(x, nsp);
    for (auto* each : {&a, &b, &c})
      x.local->join(*each);
  }

  ~fixture() {
    end(x.handle);
    end(nsp);
    settle();
    x = {};
    nsp = nullptr;
  }

  /// Pushes an event; returns how many members the hub says it reached.
  uint64_t push(std::vector<std::string> rooms = {}) {
    fan_out out;
    out.ticket = 7;
    out.event = std::make_shared<const codec::shared_event>(
      "/", R"(["x"])", std::vector<std::string>{});
    out.rooms = std::move(rooms);
    caf::anon_send(x.handle, std::move(out));
    settle();
    auto& last = answers->all<fanned_out>().back();
    CHECK_EQUAL(last.ticket, 7u);
    found.clear();
    for (auto each : last.rooms)
      found += each ? '1' : '0';
    return last.online;
  }

  /// Returns how many events each member has received, and forgets them.
  std::string took() {
    std::string out;
    for (auto* each : {&a, &b, &c})
      out += std::to_string(std::exchange(each->events, {}).size());
    return out;
  }

  fake_member a;
  fake_member b;
  fake_member c;
  hub_ref x;
  nsp_actor nsp;
  fake_nsp* answers = nullptr;
  std::string found;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(hub_tests, fixture)

TEST(an event for all reaches every member) {
  CHECK_EQUAL(push(), 3u);
  CHECK_EQUAL(a.events.size(), 1u);
  CHECK_EQUAL(a.events[0], R"(["x"])");
  CHECK_EQUAL(took(), "111");
  CHECK_EQUAL(count.deliveries, 3u);
}

TEST(an event for a room reaches its members only) {
  x.local->join_room(a, "r");
  x.local->join_room(b, "s");
  CHECK_EQUAL(push({"r"}), 1u);
  CHECK_EQUAL(took(), "100");
  CHECK_EQUAL(found, "1");
  CHECK_EQUAL(push({"nobody"}), 0u);
  CHECK_EQUAL(took(), "000");
  CHECK_EQUAL(found, "0");
}

TEST(who is in several of the rooms receives the event once) {
  for (const auto* each : {"r", "s", "t"})
    x.local->join_room(a, each);
  x.local->join_room(b, "s");
  CHECK_EQUAL(push({"r", "none", "s", "t"}), 2u);
  CHECK_EQUAL(took(), "110");
  CHECK_EQUAL(found, "1011");
}

TEST(joining a room twice is joining it once) {
  CHECK(x.local->join_room(a, "r"));
  CHECK(x.local->join_room(a, "r"));
  x.local->leave_room(a, "r");
  CHECK_EQUAL(push({"r"}), 0u);
  CHECK(a.rooms.empty());
}

TEST(a room that a member is not in is left without harm) {
  x.local->join_room(b, "r");
  x.local->leave_room(a, "r");
  x.local->leave_room(a, "none");
  CHECK_EQUAL(push({"r"}), 1u);
}

TEST(a member may have as many rooms as the limit and not one more) {
  for (const auto* each : {"r", "s", "t"})
    CHECK(x.local->join_room(a, each));
  CHECK(!x.local->join_room(a, "u"));
  CHECK_EQUAL(count.limit_rooms, 1u);
  CHECK_EQUAL(push({"u"}), 0u);
  MESSAGE("a known room is no further one");
  CHECK(x.local->join_room(a, "r"));
  MESSAGE("and one that was left makes room");
  x.local->leave_room(a, "r");
  CHECK(x.local->join_room(a, "u"));
}

TEST(who left receives nothing more) {
  x.local->join_room(a, "r");
  x.local->leave(a);
  CHECK(a.rooms.empty());
  CHECK_EQUAL(push(), 2u);
  CHECK_EQUAL(push({"r"}), 0u);
  CHECK_EQUAL(took(), "011");
  MESSAGE("leaving twice takes nobody else out");
  x.local->leave(a);
  CHECK_EQUAL(push(), 2u);
  MESSAGE("nor does the last one's place");
  x.local->leave(c);
  x.local->leave(b);
  CHECK_EQUAL(push(), 0u);
}

TEST(a member that could not take the event does not count) {
  b.reads = false;
  CHECK_EQUAL(push(), 2u);
}

TEST(what comes late is for those who were there before) {
  a.joined = 1;
  b.joined = 2;
  fan_out late;
  late.event = std::make_shared<const codec::shared_event>(
    "/", R"(["x"])", std::vector<std::string>{});
  late.before = 2;
  caf::anon_send(x.handle, late);
  settle();
  CHECK_EQUAL(answers->all<fanned_out>().back().online, 2u);
  CHECK_EQUAL(a.events.size(), 1u);
  CHECK(b.events.empty());
  CHECK_EQUAL(push(), 3u);
}

TEST(every member learns of the end) {
  x.local->join_room(a, "r");
  CHECK(x.local->open());
  CHECK_EQUAL(living(actor_kind::hub), 1);
  caf::anon_send_exit(x.handle, caf::exit_reason::kill);
  settle();
  CHECK(a.down);
  CHECK(b.down);
  CHECK(c.down);
  CHECK(a.rooms.empty());
  CHECK(!x.local->open());
  CHECK_EQUAL(living(actor_kind::hub), 0);
  MESSAGE("leaving what is gone does no harm");
  x.local->leave(a);
}

CAF_TEST_FIXTURE_SCOPE_END()
