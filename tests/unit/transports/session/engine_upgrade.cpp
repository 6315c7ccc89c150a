#include "tests/unit/transports/session/engine_rig.hpp"
#include "transports/session/engine_session.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::session;
using namespace std::chrono_literals;

// The move of an engine session from polling to a WebSocket.

namespace {

fake_websocket& probe(engine_rig& rig) {
  auto& ws = rig.connect();
  rig.session->on_probe(ws);
  rig.session->on_text(ws, "2probe");
  ws.take();
  return ws;
}

} // namespace

TEST(a probe is answered and the upgrade moves the session) {
  engine_rig rig;
  rig.polling();
  auto& ws = rig.connect();
  CHECK(rig.session->on_probe(ws));
  CHECK(!rig.session->on_socket());
  rig.session->on_text(ws, "2probe");
  CHECK_EQUAL(ws.take(), "3probe\n");
  CHECK_EQUAL(rig.session->transport(), "polling");
  rig.session->on_text(ws, "5");
  CHECK_EQUAL(rig.session->transport(), "websocket");
  CHECK(rig.session->on_socket());
  CHECK_EQUAL(rig.take(), "upgrade\n");
  rig.session->on_text(ws, "40");
  CHECK_EQUAL(rig.take(), "0/\n");
  rig.emit(R"(["a"])");
  CHECK_EQUAL(ws.take(), "42[\"a\"]\n");
  CHECK_EQUAL(rig.count.live_polling, 0);
  CHECK_EQUAL(rig.count.live_websocket, 1);
  CHECK_EQUAL(rig.count.upgrades, 1u);
}

TEST(an upgrade without a probe is taken) {
  engine_rig rig;
  rig.polling();
  auto& ws = rig.connect();
  rig.session->on_probe(ws);
  rig.session->on_text(ws, "5");
  CHECK(rig.session->on_socket());
}

TEST(any other first packet drops the probe and polling goes on) {
  for (auto first : {"40", "2", "3probe", "", "2probe2", "binary"}) {
    engine_rig rig;
    rig.polling();
    auto poll = rig.get();
    auto& ws = rig.connect();
    rig.session->on_probe(ws);
    if (first == std::string{"binary"})
      rig.session->on_binary(ws, "x");
    else
      rig.session->on_text(ws, first);
    CHECK_EQUAL(ws.take(), "close\n");
    CHECK(!rig.closed);
    CHECK_EQUAL(rig.take(), "");
    // What it still says is ignored, and another may try.
    rig.session->on_text(ws, "5");
    CHECK(!rig.session->on_socket());
    rig.session->on_carrier_lost(ws, close_reason::client_close);
    CHECK(!rig.closed);
    rig.emit(R"(["a"])");
    CHECK_EQUAL(*poll, R"(42["a"])");
    CHECK(rig.session->on_probe(rig.connect()));
  }
}

TEST(a second probe is refused and leaves the first alone) {
  engine_rig rig;
  rig.polling();
  auto& first = probe(rig);
  auto& second = rig.connect();
  CHECK(!rig.session->on_probe(second));
  rig.session->on_text(second, "5");
  CHECK(!rig.session->on_socket());
  rig.session->on_carrier_lost(second, close_reason::client_close);
  rig.session->on_text(first, "5");
  CHECK(rig.session->on_socket());
  CHECK(!rig.session->on_probe(rig.connect()));
  CHECK(!rig.closed);
}

TEST(a pending poll is released while the probe runs) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  probe(rig);
  rig.advance(99);
  CHECK_EQUAL(*poll, "pending");
  rig.pass(1ms);
  CHECK_EQUAL(*poll, "6");
  // And so is the next one, if there is any.
  poll = rig.get();
  rig.pass(100ms);
  CHECK_EQUAL(*poll, "6");
}

TEST(traffic does not keep the poll from being released) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  probe(rig);
  std::string payload = "451-[\"b\",{\"_placeholder\":true,\"num\":0}]\x1e"
                        "bAA==";
  for (auto i = 0; i < 4; ++i) {
    rig.advance(30);
    rig.post(payload);
  }
  CHECK_EQUAL(*poll, "6");
}

