#include "tests/support/mesh.hpp"

#include "tests/support/actors.hpp"

// USERS among other nodes: this one is 1 of 1, 2 and 3.

using namespace signalbox;
using signalbox::test::fake_mesh;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

using nodes = std::vector<uint16_t>;
using fake_connection = recorder<attached, deliver, disconnect>;
using fake_asker = recorder<routed, user_info>;
using fake_relay = recorder<wire::located>;
using fake_nsp = recorder<member_count>;

struct fixture : shards {
  fixture() {
    std::tie(root, counted) = spawn_light<fake_nsp, nsp_actor>(one);
    std::tie(relay, located) = spawn_light<fake_relay, caf::actor>(one);
    std::tie(asker, answers) = spawn_light<fake_asker, ingest_actor>(one);
    users = spawn_users(one, {{"/", root}}, opts.presence, count);
    set_mesh(users, others, relay);
    set_ingest(users, asker);
  }

  ~fixture() {
    for (auto& each : connections)
      end(each);
    end(users);
    end(root);
    end(asker);
    end(relay);
    settle();
    connections.clear();
    users = nullptr;
    root = nullptr;
    asker = nullptr;
    relay = nullptr;
  }

  /// A client of this node asks to join.
  fake_connection* join(const std::string& user, const std::string& sid) {
    auto [handle, side] = spawn_light<fake_connection, connection_actor>(two);
    connections.push_back(handle);
    presence_attach x;
    x.who = handle;
    x.ticket = 50 + connections.size();
    x.user = user;
    x.nsp = "/";
    x.sid = sid;
    x.info = R"({"n":1})";
    tell(std::move(x));
    return side;
  }

  /// Returns what a client was told, `-` if nothing.
  static std::string outcome(fake_connection* x) {
    auto& all = x->all<attached>();
    if (all.size() != 1)
      return all.empty() ? "-" : "too often";
    return to_string(all[0].outcome);
  }

  template <class T>
  void tell(T x) {
    caf::anon_send(users, std::move(x));
    settle();
  }

  /// Another node says something.
  template <class T>
  void say(uint16_t node, T x) {
    x.from = node;
    caf::anon_send(caf::actor_cast<caf::actor>(users), std::move(x));
    settle();
  }

  void answer(uint16_t node, const wire::attach& x, ec outcome = ec::none) {
    say(node, wire::attached{0, x.ticket, outcome});
  }

  void change(nodes live) {
    auto serial = others.change(live);
    tell(view_changed{serial, live});
  }

  /// Another node has a connection of a user.
  void attach(uint16_t node, const std::string& user, uint64_t connection,
              bool home = true) {
    wire::attach x;
    x.ticket = ++tickets;
    x.user = user;
    x.nsp = "/";
    x.connection = connection;
    x.home = home;
    say(node, x);
  }

  /// Returns what the record here says of a user, as `online@node@node`, `-`
  /// without one.
  std::string where(const std::string& user) {
    wire::locate x;
    x.from = 1;
    x.ticket = 1;
    x.nsp = "/";
    x.users = {user};
    x.view = others.hash;
    auto agreed = std::exchange(others.agreed, true);
    caf::anon_send(caf::actor_cast<caf::actor>(users), std::move(x));
    settle();
    others.agreed = agreed;
    auto all = std::exchange(located->all<wire::located>(), {});
    if (all.size() != 1 || !all[0].settled || !all[0].users[0].known)
      return "-";
    auto out = std::to_string(all[0].users[0].online);
    for (auto node : all[0].users[0].nodes)
      out += "@" + std::to_string(node);
    return out;
  }

  uint64_t version(const std::string& user) {
    user_command x;
    x.ids = {user};
    tell(std::move(x));
    return answers->all<user_info>().back().version;
  }

  /// A user whose home is a node of 1, 2 and 3 (and, without one of them,
  /// another one).
  static std::string at(uint16_t home) {
    return fake_mesh::user_of(home, {1, 2, 3});
  }

