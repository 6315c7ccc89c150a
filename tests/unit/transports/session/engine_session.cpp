#include "transports/session/engine_session.hpp"

#include "tests/unit/transports/session/engine_rig.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::session;
using namespace std::chrono_literals;

namespace {

const std::string separator{'\x1e'};

// Settings of vector V12.
void quick(options& x) {
  x.ping_interval = 400ms;
  x.ping_timeout = 300ms;
  x.close_timeout = 1000ms;
}

std::string body(const poll_result& x) {
  return *x;
}

} // namespace

// -- opening ------------------------------------------------------------------

TEST(the first poll gets the open packet) {
  engine_rig rig;
  rig.session->open_polling();
  CHECK_EQUAL(body(rig.get()),
              R"(0{"sid":"sid0123456789","upgrades":["websocket"],)"
              R"("pingInterval":25000,"pingTimeout":20000,)"
              R"("maxPayload":1000000})");
  CHECK_EQUAL(rig.session->transport(), "polling");
  CHECK_EQUAL(rig.session->label(), "sid012");
  CHECK_EQUAL(rig.count.live_polling, 1);
  CHECK_EQUAL(rig.count.opened_polling, 1u);
}

TEST(without websockets no upgrade is offered) {
  engine_rig rig{[](options& x) { x.websocket = false; }};
  rig.session->open_polling();
  CHECK(rig.get()->find(R"("upgrades":[])") != std::string::npos);
}

TEST(a websocket gets the open packet and no offer to upgrade) {
  engine_rig rig;
  auto& ws = rig.connect();
  rig.session->open_websocket(ws);
  CHECK_EQUAL(ws.take(), R"(0{"sid":"sid0123456789","upgrades":[],)"
                         R"("pingInterval":25000,"pingTimeout":20000,)"
                         R"("maxPayload":1000000})"
                         "\n");
  CHECK_EQUAL(rig.session->transport(), "websocket");
  CHECK_EQUAL(rig.count.live_websocket, 1);
}

// -- polling ------------------------------------------------------------------

TEST(a poll is held until there is something to say) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  CHECK_EQUAL(body(poll), "pending");
  rig.emit(R"(["a"])");
  CHECK_EQUAL(body(poll), R"(42["a"])");
}

TEST(what waited leaves in one poll) {
  engine_rig rig;
  rig.polling();
  rig.emit(R"(["a"])");
  socket::packet ack;
  ack.type = socket::packet_type::ack;
  ack.id = 7;
  ack.data = "[1]";
  rig.session->send(ack);
  rig.session->send({"/ns", R"(["q"])", {}}, 3, false);
  CHECK_EQUAL(body(rig.get()), R"(42["a"])" + separator + "437[1]" + separator
                                 + R"(42/ns,3["q"])");
}

TEST(binary goes through a poll as base64) {
  engine_rig rig;
  rig.polling();
  codec::shared_event event{
    "/", R"(["b",{"_placeholder":true,"num":0}])", {"\x01\x02\x03\x04"}};
  auto poll = rig.get();
  rig.session->send(event, {}, false);
  CHECK_EQUAL(body(poll), R"(451-["b",{"_placeholder":true,"num":0}])"
                            + separator + "bAQIDBA==");
}

TEST(a packet with attachments leaves as one) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  socket::packet x;
  x.type = socket::packet_type::binary_ack;
  x.id = 0;
  x.data = R"([{"_placeholder":true,"num":0}])";
  x.attachments = {"\xFF"};
  rig.session->send(x);
  CHECK_EQUAL(body(poll),
              R"(461-0[{"_placeholder":true,"num":0}])" + separator + "b/w==");
}

TEST(the packets of a post arrive in order) {
  engine_rig rig;
  rig.polling();
  CHECK(rig.post("40" + separator + R"(42["a",1])" + separator
                 + R"(451-["b",{"_placeholder":true,"num":0}])" + separator
                 + "bQUI="));
  CHECK_EQUAL(rig.take(), "0/\n2/[\"a\",1]\n5/[\"b\",{\"_placeholder\":true,"
                          "\"num\":0}]+AB\n");
}

