#include "tests/unit/actors/ingest/ingest_rig.hpp"

#include <map>

using namespace signalbox;
using signalbox::test::ingest_rig;

namespace {

constexpr auto keyed = R"({"type":"letter","key":"k","payload":{"to":"anna"}})";

/// On node 1 between other nodes, which ask for their keys here.
struct cluster_rig : ingest_rig {
  cluster_rig() : ingest_rig(true) {
    opts.router.node = 1;
    live({{1, 101}, {2, 102}, {3, 103}, {4, 104}});
  }

  /// These processes live.
  void live(std::map<uint16_t, uint64_t> all) {
    caf::anon_send(in, live_processes{std::move(all)});
    settle();
  }

  /// Something that node `from` says about its event with the key `k`.
  template <class T>
  static T about_key(uint16_t from, uint64_t seq) {
    T x;
    x.from = from;
    x.from_process = 100u + from;
    x.credential = "site";
    x.key = "k";
    x.id = "e-k";
    x.seq = seq;
    return x;
  }

  /// Node `from` asks for the key, of which this one is the owner, or not.
  /// Returns what it is told, if anything.
  std::string claim(uint16_t from, uint64_t seq, bool owner = true,
                    uint64_t process = 0) {
    auto x = about_key<wire::claim>(from, seq);
    x.ticket = seq;
    x.owner = owner;
    if (process != 0)
      x.from_process = process;
    caf::anon_send(in, std::move(x));
    return claimed();
  }

  std::string claimed() {
    settle();
    std::string out;
    for (const auto& each : std::exchange(relayed->all<wire::claimed>(), {}))
      out += std::to_string(each.ticket) + ':' + to_string(each.outcome)
             + (each.dup ? " " + std::to_string(each.seq) : "")
             + (each.pending ? "@" + std::to_string(each.at) : "") + ' ';
    return out;
  }

  void settled_by(uint16_t from, uint64_t seq, ec outcome = ec::none,
                  bool owner = true) {
    auto x = about_key<wire::claim_settled>(from, seq);
    x.outcome = outcome;
    x.owner = owner;
    caf::anon_send(in, std::move(x));
  }

  /// Node 3 gives away the key of an event that is under way at node 2.
  static wire::keys given() {
    wire::keys x;
    x.from = 3;
    auto& each = x.all.emplace_back();
    each.credential = "site";
    each.key = "k";
    each.id = "e-k";
    each.seq = 7;
    each.at = 2;
    each.left = 5000;
    return x;
  }

  /// Another node has told RELAY that the oldest event to users is a repeat.
  void repeated(uint64_t seq, uint64_t online,
                std::vector<uint16_t> unreachable = {}) {
    routed x;
    x.ticket = asked->all<deliver_users>().front().ticket;
    x.dup = true;
    x.id = "first";
    x.seq = seq;
    x.matched = online;
    x.online = online;
    x.unreachable = std::move(unreachable);
    asked->all<deliver_users>().clear();
    caf::anon_send(in, std::move(x));
  }