TEST(without the probe packet polls are left alone) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  rig.session->on_probe(rig.connect());
  rig.advance(1000);
  CHECK_EQUAL(*poll, "pending");
}

TEST(a poll that is pending at the upgrade learns that polling is over) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  auto& ws = rig.connect();
  rig.session->on_probe(ws);
  rig.session->on_text(ws, "5");
  CHECK_EQUAL(*poll, "1");
  CHECK(!rig.closed);
  rig.emit(R"(["a"])");
  CHECK_EQUAL(ws.take(), "42[\"a\"]\n");
}

TEST(a probe that stops half way is dropped and polling goes on) {
  engine_rig rig{[](options& x) { x.upgrade_timeout = 600ms; }};
  rig.polling();
  auto& ws = probe(rig);
  rig.advance(599);
  CHECK_EQUAL(ws.take(), "");
  rig.pass(1ms);
  CHECK_EQUAL(ws.take(), "close\n");
  CHECK(!rig.closed);
  auto poll = rig.get();
  rig.advance(1000);
  CHECK_EQUAL(*poll, "pending");
}

TEST(a probe that breaks leaves the session alone) {
  engine_rig rig;
  rig.polling();
  auto& ws = probe(rig);
  rig.session->on_carrier_lost(ws, close_reason::transport_error);
  CHECK(!rig.closed);
  CHECK(rig.session->on_probe(rig.connect()));
}

TEST(nothing is lost and the order is kept across the upgrade) {
  engine_rig rig;
  rig.polling();
  std::string seen;
  auto poll = rig.get();
  auto& ws = rig.connect();
  rig.emit("[1]");
  seen += *poll + '\n';
  rig.session->on_probe(ws);
  rig.emit("[2]");
  rig.session->on_text(ws, "2probe");
  CHECK_EQUAL(ws.take(), "3probe\n");
  seen += *rig.get() + '\n';
  poll = rig.get();
  rig.pass(100ms);
  CHECK_EQUAL(*poll, "6");
  rig.emit("[3]");
  rig.emit("[4]");
  rig.session->on_text(ws, "5");
  rig.emit("[5]");
  seen += ws.take();
  CHECK_EQUAL(seen, "42[1]\n42[2]\n42[3]\n42[4]\n42[5]\n");
}

TEST(a post that was under way at the upgrade still counts) {
  engine_rig rig;
  rig.polling();
  rig.session->on_post_begin();
  auto& ws = probe(rig);
  rig.session->on_text(ws, "5");
  rig.take();
  rig.give(*rig.session, R"(42["late"])", false);
  CHECK_EQUAL(rig.take(), "2/[\"late\"]\n");
}

TEST(a ping may leave by poll and be answered on the websocket) {
  engine_rig rig{[](options& x) {
    x.ping_interval = 400ms;
    x.ping_timeout = 300ms;
  }};
  rig.polling();
  auto poll = rig.get();
  rig.pass(400ms);
  CHECK_EQUAL(*poll, "2");
  auto& ws = probe(rig);
  rig.session->on_text(ws, "5");
  rig.session->on_text(ws, "3");
  rig.advance(350);
  CHECK(!rig.closed);
  rig.pass(50ms);
  CHECK_EQUAL(ws.take(), "2\n");
}

TEST(a probe that a closed session left waiting is dropped in time) {
  engine_rig rig{[](options& x) {
    x.upgrade_timeout = 600ms;
    x.close_timeout = 2000ms;
  }};
  rig.polling();
  auto& ws = probe(rig);
  rig.advance(300);
  rig.session->close(close_reason::kicked);
  rig.advance(299);
  CHECK_EQUAL(ws.take(), "");
  rig.pass(1ms);
  CHECK_EQUAL(ws.take(), "close\n");
  // The poll that learns of the end has its own time, from the end on.
  rig.advance(1500);
  CHECK_EQUAL(rig.forgotten, 0);
  rig.pass(200ms);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a session that closes takes its probe along) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  auto& ws = probe(rig);
  rig.session->close(close_reason::kicked);
  CHECK_EQUAL(ws.take(), "close\n");
  CHECK_EQUAL(*poll, "1");
  CHECK_EQUAL(rig.forgotten, 1);
}