TEST(a second poll at a time ends the session) {
  engine_rig rig;
  rig.polling();
  auto first = rig.get();
  auto second = rig.get();
  CHECK_EQUAL(body(second), "refused");
  CHECK_EQUAL(body(first), "1");
  CHECK(rig.closed == close_reason::transport_error);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a second post at a time ends the session) {
  engine_rig rig;
  rig.polling();
  CHECK(rig.session->on_post_begin());
  CHECK(!rig.session->on_post_begin());
  CHECK(rig.closed == close_reason::transport_error);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a post that was refused for its size harms nothing) {
  engine_rig rig;
  rig.polling();
  CHECK(rig.session->on_post_begin());
  rig.session->on_post_refused();
  CHECK(rig.post("40"));
  CHECK_EQUAL(rig.take(), "0/\n");
}

TEST(a request that is dropped half way ends the session) {
  {
    engine_rig rig;
    rig.polling();
    rig.get();
    rig.session->on_poll_lost(rig.last_poll.get());
    CHECK(rig.closed == close_reason::transport_error);
    CHECK_EQUAL(rig.forgotten, 1);
  }
  engine_rig rig;
  rig.polling();
  rig.session->on_post_begin();
  rig.session->on_post_lost();
  CHECK(rig.closed == close_reason::transport_error);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a poll that was answered may be dropped) {
  engine_rig rig;
  rig.polling();
  rig.session->on_poll_lost(rig.last_poll.get());
  CHECK(!rig.closed);
}

TEST(a client that goes before its answer is made ends the session) {
  engine_rig rig;
  rig.polling();
  rig.get();
  rig.last_poll->slow = true;
  rig.emit("[\"x\"]");
  rig.session->on_poll_lost(rig.last_poll.get());
  CHECK(rig.closed == close_reason::transport_error);
}

TEST(a malformed payload ends the session with a word to the poll) {
  // Vector V09; each POST is answered `ok` all the same.
  for (auto payload :
       {std::string{"9"}, std::string{}, std::string{"x"}, std::string{"4"},
        "3" + separator, separator + "3", std::string{"2"},
        std::string{"b!!!!"}, std::string{"2probe"}}) {
    engine_rig rig;
    rig.polling();
    auto poll = rig.get();
    CHECK(rig.post(payload));
    CHECK_EQUAL(body(poll), "1");
    CHECK(rig.closed == close_reason::parse_error);
    CHECK_EQUAL(rig.forgotten, 1);
  }
}

TEST(packets before a malformed one count and those after it do not ) {
  engine_rig rig;
  rig.polling();
  rig.post(R"(42["a"])" + separator + "9" + separator + R"(42["b"])");
  CHECK_EQUAL(rig.take(), "2/[\"a\"]\nclosed\n");
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(packets that mean nothing here are ignored) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  for (auto payload : {"3", "6", "5", "0", "3probe"})
    CHECK(rig.post(payload));
  CHECK_EQUAL(body(poll), "pending");
  CHECK(!rig.closed);
}

TEST(the number of packets in a post is bounded) {
  engine_rig rig{[](options& x) { x.payload_packets = 3; }};
  rig.polling();
  CHECK(rig.post("3" + separator + "3" + separator + "3"));
  CHECK(!rig.closed);
  CHECK(rig.post("3" + separator + "3" + separator + "3" + separator + "3"));
  CHECK(rig.closed == close_reason::limit);
}

TEST(raw messages pass unread) {
  engine_rig rig{[](options& x) { x.raw = true; }};
  rig.polling();
  rig.post("4not a packet" + separator + "4" + separator + "bQUI=");
  CHECK_EQUAL(rig.take(), "2/not a packet\n2/\n5/AB\n");
  socket::packet x;
  x.data = "text";
  rig.session->send(x);
  x.type = socket::packet_type::binary_event;
  x.data = "AB";
  rig.session->send(x);
  CHECK_EQUAL(body(rig.get()), "4text" + separator + "bQUI=");
}

// -- close --------------------------------------------------------------------

TEST(a client that says goodbye while it polls gets a noop) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  CHECK(rig.post("1" + separator + R"(42["late"])"));
  CHECK_EQUAL(body(poll), "6");
  CHECK_EQUAL(rig.take(), "closed\n");
  CHECK(rig.closed == close_reason::client_close);
  CHECK_EQUAL(rig.forgotten, 1);
  CHECK_EQUAL(rig.count.live_polling, 0);
}

