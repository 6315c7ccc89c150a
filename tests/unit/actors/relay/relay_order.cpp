#include "tests/unit/actors/relay/relay_rig.hpp"

// Sequenced namespaces and idempotency keys.

using namespace signalbox;
using signalbox::test::fake_mesh;
using signalbox::test::names;
using signalbox::test::nodes;
using signalbox::test::relay_rig;

namespace {

struct fixture : relay_rig {
  /// A key that a node owns.
  static std::string key_of(uint16_t owner) {
    for (int i = 0;; ++i)
      if (auto key = "k" + std::to_string(i);
          ring_home("key:site\n" + key, {1, 2, 3}) == owner)
        return key;
  }

  /// INGEST has accepted an event with a key.
  void post_with_key(uint64_t ticket, const std::string& key,
                     const std::string& args = "[1]") {
    broadcast out;
    out.ticket = ticket;
    out.event = event(args, "/");
    out.claim = {"site", key, "id-" + std::to_string(ticket), ticket};
    caf::anon_send(x.events, std::move(out));
    settle();
  }

  void claimed_by(uint16_t node, uint64_t ticket, ec outcome = ec::none,
                  bool dup = false) {
    wire::claimed out;
    out.ticket = ticket;
    out.outcome = outcome;
    out.dup = dup;
    if (dup) {
      out.id = "first";
      out.seq = 99;
      out.matched = 4;
      out.online = 5;
    }
    say(node, std::move(out));
  }

