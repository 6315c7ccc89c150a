#include "transports/net/call_turns.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox::net;

namespace {

using ids = std::vector<uint64_t>;

struct fixture {
  fixture() {
    make({1, 100});
  }

  void make(const call_turns::options& opts) {
    turns.emplace(opts);
  }

  void add(uint64_t id, call_kind kind, const std::string& address,
           uint64_t connection = 1) {
    auto at = ip_address::parse(address);
    if (!at)
      CAF_FAIL("no address: " << address);
    newest = {*at, connection};
    kinds[id] = kind;
    origins[id] = newest;
    turns->add(id, kind, newest);
  }

  void ask(uint64_t id, const std::string& address, uint64_t connection = 1) {
    add(id, call_kind::question, address, connection);
  }

  void emit(uint64_t id, const std::string& address, uint64_t connection = 1) {
    add(id, call_kind::event, address, connection);
  }

  /// Begins what may begin.
  ids begin() {
    ids out;
    while (auto id = turns->next())
      out.push_back(*id);
    return out;
  }

  void end(const ids& all) {
    for (auto id : all)
      turns->end(kinds.at(id));
  }

  /// Begins and ends one round after the other until nothing waits.
  ids run() {
    ids out;
    for (auto some = begin(); !some.empty(); some = begin()) {
      out.insert(out.end(), some.begin(), some.end());
      end(some);
    }
    return out;
  }

  ids overflow() {
    ids out;
    while (auto id = turns->overflow(newest))
      out.push_back(*id);
    return out;
  }

  void remove(uint64_t id) {
    turns->remove(id, kinds.at(id), origins.at(id));
  }

  std::optional<call_turns> turns;
  std::map<uint64_t, call_kind> kinds;
  std::map<uint64_t, call_origin> origins;
  call_origin newest;
};

constexpr auto* first = "192.0.2.1";
constexpr auto* second = "192.0.2.2";
constexpr auto* third = "192.0.2.3";

} // namespace

CAF_TEST_FIXTURE_SCOPE(call_turns_tests, fixture)

TEST(so many calls are under way) {
  make({2, 100});
  ask(1, first);
  ask(2, first);
  ask(3, first);
  CHECK_EQUAL(begin(), (ids{1, 2}));
  CHECK_EQUAL(turns->waiting(), 1u);
  end({1});
  CHECK_EQUAL(begin(), ids{3});
  CHECK_EQUAL(turns->waiting(), 0u);
}

TEST(addresses take turns) {
  for (uint64_t id : {1, 2, 3, 4})
    ask(id, first);
  ask(5, second);
  ask(6, second);
  ask(7, third);
  CHECK_EQUAL(run(), (ids{1, 5, 7, 2, 6, 3, 4}));
}

TEST(connections of one address take turns) {
  for (uint64_t id : {1, 2, 3})
    ask(id, first, 1);
  ask(4, first, 2);
  ask(5, second, 3);
  MESSAGE("and an address has no more turns for having more of them");
  ask(6, first, 4);
  CHECK_EQUAL(run(), (ids{1, 5, 4, 6, 2, 3}));
}

TEST(a client of IPv6 is all its addresses) {
  ask(1, "2001:db8::1", 1);
  ask(2, "2001:db8::2", 2);
  ask(3, "2001:db8::3", 3);
  ask(4, "2001:db8:0:1::1", 4);
  CHECK_EQUAL(run(), (ids{1, 4, 2, 3}));
}

TEST(a client that comes late waits for one call of each other one) {
  for (uint64_t id = 1; id <= 50; ++id)
    ask(id, first);
  auto one = begin();
  ask(100, second);
  end(one);
  one = begin();
  CHECK_EQUAL(one, ids{2});
  end(one);
  CHECK_EQUAL(begin(), ids{100});
}

TEST(questions go first and every eighth call is an event) {
  for (uint64_t id = 1; id <= 20; ++id)
    ask(id, first);
  for (uint64_t id = 101; id <= 104; ++id)
    emit(id, second);
  CHECK_EQUAL(run(), (ids{1,  2,  3,  4,   5,  6,  7,  101, 8,  9,  10,  11,
                          12, 13, 14, 102, 15, 16, 17, 18,  19, 20, 103, 104}));
}

TEST(events leave places to questions) {
  struct {
    size_t places;
    size_t events;
  } table[] = {{1, 1}, {2, 1}, {3, 2}, {4, 3}, {8, 6}, {28, 21}};
  for (const auto& [places, events] : table) {
    MESSAGE(places << " places");
    make({places, 1000});
    for (uint64_t id = 0; id < 100; ++id)
      emit(1000 + id, first);
    CHECK_EQUAL(begin().size(), events);
    for (uint64_t id = 0; id < 100; ++id)
      ask(id, first);
    CHECK_EQUAL(begin().size(), places - events);
  }
}