TEST(the heartbeat is overdue before its timer says so) {
  engine_rig rig{quick};
  auto opened = rig.wheel.now();
  rig.polling();
  rig.pass(400ms);
  CHECK(!rig.session->expire(opened + 699));
  CHECK(rig.session->expire(opened + 700));
  CHECK(rig.closed == close_reason::ping_timeout);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(before a ping nothing is overdue) {
  engine_rig rig{quick};
  rig.polling();
  CHECK(!rig.session->expire(rig.wheel.now() + 1000));
}

TEST(a poll that a goodbye has overtaken gets a noop) {
  engine_rig rig{quick};
  rig.polling();
  CHECK(rig.emit(R"(["never read"])"));
  CHECK(rig.post("1"));
  CHECK(rig.closed == close_reason::client_close);
  CHECK_EQUAL(rig.forgotten, 0);
  CHECK_EQUAL(body(rig.get()), "6");
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a goodbye that overtakes nothing ends the session soon) {
  engine_rig rig{quick};
  rig.polling();
  CHECK(rig.post("1"));
  rig.pass(100ms);
  CHECK_EQUAL(rig.forgotten, 1);
  CHECK_EQUAL(rig.count.close_timeouts, 0u);
}

TEST(a client may say goodbye on a websocket too) {
  engine_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_text(ws, "1");
  CHECK_EQUAL(ws.take(), "close\n");
  CHECK(rig.closed == close_reason::client_close);
}

TEST(the server closes with a word to the pending poll) {
  engine_rig rig;
  rig.polling();
  auto poll = rig.get();
  rig.session->close(close_reason::kicked);
  CHECK_EQUAL(body(poll), "1");
  CHECK(rig.closed == close_reason::kicked);
  CHECK_EQUAL(rig.forgotten, 1);
  CHECK_EQUAL(rig.closed_for(close_reason::kicked), 1u);
}

TEST(without a pending poll the rest and the news wait for the next) {
  // Vector V13.
  engine_rig rig;
  rig.polling();
  socket::packet bye;
  bye.type = socket::packet_type::disconnect;
  rig.session->send(bye);
  rig.session->close(close_reason::kicked);
  CHECK(rig.closed == close_reason::kicked);
  CHECK_EQUAL(rig.forgotten, 0);
  CHECK_EQUAL(body(rig.get()), "41");
  CHECK_EQUAL(rig.forgotten, 0);
  CHECK_EQUAL(body(rig.get()), "6" + separator + "1");
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a closed session is forgotten if nobody comes for the rest) {
  engine_rig rig{quick};
  rig.polling();
  rig.session->close(close_reason::kicked);
  rig.advance(999);
  CHECK_EQUAL(rig.forgotten, 0);
  rig.pass(1ms);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(on a websocket what is queued leaves before the close frame) {
  engine_rig rig{quick};
  auto& ws = rig.websocket();
  ws.reads = false;
  rig.emit(R"(["last"])");
  rig.session->close(close_reason::kicked);
  CHECK_EQUAL(ws.take(), "");
  // However long that takes: the connection has a deadline of its own.
  rig.advance(60000);
  CHECK_EQUAL(rig.forgotten, 0);
  ws.reads = true;
  ws.wake();
  CHECK_EQUAL(ws.take(), "42[\"last\"]\nclose\n");
  rig.session->on_carrier_lost(ws, close_reason::client_close);
  CHECK_EQUAL(rig.forgotten, 1);
  CHECK(rig.closed == close_reason::kicked);
  CHECK_EQUAL(rig.count.live_websocket, 0);
}

TEST(a websocket that breaks ends the session) {
  engine_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_carrier_lost(ws, close_reason::transport_error);
  CHECK(rig.closed == close_reason::transport_error);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(after the close nothing counts any more) {
  engine_rig rig;
  auto& ws = rig.websocket();
  rig.session->close(close_reason::kicked);
  ws.take();
  rig.take();
  rig.session->on_text(ws, R"(42["late"])");
  rig.session->on_binary(ws, "late");
  rig.session->close(close_reason::shutdown);
  CHECK(!rig.emit(R"(["late"])"));
  rig.session->send(socket::packet{});
  CHECK(!rig.session->on_probe(rig.connect()));
  CHECK_EQUAL(rig.take(), "");
  CHECK_EQUAL(ws.take(), "");
  CHECK(rig.closed == close_reason::kicked);
  CHECK(rig.session->closing());
}

TEST(posts after the close are swallowed) {
  engine_rig rig;
  rig.polling();
  rig.session->close(close_reason::kicked);
  rig.take();
  CHECK(rig.post("40"));
  CHECK_EQUAL(rig.take(), "");
}

TEST(a handler may close while it handles a packet) {
  engine_rig rig;
  rig.polling();
  rig.then = [&] { rig.session->close(close_reason::parse_error); };
  rig.post("40" + separator + R"(42["a"])");
  CHECK_EQUAL(rig.take(), "0/\nclosed\n");
  CHECK_EQUAL(body(rig.get()), "6" + separator + "1");
}

// -- heartbeat ----------------------------------------------------------------

TEST(a ping leaves after each interval if it is answered) {
  engine_rig rig{quick};
  auto& ws = rig.websocket();
  for (auto i = 0; i < 3; ++i) {
    rig.advance(399);
    CHECK_EQUAL(ws.take(), "");
    rig.pass(1ms);
    CHECK_EQUAL(ws.take(), "2\n");
    rig.session->on_text(ws, "3");
  }
  CHECK(!rig.closed);
}

TEST(a ping that is not answered in time ends the session) {
  // Vector V12.
  engine_rig rig{quick};
  rig.polling();
  auto poll = rig.get();
  rig.pass(400ms);
  CHECK_EQUAL(body(poll), "2");
  poll = rig.get();
  rig.advance(300 - timer_wheel::granularity);
  CHECK_EQUAL(body(poll), "pending");
  rig.advance(2 * timer_wheel::granularity);
  CHECK_EQUAL(body(poll), "1");
  CHECK(rig.closed == close_reason::ping_timeout);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(on a websocket the end of the heartbeat is a close frame) {
  engine_rig rig{quick};
  auto& ws = rig.websocket();
  rig.pass(400ms);
  rig.pass(300ms);
  CHECK_EQUAL(ws.take(), "2\nclose\n");
  CHECK(rig.closed == close_reason::ping_timeout);
}

TEST(whatever a client sends is a sign of life) {
  engine_rig rig{quick};
  auto& ws = rig.websocket();
  rig.pass(400ms);
  for (auto i = 0; i < 4; ++i) {
    rig.advance(200);
    rig.session->on_text(ws, R"(42["busy"])");
    rig.pass(100ms);
    CHECK(!rig.closed);
  }
  MESSAGE("bytes of a message that is not whole yet are one, too");
  rig.session->on_sign_of_life(1);
  rig.pass(300ms);
  CHECK(!rig.closed);
  MESSAGE("without any it is gone, and was pinged once");
  rig.pass(300ms);
  CHECK(rig.closed == close_reason::ping_timeout);
  CHECK_EQUAL(ws.take(), "2\nclose\n");
}

TEST(a client whose messages are left unread is not timed out) {
  engine_rig rig{quick};
  rig.websocket();
  rig.ready = false;
  rig.pass(400ms);
  for (auto i = 0; i < 5; ++i)
    rig.pass(300ms);
  CHECK(!rig.closed);
  rig.ready = true;
  rig.pass(300ms);
  rig.pass(300ms);
  CHECK(rig.closed == close_reason::ping_timeout);
}

TEST(an answer nobody asked for changes nothing) {
  engine_rig rig{quick};
  auto& ws = rig.websocket();
  rig.advance(300);
  rig.session->on_text(ws, "3");
  rig.pass(100ms);
  CHECK_EQUAL(ws.take(), "2\n");
}

TEST(a client that abandons polling is unknown at once) {
  engine_rig rig{quick};
  rig.polling();
  rig.pass(400ms);
  rig.pass(300ms);
  CHECK(rig.closed == close_reason::ping_timeout);
  CHECK_EQUAL(rig.forgotten, 1);
}