  /// Another node submits an event for all.
  void submit_all(uint16_t node, uint64_t ticket, const std::string& nsp,
                  uint64_t origin, uint64_t number) {
    wire::submit out;
    out.all.ticket = ticket;
    out.all.nsp = nsp;
    out.all.args = "[" + std::to_string(number) + "]";
    out.all.origin = origin;
    out.all.number = number;
    say(node, std::move(out));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(relay_order_tests, fixture)

// -- sequenced namespaces -----------------------------------------------------

TEST(events of a sequenced namespace go to its sequencer in order) {
  auto nsp = sequenced(2, 3);
  post_all(1, "[1]", nsp, {"r"});
  post(2, {at(3)}, "[2]", nsp, 70);
  post_all(3, "[3]", nsp);
  MESSAGE("submit 26");
  CHECK(cast->all<broadcast>().empty());
  CHECK(asked->all<wire::locate>().empty());
  auto sent = others.take<wire::submit>(2);
  REQUIRE_EQUAL(sent.size(), 3u);
  CHECK_EQUAL(others.left(), 0u);
  CHECK(!sent[0].to_users);
  CHECK_EQUAL(sent[0].all.ticket, 1u);
  CHECK_EQUAL(sent[0].all.rooms, names{"r"});
  CHECK(sent[1].to_users);
  CHECK_EQUAL(sent[1].users.users, names{at(3)});
  CHECK_EQUAL(sent[1].users.confirm, 70u);
  CHECK_EQUAL(sent[2].all.args, "[3]");
  MESSAGE("they are numbered");
  CHECK(sent[0].all.origin != 0u);
  CHECK_EQUAL(sent[1].users.origin, sent[0].all.origin);
  CHECK_EQUAL(sent[1].users.number, sent[0].all.number + 1);
  CHECK_EQUAL(sent[2].all.number, sent[0].all.number + 2);
  MESSAGE("and the sequencer's answer is the answer");
  wire::routed out;
  out.ticket = 1;
  out.matched = 2;
  out.online = 3;
  out.unreachable = {9};
  say(2, out);
  CHECK_EQUAL(told(), "1:2/3 !9 ");
}

TEST(other namespaces are not numbered) {
  post_all(1);
  CHECK_EQUAL(others.one<wire::broadcast>(2).origin, 0u);
  CHECK_EQUAL(others.one<wire::broadcast>(3).number, 0u);
}

TEST(the sequencer sends for all and tells whoever asked) {
  auto nsp = sequenced(1, 2);
  submit_all(2, 30, nsp, 500, 1);
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 1u);
  for (uint16_t node : {2, 3}) {
    auto out = others.take<wire::broadcast>(node);
    REQUIRE_EQUAL(out.size(), 1u);
    CHECK_EQUAL(out[0].origin, 500u);
    CHECK_EQUAL(out[0].number, 1u);
    CHECK_EQUAL(out[0].args, "[1]");
    route(node, out[0].ticket, 1, 2);
  }
  CHECK(others.take<wire::routed>(2).empty());
  route_here(cast->all<broadcast>()[0].ticket, 1, 1);
  auto answer = others.take<wire::routed>(2);
  REQUIRE_EQUAL(answer.size(), 1u);
  CHECK_EQUAL(answer[0].ticket, 30u);
  CHECK_EQUAL(answer[0].matched, 3u);
  CHECK_EQUAL(answer[0].online, 5u);
  CHECK_EQUAL(told(), "");
}

TEST(its own events and those of others are one series) {
  auto nsp = sequenced(1, 2);
  post_all(1, "[own]", nsp);
  submit_all(2, 30, nsp, 500, 1);
  post_all(2, "[own2]", nsp);
  CHECK_EQUAL(sent(3), "[own][1][own2]");
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 3u);
  CHECK_EQUAL(cast->all<broadcast>()[1].event->args(), "[1]");
}

TEST(a private event is located by the sequencer) {
  auto nsp = sequenced(1, 2);
  wire::submit in;
  in.to_users = true;
  in.users.ticket = 30;
  in.users.nsp = nsp;
  in.users.users = {at(2)};
  in.users.args = "[1]";
  in.users.origin = 500;
  in.users.number = 1;
  say(3, in);
  auto question = others.take<wire::locate>(2);
  REQUIRE_EQUAL(question.size(), 1u);
  locate(2, question[0].ticket, {{2, 1}});
  REQUIRE_EQUAL(others.take<wire::deliver>(2).size(), 1u);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  route(2, question[0].ticket, 1, 1, {}, {true});
  route_here(question[0].ticket, 1, 1, {}, {true});
  auto answer = others.take<wire::routed>(3);
  REQUIRE_EQUAL(answer.size(), 1u);
  CHECK_EQUAL(answer[0].ticket, 30u);
  CHECK_EQUAL(answer[0].online, 2u);
}

TEST(an event that comes again is not sent on again) {
  wire::broadcast in;
  in.ticket = 30;
  in.nsp = sequenced(2, 3);
  in.args = "[1]";
  in.origin = 500;
  in.number = 1;
  say(2, in);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  MESSAGE("the sequencer's successor sends what it does not know of");
  in.ticket = 31;
  say(3, in);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  auto answer = others.take<wire::routed>(3);
  REQUIRE_EQUAL(answer.size(), 1u);
  CHECK_EQUAL(answer[0].ticket, 31u);
  CHECK_EQUAL(answer[0].online, 0u);
  MESSAGE(
    "neither is a private one; the same number of another node is another");
  wire::deliver private_;
  private_.nsp = in.nsp;
  private_.users = {"anna"};
  private_.args = "[2]";
  private_.origin = 500;
  private_.number = 2;
  say(2, private_);
  say(3, private_);
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  private_.origin = 501;
  say(3, private_);
  CHECK_EQUAL(asked->all<deliver_users>().size(), 2u);
}

TEST(what a lost sequencer has not answered goes to its successor) {
  auto nsp = sequenced(2, 3);
  post_all(1, "[1]", nsp);
  post_all(2, "[2]", nsp);
  auto first_try = others.take<wire::submit>(2);
  REQUIRE_EQUAL(first_try.size(), 2u);
  route(2, 1, 1, 1);
  CHECK_EQUAL(told(), "1:1/1 ");
  change({1, 3});
  auto again = others.take<wire::submit>(3);
  REQUIRE_EQUAL(again.size(), 1u);
  CHECK_EQUAL(again[0].all.args, "[2]");
  CHECK_EQUAL(again[0].all.origin, first_try[1].all.origin);
  CHECK_EQUAL(again[0].all.number, first_try[1].all.number);
  route(3, 2, 1, 1);
  CHECK_EQUAL(told(), "2:1/1 ");
}

TEST(an event that a sequencer gets again is handled once) {
  auto nsp = sequenced(1, 2);
  submit_all(2, 30, nsp, 500, 1);
  auto on_the_way = others.take<wire::broadcast>(3);
  REQUIRE_EQUAL(on_the_way.size(), 1u);
  MESSAGE("the link was cut before the batch was known to be here");
  submit_all(2, 30, nsp, 500, 1);
  CHECK(others.take<wire::broadcast>(3).empty());
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  MESSAGE("the poster is answered");
  auto here = cast->all<broadcast>()[0].ticket;
  route_here(here, 1, 1);
  route(3, on_the_way[0].ticket, 1, 1);
  route(2, on_the_way[0].ticket, 1, 1);
  auto answer = others.take<wire::routed>(2);
  REQUIRE_EQUAL(answer.size(), 1u);
  CHECK_EQUAL(answer[0].online, 3u);
  MESSAGE("and again, since the answer may have been lost");
  submit_all(2, 30, nsp, 500, 1);
  answer = others.take<wire::routed>(2);
  REQUIRE_EQUAL(answer.size(), 1u);
  CHECK_EQUAL(answer[0].ticket, 30u);
  CHECK_EQUAL(answer[0].online, 3u);
  CHECK(others.take<wire::broadcast>(3).empty());
}

TEST(what a sequencer has not sent when it dies outlives the poster) {
  auto nsp = sequenced(2, 3);
  post_all(1, "[1]", nsp);
  post_all(2, "[2]", nsp);
  others.take<wire::submit>(2);
  advance(opts.cluster.request_timeout.count() + 200);
  CHECK_EQUAL(told(), "1:0/0 !2 2:0/0 !2 ");
  change({1, 3});
  auto again = others.take<wire::submit>(3);
  REQUIRE_EQUAL(again.size(), 2u);
  CHECK_EQUAL(again[0].all.args, "[1]");
  CHECK_EQUAL(again[1].all.args, "[2]");
  MESSAGE("nobody is told again");
  route(3, 1, 1, 1);
  advance(opts.cluster.request_timeout.count() + 200);
  CHECK_EQUAL(told(), "");
  MESSAGE("also if this node takes over");
  change({1});
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  route_here(2, 1, 1);
  CHECK_EQUAL(told(), "");
}

TEST(what a sequencer has is not kept for ever) {
  auto nsp = sequenced(2, 3);
  post_all(1, "[1]", nsp);
  advance((opts.cluster.dead_after + opts.cluster.request_timeout).count()
          + 200);
  CHECK_EQUAL(told(), "1:0/0 !2 ");
  change({1, 3});
  CHECK(others.take<wire::submit>(3).empty());
}

TEST(the successor may be this node) {
  auto nsp = sequenced(2, 1);
  post_all(1, "[1]", nsp);
  post(2, {at(3)}, "[2]", nsp);
  REQUIRE_EQUAL(others.take<wire::submit>(2).size(), 2u);
  change({1, 3});
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  MESSAGE("a private event goes to all: nobody waits for its home any more");
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(others.take<wire::broadcast>(3).size(), 1u);
  auto out = others.take<wire::deliver>(3);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK(out[0].number != 0u);
}

TEST(a sequencer that does not answer in time is named) {
  post_all(1, "[1]", sequenced(2, 3));
  advance(opts.cluster.request_timeout.count() + 200);
  CHECK_EQUAL(told(), "1:0/0 !2 ");
}

// -- keys ---------------------------------------------------------------------

TEST(the owner of a key is asked before the event is sent) {
  post_with_key(7, key_of(2));
  auto question = others.take<wire::claim>(2);
  REQUIRE_EQUAL(question.size(), 1u);
  CHECK_EQUAL(question[0].credential, "site");
  CHECK_EQUAL(question[0].key, key_of(2));
  CHECK_EQUAL(question[0].id, "id-7");
  CHECK_EQUAL(question[0].seq, 7u);
  CHECK(question[0].owner);
  CHECK_EQUAL(others.left(), 0u);
  CHECK(cast->all<broadcast>().empty());
  claimed_by(2, question[0].ticket);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK_EQUAL(others.kinds(), "21>2 21>3 ");
}

TEST(a key that this node owns asks nobody) {
  post_with_key(7, key_of(1));
  CHECK_EQUAL(others.kinds(), "21>2 21>3 ");
}

TEST(an event that was accepted before is answered and not sent) {
  post_with_key(7, key_of(2));
  others.kinds();
  claimed_by(2, 7, ec::none, true);
  CHECK_EQUAL(others.left(), 0u);
  CHECK(cast->all<broadcast>().empty());
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  const auto& got = answers->all<routed>()[0];
  CHECK(got.dup);
  CHECK_EQUAL(got.id, "first");
  CHECK_EQUAL(got.seq, 99u);
  CHECK_EQUAL(got.matched, 4u);
  CHECK_EQUAL(got.online, 5u);
}

TEST(a key that the owner cannot remember refuses the event) {
  post_with_key(7, key_of(2));
  others.kinds();
  claimed_by(2, 7, ec::idempotency_full);
  CHECK(cast->all<broadcast>().empty());
  REQUIRE_EQUAL(answers->all<routed>().size(), 1u);
  CHECK(answers->all<routed>()[0].outcome == ec::idempotency_full);
}

TEST(what is accepted later waits behind a key) {
  post_with_key(7, key_of(2), "[7]");
  post_all(8, "[8]");
  CHECK_EQUAL(sent(3), "");
  claimed_by(2, 7);
  CHECK_EQUAL(sent(3), "[7][8]");
}

TEST(after a change of the view all nodes are asked for one window) {
  post_with_key(6, key_of(2));
  CHECK_EQUAL(others.take<wire::claim>(3).size(), 0u);
  claimed_by(2, 6);
  change({1, 2, 3});
  others.agreed = true;
  others.kinds();
  post_with_key(7, key_of(2));
  auto two_asked = others.take<wire::claim>(2);
  auto three_asked = others.take<wire::claim>(3);
  REQUIRE_EQUAL(two_asked.size(), 1u);
  REQUIRE_EQUAL(three_asked.size(), 1u);
  CHECK(two_asked[0].owner);
  CHECK(!three_asked[0].owner);
  claimed_by(2, 7);
  CHECK(cast->all<broadcast>().size() == 1u);
  MESSAGE("one that knows the key is enough");
  claimed_by(3, 7, ec::none, true);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK(answers->all<routed>().back().dup);
  MESSAGE("when the window is over only the owner is");
  others.kinds();
  advance(opts.ingest.idempotency_window.count());
  post_with_key(8, key_of(2));
  CHECK_EQUAL(others.kinds(), "27>2 ");
}

TEST(an owner that does not answer is done without and named) {
  post_with_key(7, key_of(2));
  advance(opts.cluster.request_timeout.count() / 2 + 200);
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 1u);
  route_here(7, 1, 1);
  route(2, 7, 1, 1);
  route(3, 7, 1, 1);
  CHECK_EQUAL(told(), "7:3/3 !2 ");
  MESSAGE("and so is one that is lost");
  post_with_key(8, key_of(2));
  change({1, 3});
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 2u);
  route_here(8, 1, 1);
  route(3, 8, 1, 1);
  CHECK_EQUAL(told(), "8:2/2 !2 ");
}

