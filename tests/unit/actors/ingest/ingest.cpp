#include "tests/unit/actors/ingest/ingest_rig.hpp"

using namespace signalbox;
using signalbox::test::ingest_rig;
using signalbox::test::letter;
using signalbox::test::news;

CAF_TEST_FIXTURE_SCOPE(ingest_tests, ingest_rig)

// -- single events ------------------------------------------------------------

TEST(an event for a user goes to USERS and its numbers come back) {
  call(letter);
  CHECK_EQUAL(said(), "");
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  const auto& x = asked->all<deliver_users>()[0];
  CHECK_EQUAL(x.users.size(), 1u);
  CHECK_EQUAL(x.users[0], "anna");
  CHECK_EQUAL(x.event->nsp(), "/");
  CHECK_EQUAL(x.event->args(), R"(["letter",{"to":"anna"}])");
  CHECK_EQUAL(x.confirm, 0u);
  route_users(1, 2);
  CHECK_EQUAL(said(), R"(200 {"ok":true,"id":"e-1","seq":1,"matched":1,)"
                      R"("online":2,"dup":false})");
  CHECK_EQUAL(count.events_accepted, 1u);
  CHECK_EQUAL(count.events_offline, 0u);
}

TEST(an event for all or for rooms goes to its namespace) {
  call(news);
  REQUIRE_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK(cast->all<broadcast>()[0].rooms.empty());
  CHECK_EQUAL(cast->all<broadcast>()[0].event->args(), R"(["headline",1])");
  route_nsp(9, 12);
  CHECK(said().find(R"("matched":9,"online":12)") != std::string::npos);
  call(R"({"namespace":"/chat","type":"note","volatile":true,)"
       R"("payload":{"room":["r","s"]}})");
  REQUIRE_EQUAL(chat_cast->all<broadcast>().size(), 1u);
  CHECK_EQUAL(chat_cast->all<broadcast>()[0].rooms.size(), 2u);
  CHECK(chat_cast->all<broadcast>()[0].volatile_);
}

TEST(an event nobody is online for is counted) {
  call(letter);
  route_users(0, 0);
  CHECK_EQUAL(count.events_offline, 1u);
  MESSAGE("a confirm too");
  begin_confirm();
  route_users(0, 0, {"anna", "ben"});
  CHECK_EQUAL(count.events_offline, 2u);
  CHECK(said().find(R"({"anna":"offline","ben":"offline"})")
        != std::string::npos);
}

TEST(binary values travel beside the text) {
  call(R"({"type":"news","payload":{"$base64":"AAH/"}})");
  const auto& x = *cast->all<broadcast>()[0].event;
  CHECK_EQUAL(x.args(), R"(["headline",{"_placeholder":true,"num":0}])");
  CHECK_EQUAL(x.packets(codec::wire_form::v4).size(), 2u);
  CHECK_EQUAL(refused(R"({"type":"news","payload":{"$base64":"?"}})"),
              "400 bad_request /payload");
}

TEST(sequence numbers count by namespace and refusals use none) {
  call(news);
  call(R"({"type":"unknown"})");
  call(news);
  call(R"({"namespace":"/chat","type":"news"})");
  said();
  route_nsp(0, 0);
  CHECK(said().find(R"("id":"e-1","seq":1,)") != std::string::npos);
  route_nsp(0, 0);
  CHECK(said().find(R"("id":"e-2","seq":2,)") != std::string::npos);
  route(chat_cast->all<broadcast>()[0].ticket, 0, 0);
  CHECK(said().find(R"("id":"e-3","seq":1,)") != std::string::npos);
}

// -- refusals -----------------------------------------------------------------

TEST(what is wrong with a call is said) {
  CHECK_EQUAL(refused(letter, "key-of-the-site?"), "401 bad_key ");
  CHECK_EQUAL(refused(letter, ""), "401 bad_key ");
  CHECK_EQUAL(count.bad_keys, 2u);
  CHECK_EQUAL(refused(""), "400 bad_request ");
  CHECK_EQUAL(refused("{"), "400 bad_request ");
  CHECK_EQUAL(refused("17"), "400 bad_request ");
  CHECK_EQUAL(refused(R"({"type":"unknown"})"), "422 no_rule /type");
  CHECK_EQUAL(refused(R"({"type":"news","namespace":"/none"})"),
              "404 invalid_namespace /namespace");
  call(letter, "key-of-the-site!", "/api/v1/events", "PUT");
  CHECK(said().starts_with("405 "));
  MESSAGE("none of it went anywhere");
  CHECK(asked->all<deliver_users>().empty());
  CHECK(cast->all<broadcast>().empty());
  CHECK_EQUAL(count.events_accepted, 0u);
}