TEST(the call that gives way is one of the client that has most) {
  make({1, 4});
  ask(1, first);
  begin();
  for (uint64_t id : {2, 3, 4, 5})
    ask(id, first);
  CHECK_EQUAL(overflow(), ids{});
  ask(6, first);
  CHECK_EQUAL(overflow(), ids{6});
  ask(7, second);
  CHECK_EQUAL(overflow(), ids{5});
  ask(8, second);
  CHECK_EQUAL(overflow(), ids{4});
  MESSAGE("of equal ones the newest call");
  ask(9, second);
  CHECK_EQUAL(overflow(), ids{9});
  ask(10, third);
  CHECK_EQUAL(overflow(), ids{8});
  ask(11, "192.0.2.4");
  CHECK_EQUAL(overflow(), ids{3});
  ask(12, "192.0.2.5");
  CHECK_EQUAL(overflow(), ids{12});
  end({1});
  CHECK_EQUAL(run(), (ids{2, 7, 10, 11}));
}

TEST(within an address it is one of the connection that has most) {
  make({1, 4});
  ask(1, first, 1);
  begin();
  for (uint64_t id : {2, 3, 4, 5})
    ask(id, first, 1);
  ask(6, first, 2);
  CHECK_EQUAL(overflow(), ids{5});
  ask(7, first, 3);
  CHECK_EQUAL(overflow(), ids{4});
  end({1});
  CHECK_EQUAL(run(), (ids{2, 6, 7, 3}));
}

TEST(events give way before questions down to their share) {
  make({1, 16});
  ask(1, first);
  begin();
  for (uint64_t id = 101; id <= 116; ++id)
    emit(id, first);
  MESSAGE("the flooder loses its own");
  emit(201, second);
  CHECK_EQUAL(overflow(), ids{116});
  for (uint64_t id = 2; id <= 14; ++id) {
    ask(id, third);
    CHECK_EQUAL(overflow(), ids{117 - id});
  }
  MESSAGE("then 102 is left of the first, one of the second");
  ask(15, third);
  CHECK_EQUAL(overflow(), ids{102});
  ask(16, third);
  CHECK_EQUAL(overflow(), ids{16});
  emit(202, "192.0.2.4");
  CHECK_EQUAL(overflow(), ids{202});
  MESSAGE("below their share questions give way");
  remove(101);
  ask(17, third);
  CHECK_EQUAL(overflow(), ids{});
  emit(203, "192.0.2.4");
  CHECK_EQUAL(overflow(), ids{17});
  CHECK_EQUAL(turns->waiting(), 16u);
}

TEST(where nothing may wait what cannot begin gives way) {
  make({1, 0});
  ask(1, first);
  CHECK_EQUAL(begin(), ids{1});
  CHECK_EQUAL(overflow(), ids{});
  ask(2, second);
  CHECK_EQUAL(begin(), ids{});
  CHECK_EQUAL(overflow(), ids{2});
  emit(3, third);
  CHECK_EQUAL(overflow(), ids{3});
  CHECK_EQUAL(turns->waiting(), 0u);
}

TEST(a call that another client wants waits where its turn is nearer) {
  for (uint64_t id : {1, 2, 3, 4})
    ask(id, first, 1);
  ask(5, first, 2);
  auto share = [this](uint64_t id, const char* address, uint64_t connection) {
    call_origin to{*ip_address::parse(address), connection};
    auto moved = turns->share(id, kinds.at(id), origins.at(id), to);
    if (moved)
      origins[id] = to;
    return moved;
  };
  MESSAGE("not at a connection where as many come before it");
  CHECK(!share(1, first, 3));
  CHECK(!share(2, first, 2));
  CHECK(share(4, first, 2));
  CHECK(share(3, first, 3));
  MESSAGE("at another address only if that one has no more");
  for (uint64_t id = 11; id <= 16; ++id)
    ask(id, second, id);
  CHECK(!share(4, second, 99));
  CHECK(share(4, third, 99));
  CHECK_EQUAL(turns->waiting(), 11u);
  CHECK_EQUAL(run(), (ids{1, 11, 4, 5, 12, 3, 13, 2, 14, 15, 16}));
}

TEST(what is removed has no turn) {
  for (uint64_t id : {1, 2, 3})
    ask(id, first);
  ask(4, second);
  emit(5, second);
  for (uint64_t id : {1, 4, 5})
    remove(id);
  CHECK_EQUAL(turns->waiting(), 2u);
  MESSAGE("nor when it is removed again");
  remove(4);
  CHECK_EQUAL(run(), (ids{2, 3}));
}

CAF_TEST_FIXTURE_SCOPE_END()
