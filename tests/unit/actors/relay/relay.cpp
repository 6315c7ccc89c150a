#include "actors/relay/relay.hpp"

#include "tests/support/mesh.hpp"

#include "tests/support/actors.hpp"

// RELAY on node 1 of 1, 2 and 3.

using namespace signalbox;
using signalbox::test::fake_mesh;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

using nodes = std::vector<uint16_t>;
using names = std::vector<std::string>;
using fake_users = recorder<deliver_users, user_command, wire::locate>;
using fake_nsp = recorder<broadcast>;
using fake_ingest = recorder<routed, confirmed, user_info>;

struct fixture : shards {
  fixture() {
    std::tie(users, asked) = spawn_light<fake_users, users_actor>(one);
    std::tie(root, cast) = spawn_light<fake_nsp, nsp_actor>(one);
    std::tie(ingest, answers) = spawn_light<fake_ingest, ingest_actor>(one);
    x = spawn_relay(one, opts, others, users, {{"/", root}}, count);
    set_ingest(x, ingest);
    change({1, 2, 3});
    others.agreed = true;
  }

  ~fixture() {
    end(x.self);
    end(users);
    end(root);
    end(ingest);
    settle();
    x = {};
    users = nullptr;
    root = nullptr;
    ingest = nullptr;
  }

  void change(nodes live) {
    auto serial = others.change(live);
    caf::anon_send(x.self, view_changed{serial, live});
    settle();
  }

  static codec::event_ptr event(const std::string& args,
                                const std::string& nsp = "/") {
    return std::make_shared<const codec::shared_event>(
      nsp, args, std::vector<std::string>{});
  }

  /// INGEST has accepted an event for users.
  void post(uint64_t ticket, names to, const std::string& args = "[1]",
            const std::string& nsp = "/", uint64_t confirm = 0) {
    deliver_users out;
    out.ticket = ticket;
    out.users = std::move(to);
    out.event = event(args, nsp);
    out.confirm = confirm;
    out.confirm_ms = confirm == 0 ? 0 : 5000;
    caf::anon_send(x.users, std::move(out));
    settle();
  }

  /// INGEST has accepted an event for all, or for rooms.
  void post_all(uint64_t ticket, const std::string& args = "[1]",
                const std::string& nsp = "/", names rooms = {}) {
    broadcast out;
    out.ticket = ticket;
    out.event = event(args, nsp);
    out.rooms = std::move(rooms);
    caf::anon_send(x.events, std::move(out));
    settle();
  }

  template <class T>
  void say(uint16_t node, T y) {
    y.from = node;
    caf::anon_send(x.self, std::move(y));
    settle();
  }

  /// A home says where its users are, one list of nodes each.
  void locate(uint16_t node, uint64_t ticket, std::vector<nodes> where,
              bool settled = true) {
    wire::located y;
    y.ticket = ticket;
    y.settled = settled;
    if (settled)
      for (const auto& each : where)
        y.users.push_back(
          {!each.empty(), static_cast<uint32_t>(each.size()), each});
    say(node, std::move(y));
  }

  void route(uint16_t node, uint64_t ticket, uint64_t matched, uint64_t online,
             names offline = {}, std::vector<bool> found = {}) {
    wire::routed y;
    y.ticket = ticket;
    y.matched = matched;
    y.online = online;
    y.offline = std::move(offline);
    y.found = std::move(found);
    say(node, std::move(y));
  }

  /// USERS or the namespace here answers.
  void route_here(uint64_t ticket, uint64_t matched, uint64_t online,
                  names offline = {}, std::vector<bool> found = {}) {
    routed y;
    y.ticket = ticket;
    y.matched = matched;
    y.online = online;
    y.offline = std::move(offline);
    y.found = std::move(found);
    caf::anon_send(x.ingest, std::move(y));
    settle();
  }

  void ack(uint16_t node, uint64_t number) {
    caf::anon_send(x.self, batches_acked{node, number});
    settle();
  }

  /// Returns what INGEST was told, as `ticket:matched/online` and, behind it,
  /// `-user` for who was offline and `!node` for who could not be reached.
  std::string told() {
    std::string out;
    for (const auto& each : std::exchange(answers->all<routed>(), {})) {
      out += std::to_string(each.ticket) + ':' + std::to_string(each.matched)
             + '/' + std::to_string(each.online);
      for (const auto& user : each.offline)
        out += " -" + user;
      for (auto node : each.unreachable)
        out += " !" + std::to_string(node);
      out += ' ';
    }
    return out;
  }