TEST(the claims of other nodes are answered by INGEST) {
  wire::claim in;
  in.ticket = 30;
  in.credential = "site";
  in.key = "k";
  say(3, in);
  REQUIRE_EQUAL(answers->all<wire::claim>().size(), 1u);
  auto got = answers->all<wire::claim>()[0];
  CHECK_EQUAL(got.key, "k");
  CHECK_EQUAL(got.from, 3u);
  wire::claimed back;
  back.ticket = got.ticket;
  back.dup = true;
  back.id = "first";
  caf::anon_send(x.events, back);
  settle();
  auto out = others.take<wire::claimed>(3);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].ticket, 30u);
  CHECK(out[0].dup);
  MESSAGE("once");
  caf::anon_send(x.events, back);
  settle();
  CHECK_EQUAL(others.left(), 0u);
}

TEST(whom an event with a key has reached is told to the owner) {
  wire::claim_settled done;
  done.from = 1;
  done.credential = "site";
  done.key = key_of(3);
  done.id = "id-7";
  done.matched = 2;
  caf::anon_send(x.events, done);
  settle();
  auto out = others.take<wire::claim_settled>(3);
  REQUIRE_EQUAL(out.size(), 1u);
  CHECK_EQUAL(out[0].id, "id-7");
  CHECK_EQUAL(out[0].matched, 2u);
  CHECK_EQUAL(others.left(), 0u);
  MESSAGE("and what other nodes tell to INGEST");
  say(2, out[0]);
  REQUIRE_EQUAL(answers->all<wire::claim_settled>().size(), 1u);
  CHECK_EQUAL(answers->all<wire::claim_settled>()[0].key, done.key);
}

CAF_TEST_FIXTURE_SCOPE_END()
