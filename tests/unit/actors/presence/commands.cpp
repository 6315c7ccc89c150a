#include "actors/presence/commands.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;
using kind = user_command::kind;

namespace {

/// Anna is in "/bank" and "/shop", Ben in "/bank" only. The site gives an info
/// with each verdict.
struct fixture : rooms {
  fixture() {
    add_namespace("/bank");
    add_namespace("/shop");
    anna = enter(a, "anna", "/bank", R"({"of":"bank"})");
    enter(anna, "anna", "/shop", R"({"of":"shop"})");
    ben = enter(b, "ben", "/bank", R"({"of":"bank"})");
  }

  void enter(const connection_actor& x, const std::string& user,
             const std::string& where, const std::string& info) {
    packet(x, packet_type::connect, {}, {}, where);
    auto& asked = site->all<authenticate>();
    verdict y;
    y.ticket = asked.front().ticket;
    y.outcome = ec::none;
    y.user = user;
    y.info = info;
    y.asked = next_stamp();
    caf::anon_send(asked.front().asker, y);
    asked.clear();
    settle();
  }

  connection_actor enter(fake_port& out, const std::string& user,
                         const std::string& where, const std::string& info) {
    auto x = open(out, one);
    enter(x, user, where, info);
    return x;
  }

  std::string within(std::vector<std::string> scope, kind what,
                     std::vector<std::string> names, bool by_id = false) {
    user_command x;
    x.what = what;
    x.ids = std::move(names);
    x.connections = by_id;
    x.scope = std::move(scope);
    x.join = {"r"};
    return command(x);
  }

  fake_port a;
  fake_port b;
  connection_actor anna;
  connection_actor ben;
};

size_t count_of(const std::string& text, std::string_view part) {
  size_t out = 0;
  for (auto i = text.find(part); i != text.npos; i = text.find(part, i + 1))
    ++out;
  return out;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(commands_tests, fixture)

TEST(a key without a scope sees everything) {
  auto all = within({}, kind::show, {"anna"});
  CHECK_EQUAL(count_of(all, "\"namespace\""), 2u);
  CHECK(all.find(R"("info":{"of":"shop"})") != all.npos);
}

TEST(a key sees the connections in its namespaces) {
  auto shop = within({"/shop"}, kind::show, {"anna"});
  CHECK(shop.find("/shop") != shop.npos);
  CHECK(shop.find("/bank") == shop.npos);
  CHECK(shop.find(R"("info":{"of":"shop"})") != shop.npos);
  MESSAGE("the info of a verdict for another namespace is not its own");
  auto bank = within({"/bank"}, kind::show, {"anna"});
  CHECK(bank.find("/bank") != bank.npos);
  CHECK(bank.find("info") == bank.npos);
}

TEST(a user who is elsewhere only does not exist for the key) {
  CHECK_EQUAL(within({"/shop"}, kind::show, {"ben"}),
              R"({"online":false,"version":0,"connections":[]})");
  CHECK_EQUAL(within({"/shop"}, kind::online, {"anna", "ben", "carla"}),
              R"({"ok":true,"online":{"anna":true,"ben":false,)"
              R"("carla":false}})");
  CHECK_EQUAL(within({"/shop", "/bank"}, kind::online, {"ben"}),
              R"({"ok":true,"online":{"ben":true}})");
}

TEST(a key disconnects within its namespaces) {
  CHECK_EQUAL(within({"/shop"}, kind::disconnect, {"ben"}),
              R"({"ok":true,"connections":0})");
  CHECK_EQUAL(b.closed, "");
  CHECK_EQUAL(within({"/shop"}, kind::disconnect, {"anna"}),
              R"({"ok":true,"connections":1})");
  CHECK_EQUAL(a.last(), "1");
  CHECK_EQUAL(a.closed, "");
  auto left = within({}, kind::show, {"anna"});
  CHECK(left.find("/bank") != left.npos);
  CHECK(left.find("/shop") == left.npos);
  MESSAGE("without a scope everywhere");
  CHECK_EQUAL(within({}, kind::disconnect, {"anna"}),
              R"({"ok":true,"connections":1})");
  CHECK_EQUAL(a.closed, "kicked");
}

TEST(a connection elsewhere is not found by its id) {
  MESSAGE("c1 and c2 are Anna's, c3 is Ben's");
  CHECK_EQUAL(within({"/shop"}, kind::disconnect, {"c3"}, true), "not_found");
  CHECK_EQUAL(within({"/shop"}, kind::rooms, {"c1"}, true), "not_found");
  CHECK_EQUAL(b.closed, "");
  CHECK_EQUAL(within({"/shop"}, kind::rooms, {"c2"}, true),
              R"({"ok":true,"connections":1})");
  CHECK_EQUAL(within({"/bank"}, kind::disconnect, {"c3"}, true),
              R"({"ok":true,"connections":1})");
  CHECK_EQUAL(b.closed, "kicked");
}

TEST(an event of a scoped key counts the users in its namespace) {
  auto reached = [this](bool scoped) {
    deliver_users x;
    x.ticket = 1;
    x.users = {"anna", "ben"};
    x.event = event("/shop");
    x.scoped = scoped;
    caf::anon_send(shared.users, x);
    settle();
    const auto& y = ingest->all<routed>().back();
    return std::to_string(y.matched) + " " + std::to_string(y.online);
  };
  CHECK_EQUAL(reached(true), "1 1");
  CHECK_EQUAL(reached(false), "2 1");
}

CAF_TEST_FIXTURE_SCOPE_END()
