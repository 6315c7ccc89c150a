#include "actors/api/receipt.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::fake_ingest;
using signalbox::test::shards;

namespace {

struct fixture : shards {
  fixture() {
    std::tie(asker, answers) = spawn_light<fake_ingest, ingest_actor>(one);
  }

  ~fixture() {
    end(asker);
    settle();
    asker = nullptr;
  }

  /// An event for anna and ben.
  static deliver_users event(uint64_t confirm = 0) {
    deliver_users out;
    out.ticket = 7;
    out.users = {"anna", "ben"};
    out.confirm = confirm;
    return out;
  }

  ingest_actor asker;
  fake_ingest* answers = nullptr;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(receipt_tests, fixture)

TEST(the answer leaves with the last message and counts who took the event) {
  auto x = std::make_shared<receipt>(count, asker, event());
  x->add(2, true);
  x->add(1, true);
  auto last = x;
  x->took(0);
  x.reset();
  settle();
  CHECK(answers->all<routed>().empty());
  last->took(1);
  last.reset();
  settle();
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  const auto& got = answers->all<routed>()[0];
  CHECK_EQUAL(got.ticket, 7u);
  CHECK_EQUAL(got.matched, 2u);
  CHECK_EQUAL(got.online, 2u);
  CHECK(got.found == (std::vector<bool>{true, true}));
  CHECK(got.offline.empty());
  CHECK_EQUAL(count.deliveries, 2u);
  CHECK_EQUAL(count.deliveries_dropped, 1u);
}

TEST(a confirm names those of whom no connection took the event) {
  auto x = std::make_shared<receipt>(count, asker, event(70));
  x->add(2, true);
  x->add(1, true);
  x->took(0);
  x.reset();
  settle();
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK_EQUAL(answers->all<routed>()[0].online, 1u);
  REQUIRE_EQUAL(answers->all<routed>()[0].offline.size(), 1u);
  CHECK_EQUAL(answers->all<routed>()[0].offline[0], "ben");
}

TEST(a message to a connection that has ended counts for nothing) {
  auto [gone, side] =
    spawn_light<signalbox::test::recorder<deliver>, connection_actor>(two);
  end(gone);
  settle();
  auto x = std::make_shared<receipt>(count, asker, event());
  x->add(1, true);
  caf::anon_send(gone, deliver{nullptr, {}, false, 0, 0, x, 0});
  x.reset();
  settle();
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK_EQUAL(answers->all<routed>()[0].online, 0u);
}

TEST(an answer that nobody wants is counted all the same) {
  auto quiet = event();
  quiet.ticket = 0;
  auto x = std::make_shared<receipt>(count, asker, quiet);
  x->add(1, true);
  x->took(0);
  x.reset();
  std::make_shared<receipt>(count, ingest_actor{}, event());
  settle();
  CHECK(answers->all<routed>().empty());
  CHECK_EQUAL(count.deliveries, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
