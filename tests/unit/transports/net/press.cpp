#include "transports/net/press.hpp"

#include "transports/codec/deflate.hpp"
#include "transports/codec/dialect.hpp"
#include "transports/net/loop.hpp"

#include <string>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::net;
using session::parcel;

namespace {

struct fixture {
  /// Runs the loop until so many bodies were taken.
  void run(size_t count) {
    wanted = count;
    if (taken.size() < wanted) {
      home.wheel().arm(deadline, 20000);
      home.run();
      // The loop may run again.
      home.poll();
    }
    deadline.cancel();
    REQUIRE_EQUAL(taken.size(), count);
  }

  void take(const press::body& made) {
    taken.push_back(made);
    if (taken.size() == wanted)
      home.stop();
  }

  void give_up() {
    home.stop();
  }

  void make(press::order x) {
    home.bodies().make(std::move(x), [this](const press::body& made) {
      REQUIRE(made != nullptr);
      take(made);
    });
  }

  static codec::event_ptr event(size_t bytes) {
    return std::make_shared<const codec::shared_event>(
      "/", "[\"x\",\"" + std::string(bytes, 'a') + "\"]",
      std::vector<std::string>{});
  }

  /// Queues the event as a session does, and takes all that is queued.
  static std::optional<parcel> take(const codec::shared_event& x, bool binary,
                                    const std::string& own = {}) {
    session::outbox out{1u << 24, 1000};
    const auto& speaks = engine::find_revision(codec::dialect::eio4, false);
    for (const auto& each : x.packets(speaks.form()))
      out.push({each, own, false});
    return parcel::take(out, &speaks, binary);
  }

  loop home{0};
  session::timer deadline = session::make_timer<&fixture::give_up>(this);
  size_t wanted = 0;
  std::vector<press::body> taken;
};

constexpr size_t large = 200000;

} // namespace

CAF_TEST_FIXTURE_SCOPE(press_tests, fixture)

TEST(a small body is made within the call and once) {
  for (auto i = 0; i < 3; ++i)
    make({std::string(2000, 'a'), {}, press::coding::gzip});
  REQUIRE_EQUAL(taken.size(), 3u);
  CHECK(taken[0] == taken[1] && taken[1] == taken[2]);
  CHECK_EQUAL(*codec::inflate_content(*taken[0], large),
              std::string(2000, 'a'));
}

TEST(a large body is made once for all who get the same) {
  auto x = event(large);
  for (auto i = 0; i < 3; ++i)
    make({*take(*x, false), {}, press::coding::gzip});
  CHECK(taken.empty());
  run(3);
  CHECK(taken[0] == taken[1] && taken[1] == taken[2]);
  CHECK_EQUAL(*codec::inflate_content(*taken[0], 2 * large),
              "42" + std::string{x->args()});
  MESSAGE("and for who comes a little later");
  make({*take(*x, false), {}, press::coding::gzip});
  run(4);
  CHECK(taken[3] == taken[0]);
}

TEST(an equal text is the same body) {
  for (auto i = 0; i < 2; ++i)
    make({std::string(large, 'a'), {}, press::coding::gzip});
  run(2);
  CHECK(taken[0] == taken[1]);
  MESSAGE("unless nothing is to be made of it");
  make({std::string(large, 'a'), {}, press::coding::plain});
  run(3);
  CHECK_EQUAL(*taken[2], std::string(large, 'a'));
}

TEST(what differs in anything is another body) {
  auto x = event(large);
  auto y = event(large);
  make({*take(*x, false), {}, press::coding::plain});
  make({*take(*x, false), {}, press::coding::gzip});
  make({*take(*x, false), "f(", press::coding::plain});
  make({*take(*x, true), {}, press::coding::plain});
  make({*take(*y, false), {}, press::coding::plain});
  make({x->packets(codec::wire_form::v4)[0], {}, press::coding::deflate});
  run(6);
  for (size_t i = 0; i < taken.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      CHECK(taken[i] != taken[j]);
  auto text = "42" + std::string{x->args()};
  CHECK_EQUAL(*taken[0], text);
  CHECK(taken[2]->starts_with("f(\"42[") && taken[2]->ends_with(");"));
  CHECK_EQUAL(*codec::inflate_message(*taken[5], 2 * large), text);
}

TEST(large bodies are taken one in a turn) {
  std::string order;
  for (auto name : {'a', 'b', 'c'})
    home.bodies().make({std::string(large, 'x'), {}, press::coding::plain},
                       [this, name, &order](const press::body& made) {
                         order += name;
                         if (name == 'a')
                           home.post([&order] { order += '-'; });
                         take(made);
                       });
  run(3);
  CHECK_EQUAL(order, "ab-c");
}

TEST(a body is kept for a while only) {
  make({*take(*event(large), false), {}, press::coding::plain});
  run(1);
  MESSAGE("its thread lets go of it before the next one");
  make({*take(*event(large), false), {}, press::coding::plain});
  run(2);
  CHECK_EQUAL(taken[0].use_count(), 2);
  home.wheel().advance(home.wheel().now() + 2000);
  CHECK_EQUAL(taken[0].use_count(), 1);
}

TEST(many bodies are kept up to a bound) {
  for (auto i = 0; i < 100; ++i)
    make(
      {std::string(3000, static_cast<char>('0' + i)), {}, press::coding::gzip});
  size_t kept = 0;
  for (const auto& each : taken)
    kept += each.use_count() > 1;
  CHECK(kept > 0 && kept <= 16);
}

TEST(only large and shared packets are a parcel) {
  CHECK(!take(*event(parcel::least_bytes / 2), false));
  CHECK(take(*event(parcel::least_bytes), false));
  CHECK(!take(*event(parcel::least_bytes), false, "its own"));
}

CAF_TEST_FIXTURE_SCOPE_END()
