#include "actors/membership/link.hpp"

#include "tests/support/actors.hpp"

// One LINK; the other side is written by hand.

using namespace signalbox;
using signalbox::test::recorder;
using signalbox::test::shards;

namespace {

using fake_peer = recorder<link_open, link_batch>;

constexpr uint64_t session_number = 77;

struct fixture : shards, link_owner {
  fixture() {
    std::tie(peer, out) = spawn_light<fake_peer, caf::actor>(two);
    std::tie(handle, x) = spawn_light<signalbox::link, caf::actor>(
      one, *this, opts.cluster, count, session_number);
  }

  ~fixture() override {
    end(handle);
    end(peer);
    settle();
    handle = nullptr;
    peer = nullptr;
  }

  // -- link_owner -------------------------------------------------------------

  void on_welcome(signalbox::link& from, const wire::hello& hello) override {
    told += "welcome " + std::to_string(hello.node) + '\n';
    if (accept)
      from.begin(stream, hello);
  }

  void on_refused(signalbox::link&, const wire::refusal& what) override {
    if (what.node != 0)
      told += "refused by " + std::to_string(what.node) + '\n';
  }

  void on_item(signalbox::link&, uint8_t tag, std::string_view item) override {
    told +=
      "item " + std::to_string(tag) + ' ' + std::to_string(item.size()) + '\n';
  }

  void on_acked(signalbox::link&, uint64_t number) override {
    told += "acked " + std::to_string(number) + '\n';
  }

  void on_lost(signalbox::link&, const std::string& why) override {
    told += "lost: " + why + '\n';
  }

  void on_broken(const caf::node_id&) override {
    told += "broken\n";
  }

  uint64_t draw() override {
    return ++drawn;
  }

  uint64_t floor() override {
    return 500;
  }

  void on_floor(uint64_t there) override {
    told += "floor " + std::to_string(there) + '\n';
  }

  // -- the other side ---------------------------------------------------------

  static wire::hello hello(uint64_t of_stream = 0, uint64_t received = 0) {
    wire::hello out;
    out.node = 2;
    out.session = session_number;
    out.stream = of_stream;
    out.received = received;
    return out;
  }

  /// This side was dialed; the session is open.
  void open(const wire::hello& from = hello()) {
    wire::hello own;
    own.node = 1;
    own.session = session_number;
    x->welcome(caf::actor_cast<caf::strong_actor_ptr>(peer), own);
    x->begin(stream, from);
    settle();
  }

  /// The other side has begun.
  void greet() {
    say(0, encode(wire::ping{}));
    heard();
    told.clear();
  }

  void say(uint64_t number, std::string bytes, uint64_t received = 0,
           uint64_t session = session_number) {
    caf::anon_send(handle,
                   link_batch{session, number, received, std::move(bytes)});
    settle();
  }

  template <class T>
  static std::string encode(const T& item) {
    std::string out;
    wire::append(out, item);
    return out;
  }

  /// Appends an item to what is sent, as MEMBERSHIP does.
  uint64_t append(const std::string& user) {
    wire::append(x->open(), wire::recall{0, user});
    return x->wrote();
  }

  /// Returns the batches since it was last asked, as `number/received:tags`.
  std::string heard() {
    settle();
    std::string all;
    for (const auto& each : std::exchange(out->all<link_batch>(), {})) {
      CHECK_EQUAL(each.session, session_number);
      all +=
        std::to_string(each.number) + '/' + std::to_string(each.received) + ':';
      std::string_view bytes{each.bytes};
      std::string_view item;
      uint8_t tag = 0;
      while (wire::next(bytes, tag, item))
        all += std::to_string(tag) + ',';
      all += ' ';
    }
    return all;
  }

