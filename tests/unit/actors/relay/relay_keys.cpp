#include "tests/unit/actors/relay/relay_rig.hpp"

using namespace signalbox;
using signalbox::test::nodes;
using signalbox::test::relay_rig;

namespace {

struct fixture : relay_rig {
  /// A key that a node owns among 1, 2 and 3, and `then` without it.
  static std::string key_of(uint16_t node, uint16_t then) {
    nodes rest{1, 2, 3};
    std::erase(rest, node);
    for (int i = 0;; ++i) {
      auto key = std::to_string(i);
      auto name = "key:site\n" + key;
      if (ring_home(name, {1, 2, 3}) == node && ring_home(name, rest) == then)
        return key;
    }
  }

  /// INGEST knows these keys, accepted by the node `at`, and no more.
  void list(std::vector<std::string> keys, uint16_t at = 1, bool last = true) {
    auto& asked_for = answers->all<list_keys>();
    REQUIRE(!asked_for.empty());
    keys_listed y;
    y.walk = asked_for.back().walk;
    asked_for.clear();
    y.position = keys.size();
    y.last = last;
    for (auto& each : keys) {
      auto& to = y.keys.emplace_back();
      to.credential = "site";
      to.key = each;
      to.at = at;
    }
    caf::anon_send(x.events, std::move(y));
    settle();
  }

  /// Returns the keys that were given to a node.
  std::string given(uint16_t node) {
    std::string out;
    for (const auto& each : others.take<wire::keys>(node))
      for (const auto& key : each.all)
        out += key.key + ' ';
    return out;
  }

  /// This node leaves. `gone` is set when it may.
  void leave_now() {
    leave(x, [this] { gone = true; });
    settle();
  }

  /// All nodes know their keys.
  void form() {
    change({1, 2, 3});
    list({});
    answers->all<list_keys>().clear();
  }

  void post_with_key(uint64_t ticket, const std::string& key) {
    broadcast out;
    out.ticket = ticket;
    out.event = event("[1]");
    out.claim = {"site", key, "id", ticket};
    caf::anon_send(x.events, std::move(out));
    settle();
  }

  void claimed_by(uint16_t node, uint64_t ticket, bool dup, bool pending,
                  uint16_t at, uint64_t online = 0, uint64_t process = 0) {
    wire::claimed y;
    y.ticket = ticket;
    y.dup = dup;
    y.pending = pending;
    y.at = at;
    y.online = online;
    y.process = process;
    say(node, std::move(y));
  }

  /// Returns what a node was told about keys.
  std::string answers_to(uint16_t node) {
    std::string out;
    for (const auto& each : others.take<wire::claimed>(node))
      out += (each.dup ? "dup" : "free")
             + (each.pending ? "@" + std::to_string(each.at) : "") + ' ';
    return out;
  }

  /// Node 2 asks for the key of the event `ticket`, of which it takes itself
  /// for the owner, or this node. INGEST here knows the event as under way.
  std::string asked_by_next_owner(uint64_t ticket, bool owner = false) {
    wire::claim question;
    question.ticket = 50 + ticket;
    question.owner = owner;
    say(2, question);
    wire::claimed answer;
    answer.ticket = answers->all<wire::claim>().back().ticket;
    answer.dup = answer.pending = true;
    answer.id = "id";
    answer.seq = ticket;
    answer.at = 1;
    caf::anon_send(x.events, std::move(answer));
    settle();
    return answers_to(2);
  }