  static std::string at(uint16_t home, uint16_t without, uint16_t then) {
    nodes rest;
    for (uint16_t i = 1; i <= 3; ++i)
      if (i != without)
        rest.push_back(i);
    for (int i = 0;; ++i)
      if (auto user = fake_mesh::user_of(home, {1, 2, 3}, i);
          ring_home(user, rest) == then)
        return user;
  }

  fake_mesh others{1, {1, 2, 3}};
  nsp_actor root;
  ingest_actor asker;
  caf::actor relay;
  users_actor users;
  fake_nsp* counted = nullptr;
  fake_relay* located = nullptr;
  fake_asker* answers = nullptr;
  std::vector<connection_actor> connections;
  uint64_t tickets = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(users_cluster_tests, fixture)

// -- joining and leaving ------------------------------------------------------

TEST(a user whose home is here is taken up at once) {
  auto* x = join(at(1), "c1");
  CHECK_EQUAL(outcome(x), "none");
  CHECK_EQUAL(others.left(), 0u);
  CHECK_EQUAL(where(at(1)), "1@1");
}

TEST(a user whose home is elsewhere waits for its word) {
  auto* x = join(at(2), "c1");
  CHECK_EQUAL(outcome(x), "-");
  auto asked = others.take<wire::attach>(2);
  REQUIRE_EQUAL(asked.size(), 1u);
  CHECK_EQUAL(others.left(), 0u);
  CHECK_EQUAL(asked[0].user, at(2));
  CHECK_EQUAL(asked[0].nsp, "/");
  CHECK_EQUAL(asked[0].info, R"({"n":1})");
  CHECK_EQUAL(asked[0].connection, connections[0].id());
  CHECK(asked[0].home);
  answer(2, asked[0]);
  CHECK_EQUAL(outcome(x), "none");
  MESSAGE("no record is here");
  CHECK_EQUAL(where(at(2)), "-");
  CHECK_EQUAL(living(actor_kind::presence), 0);
  MESSAGE("and the home is told when it leaves");
  tell(presence_detach{at(2), "c1"});
  auto gone = others.take<wire::detach>(2);
  REQUIRE_EQUAL(gone.size(), 1u);
  CHECK_EQUAL(gone[0].user, at(2));
  CHECK_EQUAL(gone[0].connection, asked[0].connection);
}

TEST(one too many is refused by the home) {
  auto* x = join(at(2), "c1");
  answer(2, others.take<wire::attach>(2)[0], ec::too_many_connections);
  CHECK_EQUAL(outcome(x), "too_many_connections");
  others.kinds();
  MESSAGE("it gets no events");
  deliver_users event;
  event.users = {at(2)};
  event.event = std::make_shared<const codec::shared_event>(
    "/", R"(["x"])", std::vector<std::string>{});
  tell(event);
  CHECK(x->all<deliver>().empty());
}

TEST(a refusal that this node does not know is one) {
  auto* x = join(at(2), "c1");
  answer(2, others.take<wire::attach>(2)[0], static_cast<ec>(250));
  CHECK_EQUAL(outcome(x), "unavailable");
}

TEST(while the view is not settled every node is asked) {
  others.agreed = false;
  auto* x = join(at(2), "c1");
  auto two_asked = others.take<wire::attach>(2);
  auto three_asked = others.take<wire::attach>(3);
  REQUIRE_EQUAL(two_asked.size(), 1u);
  REQUIRE_EQUAL(three_asked.size(), 1u);
  CHECK(two_asked[0].home);
  CHECK(!three_asked[0].home);
  answer(3, three_asked[0]);
  CHECK_EQUAL(outcome(x), "-");
  answer(2, two_asked[0]);
  CHECK_EQUAL(outcome(x), "none");
  MESSAGE("and every node is told when it leaves");
  tell(presence_detach{at(2), "c1"});
  CHECK_EQUAL(others.take<wire::detach>(2).size(), 1u);
  CHECK_EQUAL(others.take<wire::detach>(3).size(), 1u);
}

TEST(an answer counts once and only from who was asked) {
  others.agreed = false;
  auto* x = join(at(2), "c1");
  auto asked = others.take<wire::attach>(2)[0];
  answer(2, asked);
  answer(2, asked);
  answer(9, asked);
  CHECK_EQUAL(outcome(x), "-");
  answer(3, asked);
  CHECK_EQUAL(outcome(x), "none");
  answer(3, asked);
  CHECK_EQUAL(outcome(x), "none");
}

TEST(who leaves while the home is asked is taken back there) {
  auto* x = join(at(2), "c1");
  auto asked = others.take<wire::attach>(2)[0];
  tell(presence_detach{at(2), "c1"});
  CHECK_EQUAL(others.left(), 0u);
  answer(2, asked);
  auto gone = others.take<wire::detach>(2);
  REQUIRE_EQUAL(gone.size(), 1u);
  CHECK_EQUAL(gone[0].connection, asked.connection);
  CHECK_EQUAL(outcome(x), "-");
}

TEST(nobody in particular asks no other node) {
  auto* x = join("", "c1");
  CHECK_EQUAL(outcome(x), "none");
  tell(presence_detach{"", "c1"});
  CHECK_EQUAL(others.left(), 0u);
}

// -- as the home --------------------------------------------------------------

TEST(connections of other nodes are in the record) {
  auto anna = at(1);
  attach(2, anna, 10);
  CHECK(others.take<wire::attached>(2)[0].outcome == ec::none);
  attach(3, anna, 10);
  join(anna, "c1");
  CHECK_EQUAL(where(anna), "3@2@3@1");
  wire::detach gone;
  gone.user = anna;
  gone.nsp = "/";
  gone.connection = 10;
  say(2, gone);
  CHECK_EQUAL(where(anna), "2@3@1");
}

TEST(the cap counts the connections of all nodes) {
  opts.presence.max_connections = 2;
  auto anna = at(1);
  attach(2, anna, 10);
  attach(3, anna, 10);
  CHECK_EQUAL(outcome(join(anna, "c1")), "too_many_connections");
  attach(3, anna, 11);
  CHECK(others.take<wire::attached>(3).back().outcome
        == ec::too_many_connections);
  CHECK_EQUAL(where(anna), "2@2@3");
}

TEST(who is not the home takes nothing up and has no say) {
  opts.presence.max_connections = 0;
  attach(2, at(3), 10, false);
  CHECK(others.take<wire::attached>(2)[0].outcome == ec::none);
  CHECK_EQUAL(where(at(3)), "-");
  MESSAGE("unless it is the home in its own view");
  opts.presence.max_connections = 5;
  attach(2, at(1), 10, false);
  CHECK_EQUAL(where(at(1)), "1@2");
}

TEST(where users are is said only about the same view) {
  auto anna = at(1);
  attach(2, anna, 10);
  others.kinds();
  wire::locate x;
  x.ticket = 8;
  x.nsp = "/";
  x.users = {"nobody", anna};
  x.view = others.hash;
  say(3, x);
  auto said = others.take<wire::located>(3);
  REQUIRE_EQUAL(said.size(), 1u);
  CHECK(said[0].settled);
  CHECK_EQUAL(said[0].ticket, 8u);
  REQUIRE_EQUAL(said[0].users.size(), 2u);
  CHECK(!said[0].users[0].known);
  CHECK_EQUAL(said[0].users[1].online, 1u);
  CHECK(said[0].users[1].nodes == nodes{2});
  x.view = others.hash + 1;
  say(3, x);
  CHECK(!others.take<wire::located>(3)[0].settled);
  x.view = others.hash;
  others.agreed = false;
  say(3, x);
  CHECK(!others.take<wire::located>(3)[0].settled);
}

TEST(a killed record is put together again by all nodes) {
  auto anna = at(1);
  attach(2, anna, 10);
  join(anna, "c1");
  others.kinds();
  caf::anon_send_exit(find_record(users, anna), caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(where(anna), "1@1");
  auto recalled = others.take<wire::recall>(2);
  REQUIRE_EQUAL(recalled.size(), 1u);
  CHECK_EQUAL(recalled[0].user, anna);
  CHECK_EQUAL(others.left(), 0u);
  wire::hold x;
  x.user = anna;
  x.seats = {{"/", 10}};
  say(2, x);
  CHECK_EQUAL(where(anna), "2@1@2");
}

TEST(a node that is asked again holds whom it has) {
  join(at(2), "c1");
  answer(2, others.take<wire::attach>(2)[0]);
  say(2, wire::recall{0, at(2)});
  auto held = others.take<wire::hold>(2);
  REQUIRE_EQUAL(held.size(), 1u);
  CHECK_EQUAL(held[0].user, at(2));
  REQUIRE_EQUAL(held[0].seats.size(), 1u);
  CHECK_EQUAL(held[0].seats[0].connection, connections[0].id());
  say(2, wire::recall{0, "nobody"});
  CHECK_EQUAL(others.left(), 0u);
}

// -- views --------------------------------------------------------------------

TEST(a lost home is followed by another one) {
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  join(here, "c1");
  join(there, "c2");
  for (const auto& each : others.take<wire::attach>(2))
    answer(2, each);
  REQUIRE_EQUAL(others.left(), 0u);
  change({1, 3});
  CHECK_EQUAL(where(here), "1@1");
  auto held = others.take<wire::hold>(3);
  REQUIRE_EQUAL(held.size(), 1u);
  CHECK_EQUAL(held[0].user, there);
  CHECK_EQUAL(held[0].info, R"({"n":1})");
  CHECK_EQUAL(others.left(), 0u);
  MESSAGE("then this node says that it has reported all");
  CHECK_EQUAL(others.reports.size(), 1u);
  CHECK_EQUAL(others.reports.back(), others.serial);
}

TEST(a home that comes back gets its users from where they were) {
  change({1, 3});
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  others.agreed = true;
  join(here, "c1");
  join(there, "c2");
  answer(3, others.take<wire::attach>(3)[0]);
  others.kinds();
  change({1, 2, 3});
  CHECK_EQUAL(where(here), "-");
  CHECK_EQUAL(living(actor_kind::presence), 0);
  auto held = others.take<wire::hold>(2);
  REQUIRE_EQUAL(held.size(), 2u);
  auto released = others.take<wire::release>(3);
  REQUIRE_EQUAL(released.size(), 1u);
  CHECK_EQUAL(released[0].user, there);
  CHECK_EQUAL(others.left(), 0u);
}

TEST(users whose home stays are not reported again) {
  join(at(1), "c1");
  join(at(3), "c2");
  answer(3, others.take<wire::attach>(3)[0]);
  change({1, 3});
  CHECK_EQUAL(others.kinds(), "");
  CHECK_EQUAL(where(at(1)), "1@1");
}

TEST(a home that was lost and is back knows nothing and is told again) {
  join(at(2), "c1");
  answer(2, others.take<wire::attach>(2)[0]);
  change({1, 3});
  others.kinds();
  change({1, 2, 3});
  CHECK_EQUAL(others.take<wire::hold>(2).size(), 1u);
}

TEST(a lost node takes its connections out of the records) {
  auto anna = at(1);
  attach(2, anna, 10);
  attach(3, anna, 10);
  auto before = version(anna);
  change({1, 3});
  CHECK_EQUAL(where(anna), "1@3");
  CHECK(version(anna) > before);
  MESSAGE("what it had sent before comes too late");
  wire::hold x;
  x.user = anna;
  x.seats = {{"/", 10}};
  say(2, x);
  CHECK_EQUAL(where(anna), "1@3");
}

TEST(a record that moves away ends here when it is released) {
  auto anna = fake_mesh::user_of(1, {1, 3});
  for (int i = 0; ring_home(anna, {1, 2, 3}) != 2; ++i)
    anna = fake_mesh::user_of(1, {1, 3}, i);
  change({1, 3});
  attach(3, anna, 10);
  CHECK_EQUAL(where(anna), "1@3");
  change({1, 2, 3});
  MESSAGE("its node may not see yet that the home is elsewhere");
  CHECK_EQUAL(where(anna), "1@3");
  say(3, wire::release{0, anna});
  CHECK_EQUAL(where(anna), "-");
  MESSAGE("a report that was under way makes a record that its release ends");
  wire::hold x;
  x.user = anna;
  x.seats = {{"/", 10}};
  say(3, x);
  say(3, wire::release{0, anna});
  CHECK_EQUAL(where(anna), "-");
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

// -- views while somebody joins -----------------------------------------------

TEST(a home that is lost while it is asked is followed by another one) {
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  auto* a = join(here, "c1");
  auto* b = join(there, "c2");
  others.kinds();
  change({1, 3});
  CHECK_EQUAL(where(here), "1@1");
  auto asked = others.take<wire::attach>(3);
  REQUIRE_EQUAL(asked.size(), 2u);
  for (const auto& each : asked) {
    CHECK_EQUAL(each.home, each.user == there);
    answer(3, each);
  }
  CHECK_EQUAL(outcome(a), "none");
  CHECK_EQUAL(outcome(b), "none");
}

TEST(a node that was asked before it was the home is asked again) {
  others.agreed = false;
  auto here = at(2, 2, 1);
  auto there = at(2, 2, 3);
  auto* a = join(here, "c1");
  auto* b = join(there, "c2");
  for (const auto& each : others.take<wire::attach>(3)) {
    CHECK(!each.home);
    answer(3, each);
  }
  others.kinds();
  CHECK_EQUAL(outcome(a), "-");
  change({1, 3});
  MESSAGE("whoever is the home now must have the user in its record");
  CHECK_EQUAL(where(here), "1@1");
  auto asked = others.take<wire::attach>(3);
  auto home = std::find_if(asked.begin(), asked.end(),
                           [&](const auto& x) { return x.user == there; });
  REQUIRE(home != asked.end());
  CHECK(home->home);
  for (const auto& each : asked)
    answer(3, each);
  CHECK_EQUAL(outcome(a), "none");
  CHECK_EQUAL(outcome(b), "none");
}

TEST(an old answer does not speak for a new question) {
  others.agreed = false;
  auto there = at(2, 2, 3);
  auto* x = join(there, "c1");
  auto old = others.take<wire::attach>(3)[0];
  change({1, 3});
  auto again = others.take<wire::attach>(3);
  REQUIRE_EQUAL(again.size(), 1u);
  answer(3, old);
  CHECK_EQUAL(outcome(x), "-");
  answer(3, again[0], ec::too_many_connections);
  CHECK_EQUAL(outcome(x), "too_many_connections");
}

TEST(a home that is no longer one lets go of who was joining) {
  change({1, 3});
  others.agreed = true;
  auto there = at(2, 2, 3);
  auto* x = join(there, "c1");
  REQUIRE_EQUAL(others.take<wire::attach>(3).size(), 1u);
  change({1, 2, 3});
  for (uint16_t node : {2, 3})
    for (const auto& each : others.take<wire::attach>(node)) {
      CHECK_EQUAL(each.home, node == 2);
      answer(node, each);
    }
  CHECK_EQUAL(outcome(x), "none");
  CHECK_EQUAL(others.take<wire::detach>(3).size(), 1u);
}

TEST(who left while a home was lost is known nowhere) {
  auto here = at(2, 2, 1);
  auto* x = join(here, "c1");
  tell(presence_detach{here, "c1"});
  change({1, 3});
  for (const auto& each : others.take<wire::attach>(3))
    answer(3, each);
  CHECK_EQUAL(outcome(x), "-");
  CHECK_EQUAL(where(here), "0");
  CHECK_EQUAL(others.take<wire::detach>(3).size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