  /// Returns the arguments of what was sent to a node, in order of their kind.
  std::string sent(uint16_t node) {
    std::string out;
    for (const auto& each : others.take<wire::deliver>(node))
      out += each.args;
    for (const auto& each : others.take<wire::broadcast>(node))
      out += each.args;
    return out;
  }

  static std::string at(uint16_t home, int nth = 0) {
    return fake_mesh::user_of(home, {1, 2, 3}, nth);
  }

  fake_mesh others{1, {1, 2, 3}};
  users_actor users;
  nsp_actor root;
  ingest_actor ingest;
  relay_ref x;
  fake_users* asked = nullptr;
  fake_nsp* cast = nullptr;
  fake_ingest* answers = nullptr;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(relay_tests, fixture)

// -- private events -----------------------------------------------------------

TEST(the homes of the users are asked where they are) {
  post(7, {at(2), at(1), at(3), at(2, 1)});
  auto two_asked = others.take<wire::locate>(2);
  REQUIRE_EQUAL(two_asked.size(), 1u);
  CHECK_EQUAL(two_asked[0].ticket, 7u);
  CHECK_EQUAL(two_asked[0].nsp, "/");
  CHECK_EQUAL(two_asked[0].view, others.hash);
  CHECK_EQUAL(two_asked[0].users, (names{at(2), at(2, 1)}));
  CHECK_EQUAL(others.take<wire::locate>(3)[0].users, names{at(3)});
  MESSAGE("this node's own question goes to USERS");
  REQUIRE_EQUAL(asked->all<wire::locate>().size(), 1u);
  CHECK_EQUAL(asked->all<wire::locate>()[0].users, names{at(1)});
  CHECK_EQUAL(asked->all<wire::locate>()[0].from, 1u);
  CHECK_EQUAL(others.left(), 0u);
}

TEST(an event goes to the nodes that have the user and to no other) {
  post(7, {at(2), at(2, 1)}, "[5]");
  locate(2, 7, {{3}, {3, 1}});
  others.take<wire::locate>(2);
  auto out = others.take<wire::deliver>(3);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].users, (names{at(2), at(2, 1)}));
  CHECK_EQUAL(out[0].args, "[5]");
  CHECK_EQUAL(out[0].ticket, 0u);
  CHECK_EQUAL(others.left(), 0u);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(asked->all<deliver_users>()[0].users, names{at(2, 1)});
  CHECK_EQUAL(asked->all<deliver_users>()[0].ticket, 0u);
}

TEST(the answer is what the homes said once the nodes have the event) {
  post(7, {at(2), at(2, 1), at(2, 2)}, "[5]", "/", 70);
  locate(2, 7, {{3}, {2, 3}, {}});
  CHECK_EQUAL(told(), "");
  auto number = others.take<wire::deliver>(3).size();
  REQUIRE_EQUAL(number, 1u);
  MESSAGE("batches are acknowledged by their numbers");
  ack(3, 0);
  ack(2, 9);
  CHECK_EQUAL(told(), "");
  ack(3, 9);
  CHECK_EQUAL(told(), "7:2/3 -" + at(2, 2) + ' ');
}

TEST(a user nobody has is answered at once) {
  post(7, {at(2)});
  locate(2, 7, {{}});
  CHECK_EQUAL(told(), "7:0/0 ");
  post(8, {at(1)});
  locate(1, 8, {{1}});
  CHECK_EQUAL(told(), "8:1/1 ");
}

TEST(an answer to an event that was not asked for is ignored) {
  post(7, {at(2)});
  locate(3, 7, {{3}});
  locate(2, 8, {{3}});
  CHECK(others.take<wire::deliver>(3).empty());
  MESSAGE("one about fewer users than were named cannot be relied on");
  locate(2, 7, {});
  CHECK_EQUAL(others.take<wire::deliver>(2).size(), 1u);
  CHECK_EQUAL(others.take<wire::deliver>(3).size(), 1u);
}

// -- order --------------------------------------------------------------------

TEST(a broadcast does not overtake a private event whose home is asked) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  post(3, {at(3)}, "[3]");
  post_all(4, "[4]");
  CHECK(cast->all<broadcast>().empty());
  CHECK_EQUAL(sent(3), "");
  MESSAGE("neither does an event whose home is quicker");
  locate(3, 3, {{3}});
  CHECK_EQUAL(others.take<wire::locate>(3).size(), 1u);
  CHECK_EQUAL(others.take<wire::locate>(2).size(), 1u);
  CHECK_EQUAL(others.left(), 0u);
  locate(2, 1, {{3}});
  MESSAGE("deliver 20, broadcast 21");
  CHECK_EQUAL(others.kinds(), "20>3 21>2 21>3 20>3 21>2 21>3 ");
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 2u);
  CHECK_EQUAL(cast->all<broadcast>()[0].event->args(), "[2]");
  CHECK_EQUAL(cast->all<broadcast>()[1].event->args(), "[4]");
}