  static size_t count_of(const std::string& text, const std::string& part) {
    size_t out = 0;
    for (auto at = text.find(part); at != text.npos;
         at = text.find(part, at + 1))
      ++out;
    return out;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(keys_of_nodes_tests, cluster_rig)

TEST(a key of another node is held until its event is settled) {
  CHECK_EQUAL(claim(2, 7), "7:none ");
  MESSAGE("also if it asks again");
  CHECK_EQUAL(claim(2, 7), "7:none ");
  MESSAGE("another node is told at once that it is a repeat, and more later");
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  settled_by(2, 7);
  CHECK_EQUAL(claimed(), "8:none 7 ");
  CHECK_EQUAL(claim(3, 9), "9:none 7 ");
}

TEST(who has decided for an event says so when another node owns the key) {
  claim(2, 7);
  CHECK_EQUAL(claim(3, 8, false), "8:none 7@2 ");
  MESSAGE("also of an event that it has accepted itself");
  opts.router.node = 2;
  live({{2, 102}, {3, 103}});
  CHECK_EQUAL(claim(3, 9, false), "9:none 7@2 ");
}

TEST(who does not own a key knows only what is over) {
  CHECK_EQUAL(claim(2, 7, false), "7:none ");
  CHECK_EQUAL(count.idempotency_keys, 0);
}

TEST(a key whose event was refused is free again) {
  claim(2, 7);
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  settled_by(2, 7, ec::busy);
  MESSAGE("who came second is refused as well, as one tries again anyway");
  CHECK_EQUAL(claimed(), "8:busy ");
  CHECK_EQUAL(count.idempotency_keys, 0);
  CHECK_EQUAL(claim(3, 9), "9:none ");
}

TEST(an event that was sent without the owner of its key is known afterwards) {
  claim(2, 7);
  claim(3, 8);
  MESSAGE("which did not answer node 3 in time");
  settled_by(2, 7, ec::busy);
  settled_by(3, 8);
  settle();
  CHECK_EQUAL(count.idempotency_keys, 1);
  claimed();
  CHECK_EQUAL(claim(4, 9), "9:none 8 ");
}

TEST(an event that was refused before its key was asked for frees none) {
  claim(2, 7);
  MESSAGE("of another node, or of the same one");
  settled_by(3, 7, ec::busy);
  settled_by(2, 6, ec::busy);
  CHECK_EQUAL(claim(3, 9), "9:none 7@2 ");
  settled_by(2, 7);
  CHECK_EQUAL(claimed(), "9:none 7 ");
}

TEST(keys are listed with what is known of them) {
  claim(2, 7);
  settled_by(2, 7);
  advance(1000);
  call(R"({"type":"news","key":"own"})");
  caf::anon_send(in, list_keys{5, 0, 0});
  settle();
  auto& all = relayed->all<keys_listed>();
  REQUIRE_EQUAL(all.size(), 1u);
  CHECK_EQUAL(all[0].walk, 5u);
  CHECK(!all[0].last);
  REQUIRE_EQUAL(all[0].keys.size(), 2u);
  const auto& given = all[0].keys[0];
  CHECK_EQUAL(given.credential, "site");
  CHECK_EQUAL(given.key, "k");
  CHECK_EQUAL(given.id, "e-k");
  CHECK_EQUAL(given.at, 2u);
  CHECK(given.done);
  CHECK_EQUAL(given.left, opts.ingest.idempotency_window.count() - 1000);
  CHECK_EQUAL(all[0].keys[1].key, "own");
  CHECK(!all[0].keys[1].done);
  MESSAGE("and then those of the other credential, of which there are none");
  caf::anon_send(in, list_keys{5, all[0].credential, all[0].position});
  settle();
  CHECK(all.back().last);
  CHECK(all.back().keys.empty());
}

TEST(a key that is given is known as it was) {
  auto x = given();
  auto each = x.all[0];
  caf::anon_send(in, x);
  MESSAGE("it is under way at node 2");
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  x.all[0].done = true;
  x.all[0].online = 4;
  caf::anon_send(in, x);
  CHECK_EQUAL(claimed(), "8:none 7 ");
  CHECK_EQUAL(count.idempotency_keys, 1);
  MESSAGE("for as long as it was to be known there");
  advance(4999);
  CHECK_EQUAL(claim(3, 9), "9:none 7 ");
  advance(1);
  CHECK_EQUAL(claim(3, 10), "10:none ");
  MESSAGE("one that finds no room, and one of a credential that is not ours");
  x.all[0].credential = "stranger";
  x.all.resize(4, each);
  for (size_t i = 1; i < 4; ++i)
    x.all[i].key = "more-" + std::to_string(i);
  caf::anon_send(in, x);
  settle();
  CHECK_EQUAL(count.idempotency_keys, 2);
  CHECK_EQUAL(count.limit_idempotency, 2u);
}

TEST(the owner of a key is told what became of the event) {
  call(keyed);
  auto& all = asked->all<deliver_users>();
  auto sent = std::exchange(all, {}).front();
  CHECK_EQUAL(sent.claim.key, "k");
  routed no;
  no.ticket = sent.ticket;
  no.outcome = ec::busy;
  caf::anon_send(in, std::move(no));
  CHECK(said().starts_with("429 "));
  call(keyed);
  route_users(1, 2);
  auto& told = relayed->all<wire::claim_settled>();
  REQUIRE_EQUAL(told.size(), 2u);
  CHECK(told[0].outcome == ec::busy);
  CHECK_EQUAL(told[0].seq, sent.claim.seq);
  CHECK_EQUAL(told[0].credential, "site");
  CHECK(told[1].outcome == ec::none);
  CHECK_EQUAL(told[1].online, 2u);
}

// -- what was under way at a process that is gone -----------------------------

TEST(what was under way at a dead node is not waited for) {
  claim(2, 7);
  call(keyed);
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  CHECK_EQUAL(said(), "");
  MESSAGE("who waits may try again");
  live({{1, 101}, {3, 103}});
  CHECK_EQUAL(claimed(), "8:unanswered ");
  auto text = said();
  CHECK(text.starts_with("503 "));
  CHECK(text.find("by a node that is gone") != text.npos);
  MESSAGE("and is the first then");
  call(keyed);
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
}

TEST(a repeat of what was under way at a dead node is a new event) {
  claim(2, 7);
  live({{1, 101}, {3, 103}});
  CHECK_EQUAL(claim(3, 8), "8:none ");
  MESSAGE("which is known");
  CHECK_EQUAL(claim(4, 9), "9:none 8@3 ");
}

TEST(a node that was started again knows nothing of what was under way) {
  claim(2, 7);
  live({{1, 101}, {2, 202}, {3, 103}});
  MESSAGE("also if it counts up to the same number");
  CHECK_EQUAL(claim(2, 7, true, 202), "7:none ");
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
}

TEST(a node that was cut off for a moment ends its event itself) {
  claim(2, 7);
  live({{1, 101}, {3, 103}});
  live({{1, 101}, {2, 102}, {3, 103}});
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  settled_by(2, 7);
  CHECK_EQUAL(claimed(), "8:none 7 ");
}

TEST(an end that was lost with a link is not waited for without end) {
  claim(2, 7);
  call(keyed);
  auto most = opts.cluster.dead_after + 3 * opts.cluster.request_timeout;
  advance(most.count());
  said();
  call(keyed);
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  CHECK_EQUAL(said(), "");
  advance(1);
  CHECK_EQUAL(claim(3, 9), "8:unanswered 9:none ");
  CHECK(said().starts_with("503 "));
  MESSAGE("what is under way here ends here");
  asked->all<deliver_users>().clear();
  call(R"({"type":"letter","key":"own","payload":{"to":"anna"}})");
  advance(most.count() + 1);
  call(R"({"type":"letter","key":"own","payload":{"to":"anna"}})");
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
}

TEST(what is over is known whether its node lives or not ) {
  claim(2, 7);
  settled_by(2, 7);
  live({{1, 101}, {3, 103}});
  CHECK_EQUAL(claim(3, 8), "8:none 7 ");
}

TEST(a key that is given is compared with the process that has its event) {
  auto x = given();
  x.all[0].process = 99;
  caf::anon_send(in, x);
  CHECK_EQUAL(claim(3, 8), "8:none ");
  MESSAGE("its process is told with it");
  caf::anon_send(in, list_keys{5, 0, 0});
  settle();
  REQUIRE_EQUAL(relayed->all<keys_listed>().size(), 1u);
  REQUIRE_EQUAL(relayed->all<keys_listed>()[0].keys.size(), 1u);
  CHECK_EQUAL(relayed->all<keys_listed>()[0].keys[0].at, 3u);
  CHECK_EQUAL(relayed->all<keys_listed>()[0].keys[0].process, 103u);
}

TEST(a repeat that waits longer than its key is known is answered) {
  claim(2, 7);
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  advance(opts.ingest.idempotency_window.count());
  CHECK_EQUAL(claim(3, 9), "8:unanswered 9:none ");
}

TEST(a repeat at the owner of its key does not wait without end) {
  claim(2, 7);
  call(keyed);
  auto time = opts.cluster.request_timeout.count();
  advance(time / 2);
  call(keyed);
  CHECK_EQUAL(said(), "");
  advance(time / 2 + 16);
  auto late = R"("seq":7,"matched":0,"online":0,"dup":true,)"
              R"("partial":true,"unreachable":[2]})";
  CHECK_EQUAL(count_of(said(), late), 1u);
  MESSAGE("each has its own time, and its key is still known");
  CHECK_EQUAL(count.idempotency_keys, 1);
  advance(time / 2 + 16);
  CHECK_EQUAL(count_of(said(), late), 1u);
  call(keyed);
  CHECK(asked->all<deliver_users>().empty());
  settled_by(2, 7);
  CHECK_EQUAL(count_of(said(), R"("seq":7,"matched":0,"online":0,"dup":true})"),
              1u);
  advance(2 * time);
  CHECK_EQUAL(said(), "");
}

// -- who asks again -----------------------------------------------------------

TEST(a number that comes again after a restart is another event) {
  claim(2, 7);
  MESSAGE("while the first is under way");
  CHECK_EQUAL(claim(2, 7, true, 202), "7:none 7@2 ");
  MESSAGE("which frees no key of the first");
  auto refused = about_key<wire::claim_settled>(2, 7);
  refused.from_process = 202;
  refused.outcome = ec::busy;
  caf::anon_send(in, std::move(refused));
  CHECK_EQUAL(claimed(), "");
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  settled_by(2, 7);
  claimed();
  MESSAGE("and afterwards");
  CHECK_EQUAL(claim(2, 7, true, 202), "7:none 7 ");
  CHECK_EQUAL(claim(2, 7), "7:none 7 ");
}

TEST(a node that asks again has forgotten its earlier event) {
  claim(2, 7);
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  MESSAGE("so it need not wait for itself");
  CHECK_EQUAL(claim(2, 9), "9:none ");
  settled_by(2, 7, ec::busy);
  CHECK_EQUAL(claimed(), "");
  MESSAGE("what is held is its later event");
  CHECK_EQUAL(claim(4, 10), "10:none 9@2 ");
  settled_by(2, 9);
  auto both = claimed();
  CHECK_EQUAL(count_of(both, "8:none 9 "), 1u);
  CHECK_EQUAL(count_of(both, "10:none 9 "), 1u);
}

TEST(a former owner is told the end of what it knows) {
  CHECK_EQUAL(claim(2, 7), "7:none ");
  CHECK_EQUAL(claim(3, 8), "8:none 7@2 ");
  settled_by(2, 7, ec::none, false);
  CHECK_EQUAL(claimed(), "8:none 7 ");
  MESSAGE("also if that is a refusal");
  advance(opts.ingest.idempotency_window.count());
  CHECK_EQUAL(claim(2, 8), "8:none ");
  CHECK_EQUAL(claim(3, 9), "9:none 8@2 ");
  settled_by(2, 8, ec::busy, false);
  CHECK_EQUAL(claimed(), "9:busy ");
  MESSAGE("and remembers no key because of it");
  auto x = about_key<wire::claim_settled>(2, 9);
  x.key = "other";
  x.owner = false;
  caf::anon_send(in, std::move(x));
  settle();
  CHECK_EQUAL(count.idempotency_keys, 0);
}

TEST(later repeats are answered as the first event was) {
  call(keyed);
  call(keyed);
  repeated(42, 2);
  auto both = said();
  CHECK_EQUAL(count_of(both, R"("seq":42,"matched":2,"online":2,"dup":true})"),
              2u);
  call(keyed);
  CHECK_EQUAL(
    count_of(said(), R"("seq":42,"matched":2,"online":2,"dup":true})"), 1u);
  MESSAGE("its owner knows how it ended");
  CHECK(relayed->all<wire::claim_settled>().empty());
}

TEST(numbers that did not come are asked for again) {
  call(keyed);
  call(keyed);
  repeated(42, 0, {3});
  auto both = said();
  CHECK_EQUAL(count_of(both, R"("seq":42,"matched":0,"online":0,"dup":true,)"
                             R"("partial":true,"unreachable":[3]})"),
              2u);
  call(keyed);
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  repeated(42, 5);
  CHECK(said().find(R"("seq":42,"matched":5,"online":5,"dup":true})")
        != std::string::npos);
}

CAF_TEST_FIXTURE_SCOPE_END()
