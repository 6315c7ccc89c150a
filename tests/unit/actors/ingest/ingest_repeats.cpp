#include "tests/unit/actors/ingest/ingest_rig.hpp"

using namespace signalbox;
using signalbox::test::ingest_rig;
using signalbox::test::news;

namespace {

constexpr auto keyed = R"({"type":"letter","key":"k","payload":{"to":"anna"}})";

} // namespace

CAF_TEST_FIXTURE_SCOPE(ingest_repeats_tests, ingest_rig)

TEST(a repeat is answered as a double and not sent again) {
  call(keyed);
  MESSAGE("while the first is under way");
  call(keyed);
  CHECK_EQUAL(said(), "");
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  route_users(1, 2);
  auto known = R"(200 {"ok":true,"id":"e-1","seq":1,"matched":1,"online":2,)"
               R"("dup":)";
  auto both = said();
  CHECK(both.find(std::string{known} + "false}") != both.npos);
  CHECK(both.find(std::string{known} + "true}") != both.npos);
  MESSAGE("and afterwards");
  call(keyed);
  CHECK_EQUAL(said(), std::string{known} + "true}");
  CHECK(asked->all<deliver_users>().empty());
  CHECK_EQUAL(count.events_accepted, 1u);
  CHECK_EQUAL(count.events_duplicate, 2u);
}

TEST(an event that RELAY cannot take is refused with its repeats) {
  call(keyed);
  call(keyed);
  routed no;
  no.ticket = asked->all<deliver_users>().back().ticket;
  no.outcome = ec::busy;
  caf::anon_send(in, std::move(no));
  auto both = said();
  CHECK(both.starts_with("429 "));
  CHECK(both.find("\n429 ") != both.npos);
  CHECK(both.find("\"code\":\"busy\"") != both.npos);
  CHECK_EQUAL(count.limit_idempotency, 0u);
  CHECK_EQUAL(count.idempotency_keys, 0);
  MESSAGE("the next try is a new one");
  asked->all<deliver_users>().clear();
  call(keyed);
  CHECK_EQUAL(asked->all<deliver_users>().size(), 1u);
  route_users(1, 1);
  CHECK(said().starts_with("200 "));
}

TEST(a key is remembered for its window and by credential) {
  constexpr auto keyed = R"({"namespace":"/chat","type":"news","key":"k"})";
  call(keyed);
  CHECK_EQUAL(count.idempotency_keys, 1);
  MESSAGE("another credential's key is another key");
  call(keyed, "key-of-the-chat!");
  CHECK_EQUAL(chat_cast->all<broadcast>().size(), 2u);
  advance(opts.ingest.idempotency_window.count() - 1);
  call(keyed);
  CHECK_EQUAL(chat_cast->all<broadcast>().size(), 2u);
  advance(1);
  call(keyed);
  CHECK_EQUAL(chat_cast->all<broadcast>().size(), 3u);
}

TEST(a full table refuses new keys and forgets none) {
  auto keyed = [](const std::string& key) {
    return R"({"type":"news","key":")" + key + "\"}";
  };
  call(keyed("a"));
  call(keyed("b"));
  CHECK_EQUAL(refused(keyed("c")), "429 idempotency_full /key");
  CHECK_EQUAL(count.limit_idempotency, 1u);
  CHECK_EQUAL(cast->all<broadcast>().size(), 2u);
  MESSAGE("an event without a key passes, and so does a repeat");
  call(news);
  CHECK_EQUAL(cast->all<broadcast>().size(), 3u);
  call(keyed("a"));
  CHECK_EQUAL(count.events_duplicate, 1u);
  MESSAGE("a refused event leaves no key behind");
  advance(opts.ingest.idempotency_window.count());
  CHECK_EQUAL(refused(R"({"type":"unknown","key":"a"})"), "422 no_rule /type");
  call(keyed("a"));
  call(keyed("b"));
  CHECK_EQUAL(cast->all<broadcast>().size(), 5u);
}

CAF_TEST_FIXTURE_SCOPE_END()