TEST(another namespace does not wait) {
  post(1, {at(2)}, "[1]", "/chat");
  post_all(2, "[2]");
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK_EQUAL(sent(3), "[2]");
  post_all(3, "[3]", "/chat");
  CHECK_EQUAL(sent(3), "");
  locate(2, 1, {{3}});
  CHECK_EQUAL(sent(3), "[1][3]");
}

// -- to all nodes -------------------------------------------------------------

TEST(a broadcast crosses to each node once) {
  post_all(7, "[5]", "/", {"r", "s"});
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK_EQUAL(cast->all<broadcast>()[0].rooms, (names{"r", "s"}));
  for (uint16_t node : {2, 3}) {
    auto out = others.take<wire::broadcast>(node);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].nsp, "/");
    CHECK_EQUAL(out[0].args, "[5]");
    CHECK_EQUAL(out[0].rooms, (names{"r", "s"}));
    CHECK_EQUAL(out[0].ticket, 7u);
  }
  CHECK_EQUAL(others.left(), 0u);
  route_here(7, 1, 2, {}, {true, false});
  route(2, 7, 1, 3, {}, {true, false});
  CHECK_EQUAL(told(), "");
  route(3, 7, 0, 0, {}, {false, false});
  CHECK_EQUAL(told(), "7:1/5 ");
}

TEST(attachments cross with their event) {
  broadcast out;
  out.ticket = 7;
  out.event = std::make_shared<const codec::shared_event>(
    "/", R"([{"_placeholder":true,"num":0}])",
    std::vector<std::string>{std::string{"\0\1", 2}});
  caf::anon_send(x.events, out);
  settle();
  auto sent = others.take<wire::broadcast>(2);
  REQUIRE_EQUAL(sent[0].attachments.size(), 1u);
  CHECK_EQUAL(sent[0].attachments[0], (std::string{"\0\1", 2}));
  MESSAGE("and come out there");
  say(2, sent[0]);
  const auto& packets =
    cast->all<broadcast>().back().event->packets(codec::wire_form::v4);
  REQUIRE_EQUAL(packets.size(), 2u);
  CHECK_EQUAL(packets[1]->text(), (std::string{"\0\1", 2}));
}

TEST(while the view is not settled a private event goes to all nodes) {
  others.agreed = false;
  post(7, {at(2), "ben"}, "[5]", "/", 70);
  CHECK(asked->all<wire::locate>().empty());
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(asked->all<deliver_users>()[0].ticket, 7u);
  for (uint16_t node : {2, 3}) {
    auto out = others.take<wire::deliver>(node);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].users, (names{at(2), "ben"}));
    CHECK_EQUAL(out[0].ticket, 7u);
    CHECK_EQUAL(out[0].confirm, 70u);
    CHECK_EQUAL(out[0].confirm_ms, 5000);
  }
  CHECK_EQUAL(others.left(), 0u);
  route_here(7, 0, 0, {at(2), "ben"}, {false, false});
  route(2, 7, 1, 1, {"ben"}, {true, false});
  route(3, 7, 1, 2, {"ben"}, {true, false});
  CHECK_EQUAL(told(), "7:1/3 -ben ");
}

TEST(a home that sees another view sends the event to all nodes) {
  post(7, {at(2), at(3)});
  locate(2, 7, {}, false);
  CHECK_EQUAL(others.take<wire::deliver>(2).size(), 1u);
  CHECK_EQUAL(others.take<wire::deliver>(3).size(), 1u);
  MESSAGE("the other home's word comes too late");
  locate(3, 7, {{3}});
  CHECK(others.take<wire::deliver>(3).empty());
}

// -- what fails ---------------------------------------------------------------

TEST(the loss of a home that is asked sends the event to all nodes) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  others.kinds();
  change({1, 3});
  CHECK_EQUAL(others.kinds(), "20>3 21>3 ");
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
}

TEST(a node that is lost before it answers is named) {
  others.gone = {2};
  post_all(7);
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "");
  change({1, 3});
  CHECK_EQUAL(told(), "7:2/2 !2 ");
}

