#include "transports/session/payload.hpp"

#include "tests/unit/transports/session/engine_rig.hpp"
#include "tests/unit/transports/session/legacy_rig.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::session;

namespace {

/// A POST of so many events, whose numbers are their arguments.
std::string events(size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i)
    out +=
      (i == 0 ? "" : "\x1e") + std::string{"42["} + std::to_string(i) + ']';
  return out;
}

size_t lines(const std::string& text) {
  return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

TEST(a POST is answered when its packets are taken) {
  engine_rig rig;
  rig.polling();
  CHECK(rig.post(events(3)));
  CHECK_EQUAL(rig.take(), "2/[0]\n2/[1]\n2/[2]\n");
  CHECK_EQUAL(rig.last_post->answers, 1);
}

TEST(others have their turn within a large POST) {
  engine_rig rig;
  rig.polling();
  REQUIRE(rig.session->on_post_begin());
  rig.last_post = std::make_shared<fake_post>();
  rig.session->on_post(events(payload::turn + 1), false, rig.last_post);
  CHECK_EQUAL(lines(rig.take()), payload::turn);
  CHECK_EQUAL(rig.last_post->answers, 0);
  CHECK(rig.last_post->later);
  rig.session->go_on();
  CHECK_EQUAL(lines(rig.take()), 1u);
  CHECK_EQUAL(rig.last_post->answers, 1);
}

TEST(a handler that is not ready holds the answer to the POST) {
  engine_rig rig;
  rig.polling();
  rig.then = [&rig] { rig.ready = false; };
  CHECK(rig.post(events(2)));
  CHECK_EQUAL(rig.take(), "2/[0]\n");
  CHECK_EQUAL(rig.last_post->answers, 0);
  CHECK(!rig.last_post->later);
  MESSAGE("until it takes more");
  rig.ready = true;
  rig.session->resume();
  CHECK_EQUAL(rig.take(), "");
  CHECK(rig.last_post->later);
  rig.go_on(*rig.session);
  CHECK_EQUAL(rig.take(), "2/[1]\n");
  CHECK_EQUAL(rig.last_post->answers, 1);
}

TEST(a client may not post past what is held) {
  engine_rig rig;
  rig.polling();
  rig.ready = false;
  auto first = (rig.post(events(1)), rig.last_post);
  CHECK(!rig.session->on_post_begin());
  CHECK(rig.closed == close_reason::transport_error);
  MESSAGE("and the first POST is answered");
  rig.session->go_on();
  CHECK_EQUAL(first->answers, 1);
}

TEST(what came before the client went is taken) {
  engine_rig rig;
  rig.polling();
  rig.ready = false;
  rig.post(events(2));
  rig.session->on_post_lost();
  CHECK(!rig.closed);
  rig.ready = true;
  rig.session->resume();
  rig.go_on(*rig.session);
  CHECK_EQUAL(rig.take(), "2/[0]\n2/[1]\nclosed\n");
  CHECK(rig.closed == close_reason::transport_error);
}

TEST(a session that ends answers the POST it holds) {
  engine_rig rig;
  rig.polling();
  rig.ready = false;
  rig.post(events(2));
  rig.session->close(close_reason::kicked);
  CHECK(rig.go_on(*rig.session));
  CHECK_EQUAL(rig.take(), "closed\n");
}

TEST(a WebSocket is told when more may come) {
  engine_rig rig;
  auto& ws = rig.websocket();
  rig.ready = false;
  CHECK(!rig.session->ready());
  rig.ready = true;
  rig.session->resume();
  CHECK_EQUAL(ws.resumed, 1);
}

TEST(a client of 0.9 may post again before it is answered) {
  legacy_rig rig;
  rig.open();
  rig.ready = false;
  rig.give(*rig.session, R"(5:::{"name":"a"})", false);
  auto first = rig.last_post;
  rig.give(*rig.session, R"(5:::{"name":"b"})", false);
  auto second = rig.last_post;
  CHECK_EQUAL(first->answers + second->answers, 0);
  rig.ready = true;
  rig.session->resume();
  while (std::exchange(first->later, false)
         || std::exchange(second->later, false))
    rig.session->go_on();
  CHECK_EQUAL(rig.take(), "2/[\"a\"]\n2/[\"b\"]\n");
  CHECK_EQUAL(first->answers, 1);
  CHECK_EQUAL(second->answers, 1);
}

TEST(what a WebSocket brings comes behind the POST before it) {
  engine_rig rig;
  rig.polling();
  rig.ready = false;
  rig.post(events(1));
  auto& ws = rig.connect();
  REQUIRE(rig.session->on_probe(ws));
  rig.session->on_text(ws, "2probe");
  CHECK_EQUAL(ws.take(), "3probe\n");
  rig.session->on_text(ws, "5");
  rig.take();
  CHECK(rig.session->carried_by(ws));
  MESSAGE("the handler would take more, but the POST comes first");
  rig.ready = true;
  CHECK(!rig.session->ready());
  rig.session->resume();
  rig.go_on(*rig.session);
  CHECK_EQUAL(rig.take(), "2/[0]\n");
  CHECK(rig.session->ready());
  CHECK(ws.resumed > 0);
}
