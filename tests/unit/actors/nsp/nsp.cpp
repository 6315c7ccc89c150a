#include "actors/nsp/nsp.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_ingest;
using signalbox::test::shards;

namespace {

struct fake_member : member {
  bool deliver(const codec::shared_event& event, bool volatile_) override {
    events += std::string{event.args()} + (volatile_ ? "v" : "");
    return true;
  }

  void namespace_down() override {
    down = true;
  }

  std::string events;
  bool down = false;
};

struct fixture : shards {
  fixture() {
    std::tie(in, ingest) = spawn_light<fake_ingest, ingest_actor>(one);
    x = spawn_nsp(one, {&one, &two}, "/", count, 10);
    set_ingest(x, in);
    x.hubs[0].local->join(a);
    x.hubs[1].local->join(b);
    x.hubs[1].local->join(c);
  }

  ~fixture() {
    end(x.handle);
    end(in);
    settle();
    x = {};
    in = nullptr;
  }

  void send(uint64_t ticket, const std::string& args,
            std::vector<std::string> rooms = {}, bool volatile_ = false) {
    broadcast out;
    out.ticket = ticket;
    out.event = std::make_shared<const codec::shared_event>(
      "/", args, std::vector<std::string>{});
    out.rooms = std::move(rooms);
    out.volatile_ = volatile_;
    caf::anon_send(x.handle, std::move(out));
  }

  /// Returns what INGEST was told, as `ticket:matched/online`.
  std::string told() {
    settle();
    std::string out;
    for (const auto& each : std::exchange(ingest->all<routed>(), {}))
      out += std::to_string(each.ticket) + ':' + std::to_string(each.matched)
             + '/' + std::to_string(each.online) + ' ';
    return out;
  }

  fake_member a;
  fake_member b;
  fake_member c;
  ingest_actor in;
  fake_ingest* ingest = nullptr;
  nsp_ref x;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(nsp_tests, fixture)

TEST(an event reaches the members on every shard once) {
  caf::anon_send(x.handle, member_count{2});
  send(1, "[1]");
  CHECK_EQUAL(told(), "1:2/3 ");
  for (auto* each : {&a, &b, &c})
    CHECK_EQUAL(each->events, "[1]");
}

TEST(every member sees the events in the order of acceptance) {
  x.hubs[1].local->join_room(b, "r");
  send(1, "[1]");
  send(2, "[2]", {"r"});
  send(3, "[3]", {}, true);
  CHECK_EQUAL(told(), "1:0/3 2:1/1 3:0/3 ");
  CHECK_EQUAL(a.events, "[1][3]v");
  CHECK_EQUAL(b.events, "[1][2][3]v");
}

TEST(matched counts the rooms that have members anywhere) {
  x.hubs[0].local->join_room(a, "r");
  x.hubs[1].local->join_room(b, "r");
  x.hubs[1].local->join_room(b, "s");
  send(1, "[1]", {"r", "s", "none"});
  CHECK_EQUAL(told(), "1:2/2 ");
  CHECK_EQUAL(b.events, "[1]");
  CHECK_EQUAL(c.events, "");
  send(2, "[2]", {"none"});
  CHECK_EQUAL(told(), "2:0/0 ");
}

TEST(matched counts the users that are in the namespace) {
  send(1, "[1]");
  caf::anon_send(x.handle, member_count{1});
  caf::anon_send(x.handle, member_count{1});
  send(2, "[2]");
  caf::anon_send(x.handle, member_count{-1});
  send(3, "[3]");
  CHECK_EQUAL(told(), "1:0/3 2:2/3 3:1/3 ");
}

TEST(a killed namespace tells its members on every shard) {
  CHECK_EQUAL(living(actor_kind::nsp), 1);
  CHECK_EQUAL(living(actor_kind::hub), 2);
  caf::anon_send_exit(x.handle, caf::exit_reason::kill);
  settle();
  CHECK(a.down);
  CHECK(b.down);
  CHECK(c.down);
  CHECK_EQUAL(living(actor_kind::nsp), 0);
  CHECK_EQUAL(living(actor_kind::hub), 0);
}

TEST(a killed hub takes its namespace along) {
  caf::anon_send_exit(x.hubs[1].handle, caf::exit_reason::kill);
  settle();
  CHECK(a.down);
  CHECK(b.down);
  CHECK_EQUAL(living(actor_kind::nsp), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