TEST(a key posts to its namespaces only) {
  CHECK_EQUAL(refused(news, "key-of-the-chat!"), "403 not_allowed /namespace");
  call(R"({"namespace":"/chat","type":"news"})", "key-of-the-chat!");
  CHECK_EQUAL(chat_cast->all<broadcast>().size(), 1u);
}

TEST(only a key that may names the target itself) {
  constexpr auto own =
    R"({"namespace":"/chat","type":"x","to":{"users":["anna"]}})";
  CHECK_EQUAL(refused(own, "key-of-the-chat!"), "403 not_allowed /to");
  CHECK(asked->all<deliver_users>().empty());
  call(own);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 1u);
  CHECK_EQUAL(asked->all<deliver_users>()[0].event->nsp(), "/chat");
}

TEST(an event may be as large as the limit and no larger) {
  std::string exact = R"({"type":"news","payload":""})";
  opts.ingest.max_event = exact.size() + 1;
  call(R"({"type":"news","payload":"x"})");
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  CHECK_EQUAL(refused(R"({"type":"news","payload":"xx"})"), "413 too_large ");
  CHECK_EQUAL(count.limit_event_size, 1u);
}

TEST(a post to a namespace whose actor has ended is refused) {
  call(news);
  CHECK_EQUAL(said(), "");
  caf::anon_send_exit(root, caf::exit_reason::kill);
  MESSAGE("what it had not answered is answered with what is known");
  CHECK(said().find(R"("online":0,"dup":false})") != std::string::npos);
  CHECK_EQUAL(refused(news), "503 unavailable /namespace");
  MESSAGE("other namespaces go on");
  call(R"({"namespace":"/chat","type":"news"})");
  CHECK_EQUAL(chat_cast->all<broadcast>().size(), 1u);
}

// -- batches ------------------------------------------------------------------

TEST(one bad entry does not stop the others) {
  call("[" + std::string{letter} + R"(,{"type":""},)" + news + "]");
  CHECK_EQUAL(said(), "");
  route_nsp(1, 1);
  CHECK_EQUAL(said(), "");
  route_users(1, 1);
  auto text = said();
  auto one_at = text.find(R"({"ok":true,"id":"e-1")");
  auto two_at = text.find(R"("pointer":"/1/type")");
  auto three_at = text.find(R"({"ok":true,"id":"e-2")");
  CHECK(text.starts_with("200 ["));
  CHECK(one_at < two_at);
  CHECK(two_at < three_at);
  CHECK(three_at != text.npos);
}

TEST(a batch may have as many events as the limit and no more) {
  call("[]");
  CHECK_EQUAL(said(), "200 []");
  call("[{},{},{}]");
  CHECK(said().starts_with("200 ["));
  CHECK_EQUAL(refused("[{},{},{},{}]"), "413 batch_too_large ");
  CHECK_EQUAL(count.limit_batch, 1u);
}

// -- confirms -----------------------------------------------------------------

TEST(a confirm names who acknowledged and who was offline) {
  auto number = begin_confirm();
  REQUIRE(number != 0);
  CHECK_EQUAL(asked->all<deliver_users>()[0].confirm_ms, 5000);
  CHECK_EQUAL(count.confirms_pending, 1);
  route_users(2, 3, {"ben"});
  CHECK_EQUAL(said(), "");
  caf::anon_send(in, confirmed{number, "anna"});
  CHECK_EQUAL(said(), R"(200 {"ok":true,"id":"e-1","seq":1,"matched":2,)"
                      R"("online":3,"dup":false,"confirmed":)"
                      R"({"anna":"delivered","ben":"offline"}})");
  CHECK_EQUAL(count.confirms_pending, 0);
  MESSAGE("a second ack, from another tab, changes nothing");
  caf::anon_send(in, confirmed{number, "anna"});
  CHECK_EQUAL(said(), "");
}