  caf::actor peer;
  caf::actor handle;
  fake_peer* out = nullptr;
  signalbox::link* x = nullptr;
  link_stream stream;
  std::string told;
  uint64_t drawn = 1000;
  bool accept = true;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(link_tests, fixture)

// -- opening ------------------------------------------------------------------

TEST(who dials says hello and begins with the answer) {
  wire::hello own;
  own.node = 1;
  own.session = session_number;
  x->dial(caf::actor_cast<caf::strong_actor_ptr>(peer), own);
  settle();
  REQUIRE_EQUAL(out->all<link_open>().size(), 1u);
  const auto& sent = out->all<link_open>()[0];
  CHECK(sent.link == caf::actor_cast<caf::strong_actor_ptr>(handle));
  CHECK_EQUAL(sent.bytes, encode(own));
  CHECK_EQUAL(heard(), "");
  caf::anon_send(
    handle,
    link_open{encode(hello()), caf::actor_cast<caf::strong_actor_ptr>(peer)});
  MESSAGE("restart 104, ping 102");
  CHECK_EQUAL(heard(), "0/0:104, 0/0:102, ");
  CHECK_EQUAL(told, "welcome 2\n");
  MESSAGE("a second answer is none");
  caf::anon_send(
    handle,
    link_open{encode(hello()), caf::actor_cast<caf::strong_actor_ptr>(peer)});
  settle();
  CHECK_EQUAL(told, "welcome 2\n");
}

TEST(an answer that is broken or for another session is none) {
  auto other = hello();
  other.session = 1;
  auto whole = encode(hello());
  for (const auto& bytes :
       {encode(other), std::string{}, std::string{"\x64"},
        whole.substr(0, whole.size() - 1), encode(wire::ping{})}) {
    caf::anon_send(
      handle, link_open{bytes, caf::actor_cast<caf::strong_actor_ptr>(peer)});
    settle();
  }
  caf::anon_send(handle, link_open{whole, nullptr});
  settle();
  CHECK_EQUAL(told, "");
}

TEST(who was dialed answers and begins) {
  open();
  REQUIRE_EQUAL(out->all<link_open>().size(), 1u);
  CHECK_EQUAL(heard(), "0/0:104, 0/0:102, ");
  CHECK_EQUAL(stream.out_stream, 1001u);
}

TEST(a refusal ends the session with its reason) {
  wire::hello own;
  x->dial(caf::actor_cast<caf::strong_actor_ptr>(peer), own);
  settle();
  signalbox::link::refuse(caf::actor_cast<caf::strong_actor_ptr>(handle),
                          session_number, {0, "no reason", 0});
  settle();
  CHECK_EQUAL(told, "lost: it refused: no reason\n");
  CHECK_EQUAL(living(actor_kind::link), 0);
}

TEST(a refusal may say that there is a session already) {
  x->dial(caf::actor_cast<caf::strong_actor_ptr>(peer), hello());
  settle();
  signalbox::link::refuse(caf::actor_cast<caf::strong_actor_ptr>(handle),
                          session_number, {0, "there is one", 9});
  settle();
  CHECK_EQUAL(told, "refused by 9\nlost: it refused: there is one\n");
}

TEST(a session that is not answered ends as silence does) {
  x->dial(caf::actor_cast<caf::strong_actor_ptr>(peer), hello());
  advance(opts.cluster.dead_after.count() - 1);
  CHECK_EQUAL(told, "");
  advance(32);
  CHECK(told.starts_with("lost: it was silent for "));
}

// -- batches ------------------------------------------------------------------

TEST(items leave in one batch a turn) {
  open();
  greet();
  append("anna");
  append("ben");
  CHECK_EQUAL(heard(), "1/0:15,15, ");
  append("carla");
  CHECK_EQUAL(heard(), "2/0:15, ");
  say(0, {}, 2);
  CHECK_EQUAL(told, "acked 2\n");
  CHECK_EQUAL(stream.out.bytes(), 0u);
  CHECK_EQUAL(stream.sent_batches, 2u);
}

TEST(what comes is handed on in order) {
  open();
  greet();
  say(1, encode(wire::recall{0, "anna"}) + encode(wire::leaving{}));
  CHECK_EQUAL(told, "item 15 8\nitem 3 0\n");
  CHECK_EQUAL(stream.received_batches, 1u);
}

TEST(keys are acknowledged at once and an event with its answer) {
  open();
  greet();
  say(1, encode(wire::deliver{}));
  CHECK_EQUAL(heard(), "");
  say(2, encode(wire::recall{0, "anna"}) + encode(wire::keys{}));
  CHECK_EQUAL(heard(), "0/2: ");
}

TEST(other batches are acknowledged with what goes that way) {
  open();
  greet();
  say(1, encode(wire::leaving{}));
  say(2, encode(wire::leaving{}));
  CHECK_EQUAL(heard(), "");
  append("ben");
  CHECK_EQUAL(heard(), "1/2:15, ");
  MESSAGE("or with the next sign of life");
  say(3, encode(wire::leaving{}));
  advance(opts.cluster.heartbeat.count() + 16);
  CHECK_EQUAL(heard(), "0/3:102, ");
}

TEST(more than a few small batches are acknowledged) {
  open();
  greet();
  for (uint64_t number = 1; number < 4; ++number)
    say(number, encode(wire::leaving{}));
  CHECK_EQUAL(heard(), "");
  say(4, encode(wire::leaving{}));
  CHECK_EQUAL(heard(), "0/4: ");
  MESSAGE("then again as many");
  say(5, encode(wire::leaving{}));
  CHECK_EQUAL(heard(), "");
}

TEST(a large batch is acknowledged) {
  open();
  greet();
  say(1, encode(wire::recall{0, std::string(outgoing::small_batch, 'x')}));
  CHECK_EQUAL(heard(), "0/1: ");
}

TEST(a batch that comes again is dropped) {
  open();
  greet();
  say(1, encode(wire::leaving{}));
  told.clear();
  say(1, encode(wire::leaving{}));
  CHECK_EQUAL(told, "");
  CHECK_EQUAL(stream.received, 1u);
}

TEST(a batch of another session is void) {
  open();
  greet();
  say(1, encode(wire::leaving{}), 0, session_number + 1);
  CHECK_EQUAL(told, "");
  MESSAGE("even if it looks like the session's own word to itself");
  say(1, encode(wire::leaving{}), 0, 0);
  CHECK_EQUAL(told, "");
  CHECK_EQUAL(stream.received, 0u);
}

TEST(a batch that is missing ends the session) {
  open();
  greet();
  say(2, encode(wire::leaving{}));
  CHECK_EQUAL(told, "broken\nlost: a batch is missing\n");
}

TEST(a broken batch ends the session) {
  open();
  greet();
  say(1, encode(wire::leaving{}) + "\x01");
  CHECK_EQUAL(told, "item 3 0\nbroken\nlost: it sent a broken batch\n");
  CHECK_EQUAL(heard(), "");
}

TEST(a node that does not drain is cut off and begins anew) {
  opts.cluster.queue_bytes = 1000;
  open();
  greet();
  append(std::string(900, 'x'));
  settle();
  CHECK_EQUAL(told, "");
  append(std::string(900, 'x'));
  append(std::string(900, 'x'));
  settle();
  CHECK_EQUAL(told, "broken\nlost: it does not drain\n");
  CHECK_EQUAL(count.limit_cluster_queue, 1u);
  CHECK_EQUAL(stream.out.bytes(), 0u);
  CHECK_EQUAL(stream.out_stream, 0u);
}

// -- going on -----------------------------------------------------------------

TEST(the next session sends what the other side has not ) {
  open();
  greet();
  append("anna");
  heard();
  append("ben");
  heard();
  end(handle);
  settle();
  told.clear();
  std::tie(handle, x) = spawn_light<signalbox::link, caf::actor>(
    one, *this, opts.cluster, count, session_number);
  open(hello(stream.out_stream, 1));
  CHECK_EQUAL(heard(), "0/0:104, 0/0:102, 2/0:15, ");
}

TEST(a hello that is late does not end the stream) {
  open();
  greet();
  append("anna");
  heard();
  end(handle);
  settle();
  auto before = stream.out_stream;
  std::tie(handle, x) = spawn_light<signalbox::link, caf::actor>(
    one, *this, opts.cluster, count, session_number);
  open(hello(before + 1, 1));
  CHECK_EQUAL(heard(), "0/0:104, 0/0:102, 1/0:15, ");
  CHECK_EQUAL(stream.out_stream, before);
  MESSAGE("what is new goes into batches of its own");
  append("ben");
  CHECK_EQUAL(heard(), "2/0:15, ");
}

TEST(what was for another process is not sent) {
  open();
  greet();
  append("anna");
  heard();
  end(handle);
  settle();
  auto before = stream.out_stream;
  stream.renew();
  std::tie(handle, x) = spawn_light<signalbox::link, caf::actor>(
    one, *this, opts.cluster, count, session_number);
  open(hello(before, 0));
  CHECK_EQUAL(heard(), "0/0:104, 0/0:102, ");
  CHECK(stream.out_stream != before);
  append("ben");
  CHECK_EQUAL(heard(), "1/0:15, ");
}

TEST(what comes twice is acknowledged and passed over) {
  open();
  say(0, encode(wire::restart{0, 6, 1}));
  say(1, encode(wire::leaving{}));
  CHECK_EQUAL(told, "item 3 0\n");
  CHECK(x->repeats());
  heard();
  say(1, encode(wire::leaving{}));
  CHECK_EQUAL(told, "item 3 0\n");
  CHECK_EQUAL(heard(), "0/1: ");
  say(2, encode(wire::leaving{}));
  CHECK(!x->repeats());
}

TEST(nothing counts as received before the other side said what goes on) {
  stream.in_stream = 5;
  stream.received = 1000;
  open();
  append("anna");
  MESSAGE("it may have begun anew: 1000 would acknowledge all of that");
  CHECK_EQUAL(heard(), "0/0:104, 0/0:102, 1/0:15, ");
  say(0, encode(wire::restart{0, 6}));
  append("ben");
  CHECK_EQUAL(heard(), "2/0:15, ");
  CHECK_EQUAL(stream.in_stream, 6u);
  say(1, encode(wire::keys{}));
  CHECK_EQUAL(heard(), "0/1: ");
}

TEST(a count that goes on is acknowledged from the first words on) {
  stream.in_stream = 5;
  stream.received = 1000;
  open();
  heard();
  say(0, encode(wire::ping{0, 9, 0}));
  CHECK_EQUAL(heard(), "0/1000:103, ");
}

// -- life ---------------------------------------------------------------------

TEST(signs of life are given and answered) {
  open();
  greet();
  advance(opts.cluster.heartbeat.count() + 16);
  CHECK_EQUAL(heard(), "0/0:102, ");
  say(0, encode(wire::ping{0, 12345, 900}));
  CHECK_EQUAL(told, "floor 900\n");
  settle();
  REQUIRE_EQUAL(out->all<link_batch>().size(), 1u);
  std::string_view bytes{out->all<link_batch>()[0].bytes};
  std::string_view item;
  uint8_t tag = 0;
  REQUIRE(wire::next(bytes, tag, item));
  wire::pong back;
  wire::reader in{item};
  inspect(in, back);
  CHECK_EQUAL(tag, wire::pong::tag);
  CHECK_EQUAL(back.time, 12345);
}

TEST(a node that is silent for too long is dead) {
  open();
  greet();
  auto most = opts.cluster.dead_after.count();
  advance(most - 1);
  CHECK_EQUAL(told, "");
  advance(32);
  CHECK(told.starts_with("broken\nlost: it was silent for 50"));
  CHECK_EQUAL(living(actor_kind::link), 0);
}

TEST(any word is a sign of life) {
  open();
  greet();
  for (int i = 0; i < 10; ++i) {
    advance(opts.cluster.dead_after.count() - 100);
    say(0, {});
  }
  CHECK_EQUAL(told, "");
  MESSAGE("but not one of another session");
  advance(opts.cluster.dead_after.count() - 100);
  say(0, {}, 0, session_number + 1);
  advance(150);
  CHECK(told.starts_with("broken\nlost: it was silent"));
}

TEST(the end of the other side is noticed at once) {
  open();
  greet();
  end(peer);
  settle();
  CHECK_EQUAL(told, "lost: the connection is gone\n");
}

CAF_TEST_FIXTURE_SCOPE_END()
