#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

CAF_TEST_FIXTURE_SCOPE(lifecycle, rooms)

TEST(a killed connection actor closes its socket and leaves presence) {
  fake_port a;
  fake_port b;
  auto x = join(a, one, "anna");
  join(b, two, "anna");
  CHECK_EQUAL(post("anna"), 2u);
  caf::anon_send_exit(x, caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(a.closed, "actor_down");
  CHECK_EQUAL(post("anna"), 1u);
  CHECK_EQUAL(b.events.size(), 2u);
}

TEST(an exception ends only the connection it was for) {
  fake_port a;
  fake_port b;
  fake_port c;
  fake_port d;
  join(a, one, "anna");
  join(b, one, "ben");
  join(c, one, "carla");
  auto x = join(d, one, "dora");
  MESSAGE("while an event goes to all, to one, and while the client speaks");
  a.breaks = true;
  CHECK_EQUAL(cast(), 3u);
  CHECK_EQUAL(a.closed, "actor_down");
  b.breaks = true;
  post("ben");
  CHECK_EQUAL(b.closed, "actor_down");
  d.breaks = true;
  packet(x, packet_type::connect, {}, {}, "/nowhere");
  CHECK_EQUAL(d.closed, "actor_down");
  MESSAGE("presence knows, and the others go on");
  for (const auto* user : {"anna", "ben", "dora"})
    CHECK_EQUAL(post(user), 0u);
  CHECK_EQUAL(living(actor_kind::connection), 1);
  CHECK_EQUAL(living(actor_kind::hub), 2);
  CHECK_EQUAL(cast(), 1u);
  CHECK_EQUAL(post("carla"), 1u);
  CHECK_EQUAL(c.events.size(), 3u);
  CHECK_EQUAL(c.closed, "");
}

TEST(a killed presence record is rebuilt from the connections) {
  fake_port a;
  fake_port b;
  join(a, one, "anna");
  join(b, two, "anna");
  CHECK_EQUAL(living(actor_kind::presence), 1);
  caf::anon_send_exit(find_record(shared.users, "anna"),
                      caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(living(actor_kind::presence), 1);
  CHECK_EQUAL(post("anna"), 2u);
}

TEST(a killed namespace actor closes its members with a reason) {
  fake_port a;
  fake_port b;
  join(a, one, "anna");
  join(b, two, "ben");
  caf::anon_send_exit(nsp.handle, caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(a.last(), "1");
  CHECK_EQUAL(b.last(), "1");
  CHECK_EQUAL(living(actor_kind::hub), 0);
  MESSAGE("a newcomer is told to try again");
  fake_port c;
  join(c, one, "carla");
  CHECK_EQUAL(c.last(), R"(4{"message":"unavailable","data":{"retry":true}})");
}

TEST(the population counters equal the living actors) {
  CHECK_EQUAL(living(actor_kind::connection), 0);
  CHECK_EQUAL(living(actor_kind::nsp), 1);
  CHECK_EQUAL(living(actor_kind::hub), 2);
  CHECK_EQUAL(living(actor_kind::users), 1);
  fake_port a;
  fake_port b;
  auto x = join(a, one, "anna");
  join(b, two, "ben");
  CHECK_EQUAL(living(actor_kind::connection), 2);
  CHECK_EQUAL(living(actor_kind::presence), 2);
  a.gone->session_gone();
  caf::anon_send(x, session_closed{});
  settle();
  CHECK_EQUAL(living(actor_kind::connection), 1);
  MESSAGE("who is killed counts no more, whoever still holds the handle");
  caf::anon_send_exit(connections[1], caf::exit_reason::kill);
  caf::anon_send_exit(nsp.handle, caf::exit_reason::kill);
  caf::anon_send_exit(shared.users, caf::exit_reason::kill);
  settle();
  for (auto& each : count.actors)
    CHECK_EQUAL(each, 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
