#include "actors/presence/presence.hpp"

#include "tests/support/actors.hpp"

using namespace signalbox;
using signalbox::test::shards;

namespace {

/// Namespaces by their index.
enum nsp : uint16_t { root, chat, news };

struct fixture : shards, presence::keeper {
  fixture() {
    opts.presence.max_connections = 2;
    presence::keeper& me = *this;
    std::tie(handle, x) = spawn_light<presence, presence_actor>(
      one, "anna", uint64_t{100}, opts.presence, count, me);
  }

  ~fixture() {
    end(handle);
    settle();
    handle = nullptr;
  }

  void on_ended(presence& it, bool over) override {
    ended = it.user() + (over ? " over " : " lost ")
            + std::to_string(it.entries().size());
  }

  ec add(uint64_t connection, uint16_t in = root, const std::string& info = {},
         uint16_t node = 0) {
    std::optional<presence::entry> old;
    auto out = x->add({node, in, connection}, info, old);
    displaced =
      old ? std::to_string(old->node) + ":" + std::to_string(old->connection)
          : "";
    return out;
  }

  bool remove(uint64_t connection, uint16_t in = root) {
    return x->remove({0, in, connection});
  }

  presence_actor handle;
  presence* x = nullptr;
  std::string ended;
  std::string displaced;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(presence_tests, fixture)

TEST(the version rises by one with each real change) {
  CHECK_EQUAL(x->version(), 100u);
  add(1);
  CHECK_EQUAL(x->version(), 101u);
  MESSAGE("a connection that reports again is none");
  CHECK(add(1) == ec::none);
  CHECK_EQUAL(x->version(), 101u);
  add(2);
  CHECK_EQUAL(x->version(), 102u);
  MESSAGE("neither is one that is refused");
  add(3);
  CHECK_EQUAL(x->version(), 102u);
  CHECK(remove(2));
  CHECK_EQUAL(x->version(), 103u);
  MESSAGE("nor one that was not there");
  CHECK(!remove(2));
  CHECK_EQUAL(x->version(), 103u);
}

TEST(the cap counts connections and not namespaces) {
  CHECK(add(1, root) == ec::none);
  CHECK(add(1, chat) == ec::none);
  CHECK(add(1, news) == ec::none);
  CHECK(add(2, root) == ec::none);
  CHECK(add(3, root) == ec::too_many_connections);
  CHECK(add(2, chat) == ec::none);
  CHECK_EQUAL(x->entries().size(), 5u);
  MESSAGE("a connection counts until its last namespace");
  remove(2, root);
  CHECK(add(3, root) == ec::too_many_connections);
  remove(2, chat);
  CHECK(add(3, root) == ec::none);
}

TEST(the oldest connection gives way if the setting says so) {
  opts.presence.when_full = presence_full::close_oldest;
  add(1, root, {}, 4);
  add(1, chat, {}, 4);
  add(1, root, {}, 5);
  CHECK_EQUAL(displaced, "");
  auto before = x->version();
  CHECK(add(2, root, {}, 4) == ec::none);
  CHECK_EQUAL(displaced, "4:1");
  MESSAGE("with all its namespaces, each of which is a change");
  CHECK_EQUAL(x->entries().size(), 2u);
  CHECK_EQUAL(x->version(), before + 3);
  MESSAGE("one that is there already displaces none");
  CHECK(add(2, chat, {}, 4) == ec::none);
  CHECK_EQUAL(displaced, "");
  CHECK(add(9, root) == ec::none);
  CHECK_EQUAL(displaced, "5:1");
}

TEST(connections of several nodes count together) {
  CHECK(add(1, root, {}, 4) == ec::none);
  MESSAGE("the same number on another node is another connection");
  CHECK(add(1, root, {}, 5) == ec::none);
  CHECK(add(2, root, {}, 4) == ec::too_many_connections);
}

TEST(what a node reports takes the place of what it reported before) {
  add(1, root, {}, 4);
  add(2, root, {}, 5);
  CHECK_EQUAL(x->version(), 102u);
  x->replace(4, {{4, root, 1}, {4, chat, 1}});
  CHECK_EQUAL(x->entries().size(), 3u);
  CHECK_EQUAL(x->version(), 103u);
  MESSAGE("the same once more is no change");
  x->replace(4, {{4, root, 1}, {4, chat, 1}});
  CHECK_EQUAL(x->version(), 103u);
  x->replace(4, {});
  REQUIRE_EQUAL(x->entries().size(), 1u);
  CHECK_EQUAL(x->entries()[0].node, 5u);
  CHECK_EQUAL(x->version(), 105u);
  MESSAGE("and is not bounded by the cap, since the connections are there");
  x->replace(6, {{6, root, 1}, {6, root, 2}, {6, root, 3}});
  CHECK_EQUAL(x->entries().size(), 4u);
}

TEST(the grace begins when the last node has nobody left) {
  x->replace(4, {{4, root, 1}});
  x->replace(5, {{5, root, 1}});
  x->replace(4, {});
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "");
  x->replace(5, {});
  advance(opts.presence.leave_grace.count() - 1);
  CHECK_EQUAL(ended, "");
  MESSAGE("and is over when one comes again");
  x->replace(4, {{4, root, 2}});
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "");
  x->replace(4, {});
  advance(opts.presence.leave_grace.count() + 17);
  CHECK_EQUAL(ended, "anna over 0");
}

TEST(the info is that of the last verdict) {
  add(1, root, R"({"n":1})");
  add(2, root, R"({"n":2})");
  CHECK_EQUAL(x->info(), R"({"n":2})");
  CHECK_EQUAL(x->info_nsp(), root);
  add(2, chat, R"({"n":3})");
  CHECK_EQUAL(x->info_nsp(), chat);
  x->set_info(R"({"n":4})", news);
  CHECK_EQUAL(x->info(), R"({"n":4})");
  CHECK_EQUAL(x->info_nsp(), news);
}

TEST(the record ends with the leave grace after the last connection) {
  add(1);
  add(2);
  remove(1);
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "");
  remove(2);
  advance(opts.presence.leave_grace.count() - 1);
  CHECK_EQUAL(ended, "");
  CHECK_EQUAL(living(actor_kind::presence), 1);
  advance(17);
  CHECK_EQUAL(ended, "anna over 0");
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(who returns within the grace finds the record) {
  add(1);
  remove(1);
  advance(opts.presence.leave_grace.count() - 1);
  add(2);
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "");
  CHECK_EQUAL(x->version(), 103u);
}

TEST(a record that belongs elsewhere ends at once and in order) {
  add(1);
  x->dismiss();
  CHECK_EQUAL(ended, "anna over 1");
  CHECK_EQUAL(living(actor_kind::presence), 0);
}

TEST(a killed record says whom it knew) {
  add(1);
  add(2);
  caf::anon_send_exit(handle, caf::exit_reason::kill);
  settle();
  CHECK_EQUAL(ended, "anna lost 2");
  CHECK_EQUAL(living(actor_kind::presence), 0);
  MESSAGE("and no timer of it is left");
  advance(2 * opts.presence.leave_grace.count());
  CHECK_EQUAL(ended, "anna lost 2");
}

CAF_TEST_FIXTURE_SCOPE_END()