TEST(an ack that overtakes the numbers counts) {
  auto number = begin_confirm();
  caf::anon_send(in, confirmed{number, "ben"});
  caf::anon_send(in, confirmed{number, "anna"});
  CHECK_EQUAL(said(), "");
  route_users(2, 2);
  CHECK(said().find(R"({"anna":"delivered","ben":"delivered"})")
        != std::string::npos);
}

TEST(
  a user who acknowledged at one node and was offline at another counts once) {
  auto number = begin_confirm();
  route_users(2, 2, {"anna"});
  caf::anon_send(in, confirmed{number, "anna"});
  CHECK_EQUAL(said(), "");
  caf::anon_send(in, confirmed{number, "ben"});
  auto both = R"({"anna":"delivered","ben":"delivered"})";
  CHECK(said().find(both) != std::string::npos);
  MESSAGE("also if the acknowledgement comes first");
  number = begin_confirm();
  caf::anon_send(in, confirmed{number, "anna"});
  settle();
  route_users(2, 2, {"anna"});
  CHECK_EQUAL(said(), "");
  caf::anon_send(in, confirmed{number, "ben"});
  CHECK(said().find(both) != std::string::npos);
}

TEST(who has not acknowledged at the deadline has timed out) {
  auto number = begin_confirm();
  route_users(2, 2);
  caf::anon_send(in, confirmed{number, "ben"});
  advance(4900);
  CHECK_EQUAL(said(), "");
  advance(120);
  CHECK(said().find(R"({"anna":"timed_out","ben":"delivered"})")
        != std::string::npos);
  CHECK_EQUAL(count.confirms_pending, 0);
  caf::anon_send(in, confirmed{number, "anna"});
  CHECK_EQUAL(said(), "");
}

TEST(a confirm that waits when the router ends is answered) {
  auto number = begin_confirm();
  route_users(2, 2);
  caf::anon_send(in, confirmed{number, "ben"});
  CHECK_EQUAL(said(), "");
  caf::anon_send(in, end_confirms{});
  CHECK(said().find(R"({"anna":"timed_out","ben":"delivered"})")
        != std::string::npos);
  CHECK_EQUAL(count.confirms_pending, 0);
}

TEST(who did not get the event is told as dropped) {
  auto number = begin_confirm();
  route_users(2, 3);
  caf::anon_send(in, confirmed{number, "anna", true});
  caf::anon_send(in, confirmed{number, "ben", true});
  MESSAGE("another connection of the user may still acknowledge");
  CHECK_EQUAL(said(), "");
  caf::anon_send(in, confirmed{number, "ben"});
  CHECK_EQUAL(said(), "");
  advance(5020);
  CHECK(said().find(R"({"anna":"dropped","ben":"delivered"})")
        != std::string::npos);
}

TEST(a confirm that RELAY cannot take is refused and pends no more) {
  routed no;
  no.ticket = begin_confirm();
  no.outcome = ec::busy;
  caf::anon_send(in, std::move(no));
  CHECK(said().starts_with("429 "));
  CHECK_EQUAL(count.confirms_pending, 0);
  CHECK_EQUAL(count.events_offline, 0u);
}

TEST(the confirm over the limit is refused) {
  begin_confirm();
  begin_confirm();
  asked->all<deliver_users>().clear();
  begin_confirm();
  CHECK(said().starts_with("429 "));
  CHECK_EQUAL(count.limit_confirms, 1u);
  CHECK(asked->all<deliver_users>().empty());
  advance(5020);
  said();
  CHECK(begin_confirm() != 0);
}

TEST(a repeat of a confirm that ended without numbers is answered) {
  begin_confirm(R"("key":"k",)");
  advance(5020);
  CHECK(said().find(R"("anna":"timed_out")") != std::string::npos);
  begin_confirm(R"("key":"k",)");
  CHECK(said().find(R"("id":"e-1","seq":1,"matched":0,"online":0,"dup":true)")
        != std::string::npos);
}

// -- publishers ---------------------------------------------------------------

