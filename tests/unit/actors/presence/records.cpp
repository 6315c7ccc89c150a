#include "actors/presence/records.hpp"

#include <set>

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

using fake_nsp = recorder<member_count>;

struct fixture : shards {
  fixture() {
    std::tie(root, counted) = spawn_light<fake_nsp, nsp_actor>(one);
    all = std::make_unique<records>(
      one, std::map<std::string, nsp_actor>{{"/", root}}, opts.presence, count,
      records::links{
        [this] { return floor; },
        [this](const auto& user) { return moved.count(user) == 0; },
        [this](const auto& user, const auto& nodes) {
          lost += user;
          for (auto node : nodes)
            lost += ' ' + std::to_string(node);
        },
        [this](const auto& user, auto node, auto connection) {
          displaced += user + ' ' + std::to_string(node) + ' '
                       + std::to_string(connection) + ';';
        }});
  }

  ~fixture() {
    all->clear();
    end(root);
    settle();
    root = nullptr;
  }

  ec add(uint16_t node, const std::string& user, uint64_t connection,
         const std::string& nsp = "/") {
    return all->add(node, user, "", {nsp, connection});
  }

  void hold(uint16_t node, const std::string& user,
            std::vector<wire::seat> seats) {
    wire::hold x;
    x.user = user;
    x.seats = std::move(seats);
    all->hold(node, x);
  }

  /// Returns where a user is, as `online@node@node`.
  std::string where(const std::string& user, const std::string& nsp = "/") {
    auto x = all->locate(user, nsp);
    std::string out = x.known ? std::to_string(x.online) : "-";
    for (auto node : x.nodes)
      out += "@" + std::to_string(node);
    return out;
  }

  uint64_t version(const std::string& user) {
    return all->version(user);
  }

  /// Returns the number of users in "/".
  int64_t users() {
    settle();
    for (const auto& each : std::exchange(counted->all<member_count>(), {}))
      users_ += each.users;
    return users_;
  }