  bool gone = false;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(relay_keys_tests, fixture)

// -- keys that find other owners ----------------------------------------------

TEST(a node that leaves gives its keys to those who own them then) {
  form();
  leave_now();
  auto first_ = key_of(1, 2);
  auto second_ = key_of(1, 3);
  list({first_, key_of(2, 1), second_, key_of(3, 2)}, 3);
  CHECK_EQUAL(given(2), first_ + ' ');
  CHECK_EQUAL(given(3), second_ + ' ');
  MESSAGE("and leaves when both have them");
  ack(2, 100);
  CHECK(!gone);
  ack(3, 100);
  CHECK(gone);
}

TEST(keys are given in batches that wait for each other) {
  form();
  leave_now();
  list({key_of(1, 2)}, 1, false);
  CHECK(answers->all<list_keys>().empty());
  ack(2, 100);
  REQUIRE_EQUAL(answers->all<list_keys>().size(), 1u);
  CHECK_EQUAL(answers->all<list_keys>()[0].position, 1u);
  list({});
  CHECK(gone);
}

TEST(a node that does not take keys is not waited for without end) {
  form();
  leave_now();
  list({key_of(1, 2)});
  advance(opts.cluster.request_timeout.count() + 100);
  CHECK(gone);
}

TEST(what is under way is answered before its key is given) {
  form();
  post_all(7);
  leave_now();
  CHECK(answers->all<list_keys>().empty());
  route_here(7, 1, 1);
  route(2, 7, 1, 1);
  route(3, 7, 1, 1);
  advance(200);
  CHECK_EQUAL(answers->all<list_keys>().size(), 1u);
}

TEST(what arrives of an earlier walk does not let a node leave) {
  form();
  change({1, 2});
  list({key_of(3, 2)});
  CHECK_EQUAL(given(2), key_of(3, 2) + ' ');
  post_all(7);
  leave_now();
  ack(2, 100);
  CHECK(!gone);
  MESSAGE("it gives its keys when nothing is under way");
  route_here(7, 1, 1);
  route(2, 7, 1, 1);
  advance(200);
  list({key_of(1, 2)});
  CHECK(!gone);
  ack(2, 200);
  CHECK(gone);
}

TEST(a node whose INGEST lists no keys leaves all the same) {
  form();
  leave_now();
  REQUIRE_EQUAL(answers->all<list_keys>().size(), 1u);
  CHECK(!gone);
  advance(opts.cluster.request_timeout.count() + 100);
  CHECK(gone);
  MESSAGE("a list that comes later is none");
  list({key_of(1, 2)});
  CHECK_EQUAL(given(2), "");
}

TEST(a router by itself leaves at once) {
  change({1});
  leave_now();
  CHECK(gone);
}

TEST(a node that comes gets the keys that it owns) {
  change({1, 2});
  list({});
  change({1, 2, 3});
  auto mine = key_of(3, 1);
  list({mine, key_of(3, 2), key_of(2, 1), key_of(1, 2)}, 2);
  CHECK_EQUAL(given(3), mine + ' ');
  CHECK_EQUAL(given(2), "");
}

TEST(where the owner has died whoever accepted tells the next) {
  form();
  change({1, 3});
  auto next = key_of(2, 3);
  list({next, key_of(2, 1), key_of(1, 3)}, 1);
  CHECK_EQUAL(given(3), next + ' ');
  MESSAGE("and no other node does");
  change({1, 2, 3});
  list({});
  change({1, 3});
  list({next}, 3);
  CHECK_EQUAL(given(3), "");
}

TEST(a node that was started again knows nothing) {
  form();
  change({1, 3});
  others.processes[2] = 9;
  change({1, 2, 3});
  auto its = key_of(2, 3);
  list({its}, 1);
  CHECK_EQUAL(given(2), its + ' ');
}

TEST(keys of other nodes reach INGEST) {
  wire::keys in;
  in.all.emplace_back();
  say(2, in);
  CHECK_EQUAL(answers->all<wire::keys>().size(), 1u);
}

// -- repeats of what is under way ---------------------------------------------

TEST(a repeat of an event under way waits for its numbers) {
  post_with_key(7, key_of(2, 3));
  post_all(8, "[8]");
  claimed_by(2, 7, true, true, 3);
  MESSAGE("others do not wait for them");
  CHECK_EQUAL(sent(3), "[8]");
  CHECK_EQUAL(told(), "");
  claimed_by(2, 7, true, false, 0, 4);
  CHECK_EQUAL(told(), "7:0/4 ");
  claimed_by(2, 7, true, false, 0, 4);
  CHECK_EQUAL(told(), "");
}

TEST(a repeat is not sent however long the first takes) {
  post_with_key(7, key_of(2, 3));
  claimed_by(2, 7, true, true, 3);
  advance(opts.cluster.request_timeout.count() + 100);
  MESSAGE("the node that has it is named");
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK(answers->all<routed>()[0].dup);
  CHECK_EQUAL(told(), "7:0/0 !3 ");
  CHECK_EQUAL(sent(3), "");
}

TEST(what was under way at a node that is gone is sent) {
  post_with_key(7, key_of(2, 3));
  claimed_by(2, 7, true, true, 9);
  CHECK_EQUAL(sent(3), "[1]");
}

TEST(what was under way at a node that was started again is sent) {
  others.processes[3] = 9;
  post_with_key(7, key_of(2, 3));
  claimed_by(2, 7, true, true, 3, 0, 8);
  CHECK_EQUAL(sent(3), "[1]");
  MESSAGE("but not what is under way at the process that lives");
  post_with_key(8, key_of(2, 3));
  claimed_by(2, 8, true, true, 3, 0, 9);
  CHECK_EQUAL(sent(3), "");
}

TEST(a repeat does not wait for a node that dies) {
  post_with_key(7, key_of(2, 3));
  claimed_by(2, 7, true, true, 3, 0, others.process(3));
  CHECK_EQUAL(told(), "");
  change({1, 2});
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK(answers->all<routed>()[0].outcome == ec::unanswered);
  CHECK(!answers->all<routed>()[0].dup);
  MESSAGE("and that is its only answer");
  told();
  claimed_by(2, 7, true, false, 0, 4);
  advance(opts.cluster.request_timeout.count() + 100);
  CHECK_EQUAL(told(), "");
}

TEST(a repeat that waits for its numbers takes nothing else for them) {
  change({1, 2, 3});
  post_with_key(7, key_of(2, 3));
  claimed_by(2, 7, true, true, 3);
  MESSAGE("the node that has it does not know its end either");
  claimed_by(3, 7, false, false, 0);
  CHECK_EQUAL(told(), "");
  claimed_by(3, 7, true, true, 3);
  CHECK_EQUAL(told(), "");
  claimed_by(2, 7, true, false, 0, 4);
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK(answers->all<routed>()[0].dup);
  CHECK_EQUAL(told(), "7:0/4 ");
}

// -- who owned a key until now ------------------------------------------------

TEST(a former owner objects while its own event is under way) {
  post_with_key(7, key_of(1, 2));
  CHECK_EQUAL(sent(2), "[1]");
  change({1, 2, 3});
  CHECK_EQUAL(asked_by_next_owner(7), "dup@1 ");
  MESSAGE("and tells the numbers when it has them");
  wire::claimed end;
  end.ticket = answers->all<wire::claim>().back().ticket;
  end.dup = true;
  caf::anon_send(x.events, std::move(end));
  settle();
  CHECK_EQUAL(answers_to(2), "dup ");
}

TEST(a node that may not send its own event leaves it to the owner) {
  MESSAGE("because it has not been told yet whether it may");
  post_with_key(7, key_of(2, 3));
  CHECK_EQUAL(asked_by_next_owner(7), "free ");
  MESSAGE("or because it is a repeat");
  claimed_by(2, 7, true, true, 3);
  CHECK_EQUAL(asked_by_next_owner(7), "free ");
  MESSAGE("one that was allowed is sent");
  post_with_key(8, key_of(2, 3));
  claimed_by(2, 8, false, false, 0);
  CHECK_EQUAL(asked_by_next_owner(8), "dup@1 ");
}

TEST(the owner of a key objects whether it has decided or not ) {
  change({1, 2, 3});
  post_with_key(7, key_of(1, 2));
  CHECK_EQUAL(asked_by_next_owner(7, true), "dup@1 ");
}

// -- how events with keys end -------------------------------------------------

TEST(after a change of the view all nodes are told how an event ended) {
  wire::claim_settled done;
  done.from = 1;
  done.credential = "site";
  done.key = key_of(3, 2);
  caf::anon_send(x.events, done);
  settle();
  CHECK(others.one<wire::claim_settled>(3).owner);
  CHECK_EQUAL(others.left(), 0u);
  change({1, 2, 3});
  others.kinds();
  caf::anon_send(x.events, done);
  settle();
  CHECK(others.one<wire::claim_settled>(3).owner);
  CHECK(!others.one<wire::claim_settled>(2).owner);
  MESSAGE("for one window");
  advance(opts.ingest.idempotency_window.count());
  others.kinds();
  caf::anon_send(x.events, done);
  settle();
  CHECK_EQUAL(others.kinds(), "29>3 ");
}

TEST(INGEST is told which processes live) {
  settle();
  REQUIRE_EQUAL(answers->all<live_processes>().size(), 1u);
  using processes = std::map<uint16_t, uint64_t>;
  CHECK(answers->all<live_processes>()[0].all
        == (processes{{1, 101}, {2, 102}, {3, 103}}));
  others.processes[2] = 9;
  change({1, 2});
  CHECK(answers->all<live_processes>().back().all
        == (processes{{1, 101}, {2, 9}}));
}

CAF_TEST_FIXTURE_SCOPE_END()