TEST(a node that is lost before it has the event is named) {
  post(7, {at(2)});
  locate(2, 7, {{2, 3}});
  ack(3, 9);
  change({1, 3});
  CHECK_EQUAL(told(), "7:1/2 !2 ");
  MESSAGE("acknowledgements of its next life mean nothing");
  change({1, 2, 3});
  ack(2, 9);
  CHECK_EQUAL(told(), "");
}

TEST(a node that is lost and not forgotten is named in every answer) {
  change({1, 3});
  others.gone = {2};
  others.agreed = true;
  post_all(7);
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "7:2/2 !2 ");
  others.gone = {};
  post_all(8);
  route_here(8, 1, 1);
  route(3, 8, 1, 1);
  CHECK_EQUAL(told(), "8:2/2 ");
}

TEST(a node that comes back before the answer is named all the same) {
  change({1, 3});
  others.gone = {2};
  others.agreed = true;
  post_all(7);
  others.gone = {};
  change({1, 2, 3});
  route_here(7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "7:2/2 !2 ");
}

TEST(a node that does not answer in time is named) {
  post_all(7);
  route_here(7, 1, 1);
  route(2, 7, 1, 1);
  advance(opts.cluster.request_timeout.count() - 200);
  CHECK_EQUAL(told(), "");
  advance(400);
  CHECK_EQUAL(told(), "7:2/2 !3 ");
  MESSAGE("what it says later is too late");
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "");
}

TEST(a home that does not answer in time is done without) {
  post(1, {at(2)}, "[1]");
  post_all(2, "[2]");
  others.kinds();
  advance(opts.cluster.request_timeout.count() + 200);
  CHECK_EQUAL(others.kinds(), "20>2 20>3 21>2 21>3 ");
}

TEST(a namespace that only other nodes have is answered for by them) {
  post_all(7, "[1]", "/other");
  route(2, 7, 3, 4);
  CHECK_EQUAL(told(), "");
  route(3, 7, 0, 0);
  CHECK_EQUAL(told(), "7:3/4 ");
}

// -- confirms -----------------------------------------------------------------

TEST(an ack of a client elsewhere reaches INGEST) {
  post(7, {at(2)}, "[5]", "/", 70);
  locate(2, 7, {{3}});
  auto out = others.take<wire::deliver>(3);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].confirm, 70u);
  say(3, wire::confirmed{0, 70, at(2)});
  REQUIRE_EQUAL(answers->all<confirmed>().size(), 1u);
  CHECK_EQUAL(answers->all<confirmed>()[0].confirm, 70u);
  CHECK_EQUAL(answers->all<confirmed>()[0].user, at(2));
}

TEST(an ack of a client here reaches whoever waits for it) {
  wire::deliver in;
  in.nsp = "/";
  in.users = {"anna", "ben"};
  in.args = "[5]";
  in.confirm = 70;
  in.confirm_ms = 5000;
  say(2, in);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  const auto& local = asked->all<deliver_users>()[0];
  CHECK_EQUAL(local.ticket, 0u);
  CHECK_EQUAL(local.confirm_ms, 5000);
  CHECK(local.confirm != 70u);
  CHECK(local.confirm != 0u);
  for (const auto* user : {"anna", "ben"}) {
    caf::anon_send(x.ingest, confirmed{local.confirm, user});
    settle();
    auto out = others.take<wire::confirmed>(2);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].confirm, 70u);
    CHECK_EQUAL(out[0].user, user);
  }
  CHECK(answers->all<confirmed>().empty());
  MESSAGE("until its time is over");
  advance(5000 + 3 * opts.cluster.request_timeout.count() + 200);
  caf::anon_send(x.ingest, confirmed{local.confirm, "anna"});
  settle();
  CHECK_EQUAL(others.left(), 0u);
}

TEST(an ack for an event of this node goes to INGEST) {
  caf::anon_send(x.ingest, confirmed{70, "anna"});
  settle();
  REQUIRE_EQUAL(answers->all<confirmed>().size(), 1u);
  CHECK_EQUAL(answers->all<confirmed>()[0].confirm, 70u);
}

// -- for other nodes ----------------------------------------------------------

