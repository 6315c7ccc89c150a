#include "actors/connection/inbox.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_port;
using signalbox::test::rooms;
using socket::packet_type;

namespace {

struct fixture : rooms {
  fixture() {
    shared.namespaces["/"].opts.on_client_event = client_events::forward;
    opts.limits.inbox_packets = 3;
  }

  /// Sends events whose argument is their number.
  void emit(const connection_actor& x, int from, int to) {
    for (auto i = from; i <= to; ++i)
      packet(x, packet_type::event, "[\"x\"," + std::to_string(i) + "]",
             static_cast<uint64_t>(i));
  }

  /// Returns the numbers of the events that are at the site, in order.
  std::string at_site() {
    std::string out;
    for (const auto& each : site->all<forward_event>())
      out += each.args.substr(5, each.args.size() - 6) + ' ';
    return out;
  }

  /// The site answers the oldest event.
  void reply(const connection_actor& x, ec outcome = ec::none) {
    auto& all = site->all<forward_event>();
    caf::anon_send(x, event_forwarded{all.front().ticket, outcome, "[]"});
    all.erase(all.begin());
    settle();
  }

  /// The session of a client ends.
  void leave(const connection_actor& x, fake_port& out) {
    out.gone->session_gone();
    out.gone = nullptr;
    caf::anon_send(x, session_closed{});
    settle();
  }

  static bool ready(const connection_actor& x) {
    auto* actor = caf::actor_cast<caf::abstract_actor*>(x);
    return dynamic_cast<session_side&>(*actor).ready();
  }

  connection_actor publisher(fake_port& out) {
    auto x = open(out, two);
    packet(x, packet_type::connect, R"({"key":"0123456789abcdef"})");
    return x;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(inbox_tests, fixture)

TEST(events go to the site one after the other) {
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 3);
  CHECK_EQUAL(at_site(), "1 ");
  reply(x);
  CHECK_EQUAL(at_site(), "2 ");
  reply(x, ec::site_failed);
  CHECK_EQUAL(at_site(), "3 ");
  MESSAGE("and each is answered");
  CHECK(out.packets.back().id == uint64_t{2});
  CHECK(out.last().find("site_failed") != std::string::npos);
}

TEST(a few may be at the site at a time) {
  opts.limits.pending_forwards = 2;
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 3);
  CHECK_EQUAL(at_site(), "1 2 ");
  reply(x);
  CHECK_EQUAL(at_site(), "2 3 ");
}

TEST(a full inbox takes no more until one is handled) {
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 2);
  CHECK(ready(x));
  emit(x, 3, 3);
  CHECK(!ready(x));
  CHECK_EQUAL(count.limit_inbox, 1u);
  CHECK_EQUAL(out.resumed, 0);
  reply(x);
  CHECK(ready(x));
  CHECK_EQUAL(out.resumed, 1);
}

TEST(bytes fill an inbox too) {
  opts.limits.inbox_bytes = 20;
  fake_port out;
  auto x = join(out, two, "anna");
  packet(x, packet_type::event, R"(["x","1234567890"])");
  CHECK(ready(x));
  packet(x, packet_type::event, R"(["x","1234567890"])");
  CHECK(!ready(x));
  MESSAGE("an event that is larger alone is taken");
  reply(x);
  reply(x);
  packet(x, packet_type::event, R"(["x","12345678901234567890"])");
  CHECK(!ready(x));
  reply(x);
  CHECK(ready(x));
}

TEST(an inbox in which nothing is handled closes the session) {
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 3);
  advance(opts.limits.inbox_timeout.count() - 100);
  CHECK_EQUAL(out.closed, "");
  MESSAGE("a failure is no progress");
  opts.limits.inbox_packets = 2;
  reply(x, ec::site_failed);
  advance(200);
  CHECK_EQUAL(out.closed, "limit");
  CHECK_EQUAL(count.limit_inbox_timeout, 1u);
}

TEST(a site that answers keeps a full inbox going) {
  opts.limits.inbox_packets = 2;
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 2);
  for (auto i = 3; i < 6; ++i) {
    advance(opts.limits.inbox_timeout.count() / 2);
    emit(x, i, i);
    reply(x);
  }
  CHECK_EQUAL(out.closed, "");
  advance(opts.limits.inbox_timeout.count() + 100);
  CHECK_EQUAL(out.closed, "limit");
}

TEST(what a client sent before it left goes to the site) {
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 3);
  leave(x, out);
  CHECK_EQUAL(post("anna"), 0u);
  CHECK_EQUAL(living(actor_kind::connection), 1);
  reply(x);
  reply(x);
  CHECK_EQUAL(at_site(), "3 ");
  CHECK_EQUAL(living(actor_kind::connection), 0);
}

TEST(without SITE_AUTH a client that left is forgotten) {
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 3);
  leave(x, out);
  end(shared.site_auth);
  settle();
  CHECK_EQUAL(living(actor_kind::connection), 0);
}

TEST(a publisher waits for INGEST) {
  fake_port out;
  auto x = publisher(out);
  emit(x, 1, 3);
  CHECK_EQUAL(ingest->all<publish>().size(), 3u);
  CHECK(!ready(x));
  caf::anon_send(x, published{ingest->all<publish>()[1].ticket, "{}"});
  settle();
  CHECK(ready(x));
  CHECK_EQUAL(out.resumed, 1);
  CHECK(out.packets.back().id == uint64_t{2});
}

TEST(an event without an ack takes its place as well) {
  fake_port out;
  auto x = publisher(out);
  for (auto i = 0; i < 3; ++i)
    packet(x, packet_type::event, R"(["x"])");
  CHECK(!ready(x));
  CHECK(!ingest->all<publish>()[0].asks);
  auto before = out.packets.size();
  caf::anon_send(x, published{ingest->all<publish>()[0].ticket, ""});
  settle();
  CHECK(ready(x));
  CHECK_EQUAL(out.packets.size(), before);
}

TEST(a user who is thrown out speaks no more) {
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 3);
  change(user_command::kind::disconnect, "anna");
  CHECK_EQUAL(count.client_events_dropped, 2u);
  reply(x);
  CHECK_EQUAL(at_site(), "");
  CHECK_EQUAL(out.closed, "kicked");
}

TEST(events of clients that have gone are bounded together) {
  count.lingering_bytes = 16 << 20;
  fake_port out;
  auto x = join(out, two, "anna");
  emit(x, 1, 3);
  leave(x, out);
  CHECK_EQUAL(living(actor_kind::connection), 0);
  CHECK_EQUAL(count.client_events_dropped, 2u);
  CHECK_EQUAL(count.lingering_bytes, 16 << 20);
  MESSAGE("and have an end in time");
  count.lingering_bytes = 0;
  fake_port later;
  auto y = join(later, one, "ben");
  emit(y, 1, 3);
  leave(y, later);
  CHECK(count.lingering_bytes > 0);
  advance(opts.limits.inbox_timeout.count() + 100);
  CHECK_EQUAL(living(actor_kind::connection), 0);
  CHECK_EQUAL(count.lingering_bytes, 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