  nsp_actor root;
  fake_nsp* counted = nullptr;
  std::unique_ptr<records> all;
  uint64_t floor = 1000;
  /// Users whose home is elsewhere.
  std::set<std::string> moved;
  std::string lost;
  std::string displaced;

private:
  int64_t users_ = 0;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(records_tests, fixture)

TEST(a record knows on which nodes its user is in a namespace) {
  CHECK_EQUAL(where("anna"), "-");
  add(1, "anna", 10);
  add(2, "anna", 10);
  add(2, "anna", 11);
  add(3, "anna", 10, "/chat");
  CHECK_EQUAL(where("anna"), "3@1@2");
  CHECK_EQUAL(where("anna", "/chat"), "1@3");
  CHECK_EQUAL(where("anna", "/none"), "0");
  all->remove(2, "anna", {"/", 10});
  CHECK_EQUAL(where("anna"), "2@1@2");
  all->remove(2, "anna", {"/", 11});
  CHECK_EQUAL(where("anna"), "1@1");
  MESSAGE("of a user nobody has, nothing goes away");
  all->remove(2, "ben", {"/", 11});
  CHECK_EQUAL(where("ben"), "-");
}

TEST(a user counts once in a namespace wherever the connections are) {
  add(1, "anna", 10);
  add(2, "anna", 20);
  add(1, "ben", 11);
  CHECK_EQUAL(users(), 2);
  CHECK_EQUAL(count.users_online, 2);
  all->remove(1, "anna", {"/", 10});
  CHECK_EQUAL(users(), 2);
  all->remove(2, "anna", {"/", 20});
  CHECK_EQUAL(users(), 1);
  CHECK_EQUAL(count.users_online, 2);
  advance(opts.presence.leave_grace.count() + 17);
  CHECK_EQUAL(count.users_online, 1);
  CHECK_EQUAL(where("anna"), "-");
}

TEST(the cap holds across nodes) {
  opts.presence.max_connections = 2;
  CHECK(add(1, "anna", 10) == ec::none);
  CHECK(add(2, "anna", 10) == ec::none);
  CHECK(add(3, "anna", 10) == ec::too_many_connections);
  MESSAGE("a connection that is known may join more namespaces");
  CHECK(add(2, "anna", 10, "/chat") == ec::none);
  all->remove(1, "anna", {"/", 10});
  CHECK(add(3, "anna", 10) == ec::none);
}

TEST(a displaced connection is named with its node) {
  opts.presence.max_connections = 1;
  opts.presence.when_full = presence_full::close_oldest;
  add(2, "anna", 10);
  CHECK_EQUAL(displaced, "");
  CHECK(add(3, "anna", 11) == ec::none);
  CHECK_EQUAL(displaced, "anna 2 10;");
  CHECK_EQUAL(where("anna"), "1@3");
  CHECK_EQUAL(users(), 1);
  MESSAGE("its node reports the end of it, which changes nothing");
  auto before = version("anna");
  all->remove(2, "anna", {"/", 10});
  CHECK_EQUAL(version("anna"), before);
}

TEST(a record tells where its user is and where its info comes from) {
  all->add(1, "anna", R"({"n":1})", {"/chat", 10});
  all->add(1, "anna", R"({"n":2})", {"/", 10});
  CHECK(all->namespaces("anna") == (std::vector<std::string>{"/chat", "/"}));
  CHECK_EQUAL(all->info_nsp(*all->find("anna")), "/");
  CHECK(all->namespaces("ben").empty());
  MESSAGE("a node that reports its users says so, too");
  wire::hold x;
  x.user = "anna";
  x.seats = {{"/chat", 20}};
  x.info = R"({"n":3})";
  x.info_nsp = "/chat";
  all->hold(2, x);
  CHECK_EQUAL(all->info_nsp(*all->find("anna")), "/chat");
  x.info.clear();
  x.info_nsp.clear();
  all->hold(2, x);
  CHECK_EQUAL(all->find("anna")->info(), R"({"n":3})");
  CHECK_EQUAL(all->info_nsp(*all->find("anna")), "/chat");
}

TEST(a refused newcomer leaves no record) {
  opts.presence.max_connections = 0;
  CHECK(add(1, "anna", 10) == ec::too_many_connections);
  CHECK_EQUAL(where("anna"), "-");
  CHECK_EQUAL(count.users_online, 0);
}

TEST(a report makes a record and takes the place of the last one) {
  hold(1, "anna", {{"/", 10}, {"/chat", 10}});
  CHECK_EQUAL(where("anna"), "1@1");
  CHECK_EQUAL(where("anna", "/chat"), "1@1");
  hold(2, "anna", {{"/", 5}});
  hold(1, "anna", {{"/", 11}});
  CHECK_EQUAL(where("anna"), "2@2@1");
  CHECK_EQUAL(where("anna", "/chat"), "0");
}

TEST(a user who was released everywhere leaves a record only at home) {
  hold(1, "anna", {{"/", 10}});
  hold(2, "anna", {{"/", 10}});
  moved = {"anna"};
  all->release(1, "anna");
  CHECK_EQUAL(where("anna"), "1@2");
  all->release(2, "anna");
  CHECK_EQUAL(where("anna"), "-");
  MESSAGE("at home the grace begins");
  hold(1, "ben", {{"/", 10}});
  all->release(1, "ben");
  CHECK_EQUAL(where("ben"), "0");
  advance(opts.presence.leave_grace.count() + 17);
  CHECK_EQUAL(where("ben"), "-");
}

TEST(a view keeps the records that belong here and the nodes that live) {
  add(1, "anna", 10);
  add(2, "anna", 10);
  add(2, "ben", 11);
  all->add(1, "carla", "", {"/", 12}, false);
  moved = {"carla"};
  all->keep([](uint16_t node) { return node != 2; });
  CHECK_EQUAL(where("anna"), "1@1");
  CHECK_EQUAL(where("ben"), "0");
  CHECK_EQUAL(where("carla"), "-");
  CHECK_EQUAL(users(), 1);
  MESSAGE("who was on the lost node only has the grace to come again");
  advance(opts.presence.leave_grace.count() + 17);
  CHECK_EQUAL(where("ben"), "-");
  CHECK_EQUAL(where("anna"), "1@1");
  CHECK_EQUAL(lost, "");
}

TEST(a record that belongs elsewhere stays as long as a node claims it) {
  add(1, "anna", 10);
  all->add(2, "anna", "", {"/", 10}, false);
  moved = {"anna"};
  auto elsewhere = [this] { all->keep([](uint16_t) { return true; }); };
  elsewhere();
  CHECK_EQUAL(where("anna"), "1@1");
  MESSAGE("a report claims what was only said before");
  all->add(2, "anna", "", {"/", 10}, false);
  hold(2, "anna", {{"/", 10}});
  elsewhere();
  CHECK_EQUAL(where("anna"), "2@1@2");
  all->release(1, "anna");
  all->release(2, "anna");
  CHECK_EQUAL(where("anna"), "-");
}

TEST(a version is above what other nodes have told) {
  add(1, "anna", 10);
  floor = 5000;
  CHECK_EQUAL(version("anna"), 5000u);
  add(2, "anna", 10);
  CHECK_EQUAL(version("anna"), 5001u);
}

TEST(a record away from home does not count) {
  add(1, "anna", 10);
  auto before = version("anna");
  moved = {"anna", "ben"};
  all->keep([](uint16_t) { return true; });
  add(2, "anna", 10);
  all->remove(1, "anna", {"/", 10});
  hold(3, "anna", {{"/", 10}});
  CHECK_EQUAL(version("anna"), before);
  MESSAGE("nor does one that never was at home");
  add(1, "ben", 11);
  CHECK_EQUAL(version("ben"), floor);
  MESSAGE("it is above what was told elsewhere");
  floor = 5000;
  CHECK_EQUAL(version("anna"), 5000u);
  MESSAGE("until the home is here");
  moved.clear();
  floor = 6000;
  all->keep([](uint16_t) { return true; });
  CHECK_EQUAL(version("anna"), 6000u);
  add(1, "anna", 12);
  CHECK_EQUAL(version("anna"), 6001u);
}

TEST(versions only rise) {
  add(1, "anna", 10);
  auto last = version("anna");
  CHECK(last > floor);
  auto risen = [&] {
    auto now = version("anna");
    auto ok = now > last;
    last = now;
    return ok;
  };
  add(2, "anna", 10);
  CHECK(risen());
  all->remove(2, "anna", {"/", 10});
  CHECK(risen());
  hold(2, "anna", {{"/", 12}});
  CHECK(risen());
  MESSAGE("also over the end of the record");
  all->release(1, "anna");
  CHECK(risen());
  all->release(2, "anna");
  advance(opts.presence.leave_grace.count() + 17);
  CHECK_EQUAL(version("anna"), 0u);
  hold(1, "anna", {{"/", 10}});
  CHECK(risen());
  MESSAGE("and over a floor that another home has left");
  all->release(1, "anna");
  floor = last + 500;
  add(1, "anna", 10);
  CHECK(risen());
  CHECK(last >= floor);
}

TEST(a killed record tells which nodes knew its connections) {
  add(1, "anna", 10);
  add(2, "anna", 10);
  add(2, "anna", 11);
  caf::anon_send_exit(all->handle("anna"), caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(lost, "anna 1 2");
  CHECK_EQUAL(where("anna"), "-");
  CHECK_EQUAL(count.users_online, 0);
  CHECK_EQUAL(users(), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
