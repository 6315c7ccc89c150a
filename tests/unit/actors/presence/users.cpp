#include "actors/presence/users.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

namespace {

struct fixture : rooms {
  /// Lets time pass on the shard of the records.
  void pass(int64_t ms) {
    first.wheel().advance(first.wheel().now() + ms);
    settle();
  }

  bool online(const std::string& user) {
    return show(user).starts_with(R"({"online":true)");
  }

  uint64_t version(const std::string& user) {
    auto text = show(user);
    return std::stoull(text.substr(text.find("version") + 9));
  }

  void leave(const connection_actor& x, fake_port& out) {
    out.gone->session_gone();
    caf::anon_send(x, session_closed{});
    settle();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(users_tests, fixture)

TEST(the record outlives the last connection by the leave grace) {
  fake_port out;
  auto x = join(out, two, "anna");
  leave(x, out);
  pass(opts.presence.leave_grace.count() - 1000);
  CHECK(online("anna"));
  CHECK_EQUAL(post("anna"), 0u);
  pass(1100);
  CHECK(!online("anna"));
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(a reload within the grace keeps the record) {
  fake_port a;
  auto x = join(a, one, "anna");
  leave(x, a);
  fake_port b;
  join(b, one, "anna");
  pass(opts.presence.leave_grace.count() + 1000);
  CHECK(online("anna"));
  CHECK_EQUAL(post("anna"), 1u);
}

TEST(the version rises by one with each connection that comes or goes) {
  fake_port a;
  fake_port b;
  join(a, one, "anna");
  auto before = version("anna");
  auto x = join(b, two, "anna");
  CHECK_EQUAL(version("anna"), before + 1);
  leave(x, b);
  CHECK_EQUAL(version("anna"), before + 2);
  CHECK_EQUAL(version("anna"), before + 2);
}

TEST(an anonymous connection is found by its id and has no record) {
  shared.namespaces["/"].opts.anonymous = true;
  fake_port out;
  auto x = open(out, two);
  packet(x, packet_type::connect);
  answer(ec::unauthorized);
  user_command command;
  command.what = user_command::kind::disconnect;
  command.connections = true;
  command.ids = {"c1"};
  caf::anon_send(shared.users, command);
  settle();
  CHECK_EQUAL(out.last(), "1");
  CHECK_EQUAL(out.closed, "kicked");
}

CAF_TEST_FIXTURE_SCOPE_END()