TEST(a publisher gets the same answer as its ack) {
  publish_as(0, "/", "letter", R"({"to":"anna"})", 4);
  route_users(1, 1);
  REQUIRE_EQUAL(replies->all<published>().size(), 1u);
  CHECK_EQUAL(replies->all<published>()[0].ticket, 4u);
  CHECK_EQUAL(replies->all<published>()[0].json,
              R"({"ok":true,"id":"e-1","seq":1,"matched":1,)"
              R"("online":1,"dup":false})");
  publish_as(0, "/", "unknown", "null", 5);
  CHECK(replies->all<published>()[1].json.starts_with(R"({"ok":false)"));
  MESSAGE("one that wants no ack hears only that it was handled");
  publish_as(0, "/", "news", "null", 0);
  route_nsp(1, 1);
  REQUIRE_EQUAL(replies->all<published>().size(), 3u);
  CHECK_EQUAL(replies->all<published>()[2].json, "");
}

TEST(a publisher is refused while memory is short) {
  std::atomic<bool> full{true};
  count.memory_full = &full;
  publish_as(0, "/", "news", "null", 1);
  REQUIRE_EQUAL(replies->all<published>().size(), 1u);
  CHECK(replies->all<published>()[0].json.find("overloaded")
        != std::string::npos);
  CHECK(cast->all<broadcast>().empty());
  full = false;
  publish_as(0, "/", "news", "null", 2);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
}

TEST(limits hold for a publisher too) {
  opts.ingest.max_event = 4;
  opts.limits.name_bytes = 4;
  publish_as(0, "/", "news", "1234", 1);
  CHECK_EQUAL(cast->all<broadcast>().size(), 1u);
  publish_as(0, "/", "news", "12345", 2);
  publish_as(0, "/", "newss", "1", 3);
  publish_as(0, "/", "\\ud800", "1", 4);
  REQUIRE_EQUAL(replies->all<published>().size(), 3u);
  CHECK(replies->all<published>()[0].json.find("too_large")
        != std::string::npos);
  CHECK(replies->all<published>()[1].json.find("/type") != std::string::npos);
  CHECK(replies->all<published>()[2].json.find("surrogate")
        != std::string::npos);
}

// -- commands -----------------------------------------------------------------

TEST(a command goes to USERS and its answer comes back) {
  call("", "key-of-the-site!", "/api/v1/users/anna", "GET");
  REQUIRE_EQUAL(asked->all<user_command>().size(), 1u);
  CHECK_EQUAL(asked->all<user_command>()[0].ids[0], "anna");
  auto number = asked->all<user_command>()[0].ticket;
  user_info answer;
  answer.ticket = number;
  answer.version = 7;
  answer.online = {true};
  caf::anon_send(in, answer);
  CHECK_EQUAL(said(), R"(200 {"online":true,"version":7,"connections":[]})");
  caf::anon_send(in, answer);
  CHECK_EQUAL(said(), "");
  MESSAGE("a connection that is nowhere is not found");
  call("", "key-of-the-site!", "/api/v1/connections/c1/disconnect");
  answer = {};
  answer.ticket = asked->all<user_command>()[1].ticket;
  caf::anon_send(in, answer);
  CHECK(said().starts_with("404 "));
}

TEST(a command needs a key and the right to its namespace) {
  call("", "wrong", "/api/v1/users/anna", "GET");
  CHECK(said().starts_with("401 "));
  call(R"({"join":["r"]})", "key-of-the-chat!", "/api/v1/users/a/rooms");
  CHECK(said().starts_with("403 "));
  call(R"({"namespace":"/chat","join":["r"]})", "key-of-the-chat!",
       "/api/v1/users/a/rooms");
  CHECK_EQUAL(asked->all<user_command>().size(), 1u);
}

TEST(a command carries the namespaces of its key) {
  call("", "key-of-the-chat!", "/api/v1/users/anna", "GET");
  call("", "key-of-the-site!", "/api/v1/users/anna/disconnect");
  REQUIRE_EQUAL(asked->all<user_command>().size(), 2u);
  const auto& all = asked->all<user_command>();
  CHECK(all[0].scope == std::vector<std::string>{"/chat"});
  CHECK(all[1].scope.empty());
  MESSAGE("and so does an event, whose answer counts users");
  call(R"({"namespace":"/chat","type":"letter","payload":{"to":"anna"}})",
       "key-of-the-chat!");
  call(letter);
  REQUIRE_EQUAL(asked->all<deliver_users>().size(), 2u);
  CHECK(asked->all<deliver_users>()[0].scoped);
  CHECK(!asked->all<deliver_users>()[1].scoped);
}

CAF_TEST_FIXTURE_SCOPE_END()
