#include "tests/unit/transports/session/engine_rig.hpp"
#include "transports/session/engine_session.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::session;
using namespace std::chrono_literals;

// What an engine session does about clients that read too little or leave
// something unfinished.

namespace {

constexpr auto header = R"(451-["b",{"_placeholder":true,"num":0}])";

// Arguments that make an event packet of this many bytes.
std::string args(size_t size) {
  return "[\"" + std::string(size - 6, 'x') + "\"]";
}

} // namespace

TEST(the bound in packets closes a client that does not read) {
  engine_rig rig;
  rig.websocket().reads = false;
  for (auto i = 0; i < 1000; ++i)
    CHECK(rig.emit("[1]"));
  CHECK(!rig.closed);
  CHECK(!rig.emit("[1]"));
  CHECK(rig.closed == close_reason::slow);
  // The session does not wait for such a client.
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(between two polls bytes decide) {
  engine_rig rig{[](options& x) { x.outbox_packets = 2; }};
  rig.polling();
  MESSAGE("1 MiB in packets of 64 bytes or less");
  for (auto i = 0; i < 16384; ++i)
    CHECK(rig.emit("[1]"));
  CHECK(!rig.closed);
  CHECK(!rig.emit("[1]"));
  CHECK(rig.closed == close_reason::slow);
}

TEST(the bound in bytes closes a client that does not read) {
  engine_rig rig;
  auto& ws = rig.websocket();
  ws.reads = false;
  CHECK(rig.emit(args(1048576 - 100)));
  CHECK(rig.emit(args(100)));
  CHECK_EQUAL(rig.session->queue().bytes(), 1048576u);
  CHECK(!rig.closed);
  CHECK(!rig.emit("[]"));
  CHECK_EQUAL(ws.take(), "abort\n");
  CHECK(rig.closed == close_reason::slow);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a packet for one client alone is bounded too) {
  engine_rig rig{[](options& x) { x.outbox_packets = 2; }};
  rig.websocket().reads = false;
  socket::packet x;
  x.data = "[1]";
  rig.session->send(x);
  rig.session->send(x);
  CHECK(!rig.closed);
  rig.session->send(x);
  CHECK(rig.closed == close_reason::slow);
}

TEST(a client that reads may be sent any amount) {
  engine_rig rig;
  auto& ws = rig.websocket();
  for (auto i = 0; i < 5000; ++i)
    CHECK(rig.emit("[1]"));
  CHECK_EQUAL(ws.sent.size(), 5000u);
}

TEST(an event with attachments counts as a whole) {
  engine_rig rig{[](options& x) { x.outbox_bytes = 1000; }};
  rig.polling();
  codec::shared_event large{
    "/", R"(["b",{"_placeholder":true,"num":0}])", {std::string(5000, 'x')}};
  CHECK(rig.session->send(large, {}, false));
  CHECK(!rig.closed);
  CHECK(!rig.session->send(large, {}, false));
  CHECK(rig.closed == close_reason::slow);
}

TEST(pings and the open packet are in no bound) {
  engine_rig rig{[](options& x) {
    x.outbox_packets = 1;
    x.outbox_bytes = 10;
  }};
  rig.session->open_polling();
  CHECK(rig.emit(args(1000)));
  CHECK(!rig.closed);
}

TEST(a volatile event is dropped unless it can leave now) {
  engine_rig rig;
  rig.polling();
  CHECK(!rig.emit("[1]", true));
  auto poll = rig.get();
  CHECK_EQUAL(*poll, "pending");
  CHECK(rig.emit("[2]", true));
  CHECK_EQUAL(*poll, "42[2]");
  CHECK(!rig.emit("[3]", true));
  CHECK(rig.emit("[4]"));
  CHECK_EQUAL(*rig.get(), "42[4]");
}

TEST(a volatile event does not queue behind others on a websocket) {
  engine_rig rig;
  auto& ws = rig.websocket();
  CHECK(rig.emit("[1]", true));
  ws.reads = false;
  CHECK(rig.emit("[2]"));
  CHECK(!rig.emit("[3]", true));
  ws.reads = true;
  ws.wake();
  CHECK(rig.emit("[4]", true));
  CHECK_EQUAL(ws.take(), "42[1]\n42[2]\n42[4]\n");
  CHECK(!rig.closed);
}

TEST(an event that comes whole is handed up once) {
  engine_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_text(ws, header);
  CHECK_EQUAL(rig.take(), "");
  rig.session->on_binary(ws, "bytes");
  CHECK_EQUAL(rig.take(),
              "5/[\"b\",{\"_placeholder\":true,\"num\":0}]+bytes\n");
}

TEST(an attachment that does not come ends the session) {
  engine_rig rig{[](options& x) { x.assembly_timeout = 400ms; }};
  auto& ws = rig.websocket();
  rig.session->on_text(ws, header);
  rig.advance(399);
  CHECK(!rig.closed);
  rig.pass(1ms);
  CHECK(rig.closed == close_reason::limit);
  CHECK_EQUAL(ws.take(), "close\n");
}

TEST(an attachment that comes in time ends the wait) {
  engine_rig rig{[](options& x) { x.assembly_timeout = 400ms; }};
  auto& ws = rig.websocket();
  rig.session->on_text(ws, header);
  rig.advance(300);
  rig.session->on_binary(ws, "x");
  rig.advance(1000);
  CHECK(!rig.closed);
}

TEST(text while an attachment is outstanding ends the session) {
  engine_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_text(ws, header);
  rig.session->on_text(ws, R"(42["a"])");
  CHECK_EQUAL(rig.take(), "closed\n");
  CHECK(rig.closed == close_reason::parse_error);
  CHECK_EQUAL(ws.take(), "close\n");
}

TEST(a heartbeat while an attachment is outstanding is in order) {
  engine_rig rig{[](options& x) {
    x.ping_interval = 100ms;
    x.ping_timeout = 100ms;
  }};
  auto& ws = rig.websocket();
  rig.session->on_text(ws, header);
  rig.pass(100ms);
  rig.session->on_text(ws, "3");
  rig.session->on_binary(ws, "x");
  CHECK(!rig.closed);
  CHECK(rig.take() != "");
}

TEST(a binary message that nobody announced ends the session) {
  engine_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_binary(ws, "x");
  CHECK(rig.closed == close_reason::parse_error);
  CHECK_EQUAL(ws.take(), "close\n");
}

TEST(attachments are bounded in bytes) {
  engine_rig rig{[](options& x) { x.max_payload = 10; }};
  auto& ws = rig.websocket();
  rig.session->on_text(ws, R"(452-["b"])");
  rig.session->on_binary(ws, "123456");
  CHECK(!rig.closed);
  rig.session->on_binary(ws, "12345");
  CHECK(rig.closed == close_reason::parse_error);
}
