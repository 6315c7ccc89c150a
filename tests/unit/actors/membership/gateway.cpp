#include "actors/membership/gateway.hpp"

#include "actors/api/register.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/shard/coordinator.hpp"
#include "tests/support/basp.hpp"
#include "tests/unit/transports/net/peer_sockets.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <cstdlib>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/check.hpp"

// Real sockets on loopback. Nothing waits for a time to pass but for things to
// happen, at most for `longest`.

using namespace signalbox;

namespace {

constexpr auto longest = std::chrono::seconds{10};

struct config : shard_config {
  config() {
    register_messages(*this);
  }
};

/// Answers batches with what they carry, doubled, to the last one that opened a
/// session; without being known, as links do.
caf::behavior echo(caf::event_based_actor*) {
  auto asker = std::make_shared<caf::actor>();
  return {[asker](const link_open& x) {
            *asker = caf::actor_cast<caf::actor>(x.link);
          },
          [asker](const link_batch& x) {
            caf::anon_send(*asker, link_batch{x.session, x.number, x.received,
                                              x.bytes + x.bytes});
          }};
}

/// One process.
struct node {
  node() {
    opts.listen = "127.0.0.1:0";
    cfg.loops.push_back(&loop);
    gateway::configure(cfg, opts);
    system = std::make_unique<caf::actor_system>(cfg);
    self = std::make_unique<caf::scoped_actor>(*system);
    way = std::make_unique<gateway>(*system, opts);
    gate = system->spawn<caf::hidden>(echo);
    CHECK_EQUAL(way->listen(gate), "");
  }

  ~node() {
    way->close();
    self.reset();
    caf::anon_send_exit(std::exchange(gate, nullptr),
                        caf::exit_reason::user_shutdown);
    // What closes the port has run when a later turn has.
    std::promise<void> turn;
    loop.post([&turn] { turn.set_value(); });
    turn.get_future().wait();
    way.reset();
    system.reset();
  }

  /// Returns what dialing an address comes to.
  dialed dial(const std::string& address) {
    way->dial(address, caf::actor_cast<membership_actor>(
                         caf::actor_cast<caf::actor>(*self)));
    dialed out;
    (*self)->receive([&](dialed& x) { out = std::move(x); },
                     caf::after(longest) >> [] { CAF_FAIL("no answer"); });
    return out;
  }

  /// Returns how many bytes an echo has.
  size_t ask(const caf::strong_actor_ptr& whom, size_t size) {
    size_t out = 0;
    auto to = caf::actor_cast<caf::actor>(whom);
    caf::anon_send(
      to, link_open{{}, caf::actor_cast<caf::strong_actor_ptr>(*self)});
    caf::anon_send(to, link_batch{1, 2, 3, std::string(size, 'x')});
    (*self)->receive([&](const link_batch& x) { out = x.bytes.size(); },
                     caf::after(longest) >> [] { CAF_FAIL("no echo"); });
    return out;
  }

  /// Returns once an actor is said to be gone.
  bool lost(const caf::strong_actor_ptr& whom) {
    auto out = false;
    (*self)->receive(
      [&](const caf::down_msg& x) { out = x.source == whom->address(); },
      caf::after(longest) >> [] { CAF_FAIL("nobody was lost"); });
    return out;
  }

  cluster_settings opts;
  net::loop loop{0};
  config cfg;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<caf::scoped_actor> self;
  std::unique_ptr<gateway> way;
  caf::actor gate;
};

} // namespace

TEST(two processes reach each other) {
  node a;
  node b;
  auto there = b.dial(a.way->address());
  CHECK_EQUAL(there.error, "");
  REQUIRE(there.gate != nullptr);
  CHECK(there.gate->node() == a.system->node());
  MESSAGE("small and large, more than a socket takes at a time");
  CHECK_EQUAL(b.ask(there.gate, 10), 20u);
  CHECK_EQUAL(b.ask(there.gate, 20000000), 40000000u);
  CHECK_EQUAL(b.ask(there.gate, 0), 0u);
  CHECK_EQUAL(a.way->counters().accepted, 1u);
  MESSAGE("CAF says nothing that is not let through");
  CHECK_EQUAL(a.way->counters().broken, 0u);
  CHECK_EQUAL(b.way->counters().broken, 0u);
}

TEST(nobody is there) {
  node a;
  std::string nobody;
  {
    node gone;
    nobody = gone.way->address();
  }
  auto there = a.dial(nobody);
  CHECK(there.gate == nullptr);
  CHECK_EQUAL(there.error, "Connection refused");
}

TEST(a connection that is cut is lost on both sides) {
  node a;
  node b;
  auto there = b.dial(a.way->address());
  REQUIRE(there.gate != nullptr);
  CHECK_EQUAL(b.ask(there.gate, 1), 2u);
  (*b.self)->monitor(caf::actor_cast<caf::actor>(there.gate));
  b.way->cut(there.gate->node());
  CHECK(b.lost(there.gate));
  MESSAGE("the next one is as good as the first");
  auto again = b.dial(a.way->address());
  REQUIRE(again.gate != nullptr);
  CHECK_EQUAL(b.ask(again.gate, 1), 2u);
}

TEST(a process that ends is lost) {
  auto a = std::make_unique<node>();
  node b;
  auto there = b.dial(a->way->address());
  REQUIRE(there.gate != nullptr);
  (*b.self)->monitor(caf::actor_cast<caf::actor>(there.gate));
  a.reset();
  CHECK(b.lost(there.gate));
}

TEST(a stranger costs nothing) {
  node a;
  node b;
  auto there = b.dial(a.way->address());
  REQUIRE(there.gate != nullptr);
  auto port = static_cast<uint16_t>(
    std::atoi(a.way->address().c_str() + a.way->address().rfind(':') + 1));
  namespace basp = test::basp;
  auto large = basp::client_handshake(basp::id('s'));
  large.replace(4, 4, "\x7f\xff\xff\xff");
  // CAF would read the payload that is not there.
  for (const auto& wrong : {large, basp::message(1, 0, 0, 0, 0, {}),
                            basp::message(0, 0, 3, 0, 0, {})}) {
    auto stranger = net::knock(port);
    stranger.send(wrong);
    CHECK(stranger.ends());
  }
  CHECK_EQUAL(a.way->counters().broken, 3u);
  CHECK_EQUAL(b.ask(there.gate, 10), 20u);
}

TEST(sockets of CAF are not opened) {
  node a;
  CHECK(!a.system->middleman().publish(a.gate, 0));
  CHECK(!a.system->middleman().remote_actor("127.0.0.1", 1));
}