TEST(events of other nodes are carried out and answered) {
  wire::deliver in;
  in.ticket = 30;
  in.nsp = "/";
  in.users = {"anna"};
  in.args = "[5]";
  in.volatile_ = true;
  say(2, in);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  const auto& local = asked->all<deliver_users>()[0];
  CHECK_EQUAL(local.users, names{"anna"});
  CHECK_EQUAL(local.event->args(), "[5]");
  CHECK(local.volatile_);
  route_here(local.ticket, 1, 2, {"ben"}, {true});
  auto out = others.take<wire::routed>(2);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].ticket, 30u);
  CHECK_EQUAL(out[0].matched, 1u);
  CHECK_EQUAL(out[0].online, 2u);
  CHECK_EQUAL(out[0].offline, names{"ben"});
  MESSAGE("once");
  route_here(local.ticket, 1, 2);
  CHECK_EQUAL(others.left(), 0u);
  CHECK_EQUAL(told(), "");
}

TEST(events of two nodes with the same number are told apart) {
  wire::broadcast in;
  in.ticket = 30;
  in.nsp = "/";
  in.args = "[5]";
  say(2, in);
  say(3, in);
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 2u);
  auto of_two = cast->all<broadcast>()[0].ticket;
  auto of_three = cast->all<broadcast>()[1].ticket;
  CHECK(of_two != of_three);
  route_here(of_three, 5, 5);
  CHECK_EQUAL(others.take<wire::routed>(3)[0].matched, 5u);
  route_here(of_two, 4, 4);
  CHECK_EQUAL(others.take<wire::routed>(2)[0].matched, 4u);
}

TEST(an event for a namespace that is not here finds nobody) {
  wire::broadcast in;
  in.ticket = 30;
  in.nsp = "/other";
  in.args = "[5]";
  say(2, in);
  auto out = others.take<wire::routed>(2);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].online, 0u);
}

// -- commands -----------------------------------------------------------------

TEST(a command is carried out by all nodes) {
  user_command y;
  y.what = user_command::kind::rooms;
  y.ticket = 7;
  y.ids = {"anna"};
  y.nsp = "/";
  y.join = {"r"};
  y.leave = {"s"};
  caf::anon_send(x.users, y);
  settle();
  REQUIRE_EQUAL(asked->all<user_command>().size(), 1u);
  for (uint16_t node : {2, 3}) {
    auto out = others.take<wire::command>(node);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].ticket, 7u);
    CHECK_EQUAL(out[0].what, static_cast<uint8_t>(y.what));
    CHECK_EQUAL(out[0].ids, names{"anna"});
    CHECK_EQUAL(out[0].nsp, "/");
    CHECK_EQUAL(out[0].join, names{"r"});
    CHECK_EQUAL(out[0].leave, names{"s"});
  }
  user_info here;
  here.ticket = 7;
  here.changed = 1;
  here.connections = {"{}"};
  caf::anon_send(x.ingest, here);
  wire::command_done there;
  there.ticket = 7;
  there.changed = 2;
  there.version = 9;
  there.info = R"({"n":1})";
  there.online = {true};
  say(2, there);
  CHECK(answers->all<user_info>().empty());
  MESSAGE("a node that is lost is named");
  change({1, 2});
  REQUIRE_EQUAL(answers->all<user_info>().size(), 1u);
  const auto& got = answers->all<user_info>()[0];
  CHECK_EQUAL(got.ticket, 7u);
  CHECK_EQUAL(got.changed, 3u);
  CHECK_EQUAL(got.version, 9u);
  CHECK_EQUAL(got.info, R"({"n":1})");
  CHECK_EQUAL(got.connections.size(), 1u);
  CHECK(got.unreachable == nodes{3});
}

TEST(a command of another node is carried out and answered) {
  wire::command in;
  in.ticket = 30;
  in.what = static_cast<uint8_t>(user_command::kind::disconnect);
  in.connections = true;
  in.ids = {"c1"};
  say(2, in);
  REQUIRE_EQUAL(asked->all<user_command>().size(), 1u);
  const auto& local = asked->all<user_command>()[0];
  CHECK(local.what == user_command::kind::disconnect);
  CHECK(local.connections);
  user_info here;
  here.ticket = local.ticket;
  here.changed = 1;
  here.version = 4;
  here.online = {true};
  here.connections = {"{}"};
  caf::anon_send(x.ingest, here);
  settle();
  auto out = others.take<wire::command_done>(2);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].ticket, 30u);
  CHECK_EQUAL(out[0].changed, 1u);
  CHECK_EQUAL(out[0].version, 4u);
  CHECK_EQUAL(out[0].connections.size(), 1u);
  CHECK(answers->all<user_info>().empty());
  MESSAGE("one without ids is no command");
  in.ids.clear();
  say(2, in);
  CHECK_EQUAL(asked->all<user_command>().size(), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
