#include "tests/unit/transports/session/legacy_rig.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::session;
using namespace std::string_literals;
using namespace std::chrono_literals;
using socket::packet_type;

#define MARK "\xEF\xBF\xBD"

// -- handshake ----------------------------------------------------------------

TEST(the handshake waits until it is known who it is) {
  legacy_rig rig{{}, false, "t=1&token=abc"};
  auto line = rig.greet();
  CHECK_EQUAL(rig.take(), "0/{\"token\":\"abc\"}\n");
  CHECK_EQUAL(*line, "pending");
  rig.accept();
  CHECK_EQUAL(*line, "sid:45:45:websocket,xhr-polling");
}

TEST(who is denied gets no session) {
  legacy_rig rig;
  auto line = rig.greet();
  rig.refuse("/", R"({"message":"unauthorized"})");
  CHECK_EQUAL(*line, "403 handshake unauthorized");
  CHECK_EQUAL(rig.forgotten, 1);
  CHECK(*rig.closed == close_reason::kicked);
}

TEST(while the site cannot be asked nobody is told to stay away) {
  legacy_rig rig;
  auto line = rig.greet();
  rig.refuse("/", R"({"message":"unavailable","data":{"retry":true}})");
  CHECK_EQUAL(*line, "504 handshake error");
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(balancers ask another node for the handshake while this one drains) {
  legacy_rig rig;
  auto line = rig.greet();
  rig.session->close(close_reason::shutdown);
  CHECK_EQUAL(*line, "503 handshake error");
}

TEST(a handshake that is given up or not used is forgotten) {
  legacy_rig given_up;
  given_up.greet();
  given_up.session->on_greeting_lost(given_up.last_greeting.get());
  CHECK_EQUAL(given_up.forgotten, 1);
  legacy_rig unused;
  unused.open();
  unused.pass(unused.opts.close_timeout);
  CHECK_EQUAL(unused.forgotten, 1);
  CHECK(*unused.closed == close_reason::connect_timeout);
}

TEST(without a main namespace the handshake is answered at once) {
  legacy_rig rig{[](options& x) { x.main_namespace = false; }};
  CHECK(rig.greet()->starts_with("sid:"));
  CHECK_EQUAL(rig.take(), "");
}

// -- polling ------------------------------------------------------------------

TEST(the first poll says that the client is in) {
  legacy_rig rig;
  rig.open();
  CHECK_EQUAL(*rig.get(), "1::");
  auto poll = rig.get();
  CHECK_EQUAL(*poll, "pending");
  rig.emit(R"(["ev",1])");
  CHECK_EQUAL(*poll, R"(5:::{"name":"ev","args":[1]})");
}

TEST(several packets share one answer) {
  legacy_rig rig;
  rig.open().get();
  rig.emit(R"(["a"])");
  rig.emit("[\"b\",\"\xE2\x82\xAC\"]");
  CHECK_EQUAL(*rig.get(),
              MARK "16" MARK R"(5:::{"name":"a"})" MARK "29" MARK
                   "5:::{\"name\":\"b\",\"args\":[\"\xE2\x82\xAC\"]}");
}

TEST(a second poll takes the place of the first) {
  legacy_rig rig;
  rig.open().get();
  auto first = rig.get();
  auto second = rig.get();
  CHECK_EQUAL(*first, "8::");
  CHECK_EQUAL(*second, "pending");
}

TEST(a poll without news has an end) {
  legacy_rig rig;
  rig.open().get();
  auto poll = rig.get();
  rig.pass(rig.opts.ping_interval);
  CHECK_EQUAL(*poll, "8::");
  MESSAGE("and a client that does not poll again has one too");
  rig.pass(rig.opts.close_timeout);
  CHECK(*rig.closed == close_reason::ping_timeout);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a poll that breaks off ends nothing) {
  legacy_rig rig;
  rig.open().get();
  rig.get();
  rig.session->on_poll_lost(rig.last_poll.get());
  rig.emit(R"(["ev"])");
  CHECK_EQUAL(*rig.get(), R"(5:::{"name":"ev"})");
}

TEST(a post may hold several packets and malformed ones are passed over) {
  legacy_rig rig;
  rig.open().get();
  rig.give(*rig.session,
           MARK "16" MARK R"(5:::{"name":"a"})" MARK "1" MARK "x" MARK "4" MARK
                "3:::",
           false);
  CHECK_EQUAL(rig.take(), "2/[\"a\"]\n2/[\"message\",\"\"]\n");
  CHECK_EQUAL(rig.count.packets_ignored, 1u);
  rig.give(*rig.session, MARK "x", false);
  CHECK_EQUAL(rig.count.packets_ignored, 2u);
  CHECK(!rig.closed);
}

TEST(a post of too many packets ends the session) {
  legacy_rig rig{[](options& x) { x.payload_packets = 2; }};
  rig.open().get();
  auto one = MARK "3" MARK "2::"s;
  rig.give(*rig.session, one + one, false);
  CHECK(!rig.closed);
  rig.give(*rig.session, one + one + one, false);
  CHECK(*rig.closed == close_reason::limit);
}

// -- streams ------------------------------------------------------------------

TEST(a WebSocket says that the client is in and carries what comes) {
  legacy_rig rig;
  rig.open();
  auto& ws = rig.connect();
  CHECK_EQUAL(ws.take(), "1::\n");
  MESSAGE("whoever knew it before learns what carries it");
  CHECK_EQUAL(rig.take(), "upgrade\n");
  CHECK_EQUAL(rig.session->transport(), "websocket");
  rig.emit(R"(["ev"])");
  CHECK_EQUAL(ws.take(), "5:::{\"name\":\"ev\"}\n");
  rig.session->on_text(ws, R"(5:::{"name":"hi","args":[1]})");
  CHECK_EQUAL(rig.take(), "2/[\"hi\",1]\n");
}

TEST(a session may go on over another transport) {
  legacy_rig rig;
  rig.open().get();
  auto poll = rig.get();
  auto& ws = rig.connect();
  CHECK_EQUAL(*poll, "8::");
  CHECK_EQUAL(ws.take(), "");
  CHECK_EQUAL(rig.take(), "upgrade\n");
  MESSAGE("and over another connection");
  auto& second = rig.connect();
  CHECK_EQUAL(ws.take(), "abort\n");
  rig.session->on_carrier_lost(ws, close_reason::transport_error);
  rig.emit(R"(["ev"])");
  CHECK_EQUAL(second.take(), "5:::{\"name\":\"ev\"}\n");
  CHECK(!rig.closed);
  MESSAGE("but ends with the last one");
  rig.session->on_carrier_lost(second, close_reason::client_close);
  CHECK(*rig.closed == close_reason::client_close);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a client whose frames get lost falls back to polling) {
  legacy_rig rig;
  rig.open();
  auto& ws = rig.connect();
  ws.reads = false;
  rig.emit(R"(["ev"])");
  rig.take();
  auto poll = rig.get();
  CHECK_EQUAL(ws.take(), "1::\nabort\n");
  CHECK_EQUAL(rig.take(), "upgrade\n");
  CHECK_EQUAL(*poll, "5:::{\"name\":\"ev\"}");
  CHECK_EQUAL(rig.count.live_polling, 1);
  CHECK_EQUAL(rig.count.live_websocket, 0);
  rig.session->on_carrier_lost(ws, close_reason::transport_error);
  CHECK(!rig.closed);
  CHECK_EQUAL(*rig.get(), "pending");
}

TEST(heartbeats go both ways) {
  legacy_rig rig;
  auto& ws = rig.websocket();
  rig.pass(rig.opts.ping_interval);
  CHECK_EQUAL(ws.take(), "2::\n");
  rig.session->on_text(ws, "2::");
  CHECK_EQUAL(ws.take(), "");
  MESSAGE("however much the client says itself");
  for (auto i = 0; i < 4; ++i) {
    rig.advance(rig.opts.ping_interval.count() / 5);
    rig.session->on_text(ws, "3:::x");
  }
  rig.advance(rig.opts.ping_interval.count() / 5 + 100);
  CHECK_EQUAL(ws.take(), "2::\n");
  MESSAGE("and who does not answer is dropped");
  rig.pass(rig.opts.ping_timeout);
  CHECK(*rig.closed == close_reason::ping_timeout);
  CHECK_EQUAL(ws.take(), "abort\n");
}

// -- namespaces ---------------------------------------------------------------

TEST(a namespace is joined by its own packet) {
  legacy_rig rig{{}, false, "token=a"};
  auto& ws = rig.websocket();
  rig.session->on_text(ws, "1::/ns:?x=y");
  CHECK_EQUAL(rig.take(), R"(0/ns{"token":"a","x":"y"})"
                          "\n");
  MESSAGE("what comes meanwhile waits for the answer");
  rig.session->on_text(ws, R"(5::/ns:{"name":"early"})");
  CHECK_EQUAL(rig.take(), "");
  rig.accept("/ns");
  CHECK_EQUAL(ws.take(), "1::/ns\n");
  CHECK_EQUAL(rig.take(), "2/ns[\"early\"]\n");
  MESSAGE("asking again changes nothing");
  rig.session->on_text(ws, "1::/ns");
  CHECK_EQUAL(ws.take(), "1::/ns\n");
  CHECK_EQUAL(rig.take(), "");
  MESSAGE("and leaving it leaves the others");
  rig.session->on_text(ws, "0::/ns");
  CHECK_EQUAL(rig.take(), "1/ns\n");
  rig.session->on_text(ws, R"(5::/ns:{"name":"late"})");
  CHECK_EQUAL(rig.take(), "");
  rig.session->on_text(ws, "3:::still here");
  CHECK_EQUAL(rig.take(), "2/[\"message\",\"still here\"]\n");
}

TEST(a refused namespace is told as far as old clients understand) {
  legacy_rig rig;
  auto& ws = rig.websocket();
  auto ask = [&](std::string data) {
    rig.session->on_text(ws, "1::/ns");
    rig.refuse("/ns", std::move(data));
    return ws.take();
  };
  CHECK_EQUAL(ask(R"({"message":"unauthorized"})"), "7::/ns:2\n");
  CHECK_EQUAL(ask(R"({"message":"unavailable","data":{"retry":true}})"),
              "7::/ns:1\n");
  CHECK_EQUAL(ask(R"({"message":"Invalid namespace"})"), "");
}

TEST(a name without its slash means the same) {
  legacy_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_text(ws, "1::ns");
  rig.accept("/ns");
  CHECK_EQUAL(ws.take(), "1::ns\n");
  rig.take();
  rig.session->on_text(ws, R"(5::ns:{"name":"a"})");
  rig.session->on_text(ws, R"(5::/ns:{"name":"b"})");
  CHECK_EQUAL(rig.take(), "2/ns[\"a\"]\n2/ns[\"b\"]\n");
}

TEST(a browser is in no namespace that it did not ask for) {
  legacy_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_text(ws, R"(5::/ns:{"name":"a"})");
  CHECK_EQUAL(rig.take(), "");
  CHECK_EQUAL(rig.count.packets_ignored, 1u);
}

TEST(a publisher asks by what it sends and does not wait) {
  legacy_rig rig{{}, true, "key=k"};
  auto& ws = rig.websocket();
  rig.session->on_text(ws, R"(5::/ns:{"name":"a","args":"foo"})");
  rig.session->on_text(ws, R"(5::/ns:{"name":"b"})");
  CHECK_EQUAL(rig.take(), R"(0/ns{"key":"k"})"
                          "\n2/ns[\"a\",\"foo\"]\n2/ns[\"b\"]\n");
}

TEST(a session that ends waits for the answer that is made and no longer) {
  legacy_rig rig;
  rig.open();
  rig.get();
  rig.get();
  rig.last_poll->slow = true;
  rig.emit(R"(["x"])");
  rig.session->close(close_reason::shutdown);
  CHECK_EQUAL(rig.forgotten, 0);
  rig.pass(std::chrono::milliseconds{1000});
  CHECK_EQUAL(rig.forgotten, 0);
  rig.last_poll->slow = false;
  rig.pass(std::chrono::milliseconds{1000});
  CHECK_EQUAL(rig.forgotten, 1);
  CHECK_EQUAL(rig.count.close_timeouts, 0u);
}

TEST(so much may wait for a namespace and no more) {
  legacy_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_text(ws, "1::/ns");
  for (auto i = 0; i < 64; ++i)
    rig.session->on_text(ws, R"(5::/ns:{"name":"a"})");
  CHECK(!rig.closed);
  rig.session->on_text(ws, R"(5::/ns:{"name":"a"})");
  MESSAGE("its client is not told to stay away");
  CHECK(*rig.closed == close_reason::site_unavailable);
  CHECK(ws.take().find("0::") == std::string::npos);
}

TEST(so many bytes may wait for a namespace and no more) {
  legacy_rig rig{[](options& x) { x.max_payload = 1000; }};
  auto& ws = rig.websocket();
  rig.session->on_text(ws, "1::/ns");
  auto half =
    R"(5::/ns:{"name":"a","args":[")" + std::string(500, 'x') + R"("]})";
  rig.session->on_text(ws, half);
  CHECK(!rig.closed);
  rig.session->on_text(ws, half);
  CHECK(*rig.closed == close_reason::site_unavailable);
}

// -- acks ---------------------------------------------------------------------

TEST(an ack is asked for with or without an answer) {
  legacy_rig rig;
  auto& ws = rig.websocket();
  rig.session->on_text(ws, R"(5:1+::{"name":"q","args":[1]})");
  CHECK_EQUAL(rig.take(), "2/#1[\"q\",1]\n");
  rig.answer(packet_type::ack, "/", R"(["a"])", 1);
  CHECK_EQUAL(ws.take(), "6:::1+[\"a\"]\n");
  rig.answer(packet_type::ack, "/", "[]", 2);
  CHECK_EQUAL(ws.take(), "6:::2\n");
  MESSAGE("a plain one is the session's to give");
  rig.session->on_text(ws, R"(5:2::{"name":"q"})");
  rig.session->on_text(ws, "3:4::hi");
  CHECK_EQUAL(ws.take(), "6:::2\n6:::4\n");
  CHECK_EQUAL(rig.take(), "2/[\"q\"]\n2/[\"message\",\"hi\"]\n");
}

TEST(the client acknowledges what asks for it) {
  legacy_rig rig;
  auto& ws = rig.websocket();
  rig.session->send({"/", R"(["q",1])", {}}, 0, false);
  CHECK_EQUAL(ws.take(), "5:0+::{\"name\":\"q\",\"args\":[1]}\n");
  rig.session->on_text(ws, "6:::0+[\"a\"]");
  CHECK_EQUAL(rig.take(), "3/#0[\"a\"]\n");
  rig.session->on_text(ws, "6::/other:0");
  CHECK_EQUAL(rig.take(), "");
}

// -- end ----------------------------------------------------------------------

TEST(the client leaves by a packet or by a request) {
  legacy_rig packet;
  auto& ws = packet.websocket();
  packet.session->on_text(ws, "0:::");
  CHECK_EQUAL(ws.take(), "0::\nclose\n");
  CHECK(*packet.closed == close_reason::client_close);
  legacy_rig request;
  request.open().get();
  auto poll = request.get();
  request.session->on_disconnect();
  CHECK_EQUAL(*poll, "0::");
  CHECK_EQUAL(request.forgotten, 1);
}

TEST(who is thrown out stays away and everybody else comes again) {
  auto farewell = [](close_reason why) {
    legacy_rig rig;
    rig.open().get();
    auto poll = rig.get();
    rig.session->close(why);
    CHECK_EQUAL(rig.forgotten, 1);
    return *poll;
  };
  CHECK_EQUAL(farewell(close_reason::kicked), "0::");
  CHECK_EQUAL(farewell(close_reason::limit), "0::");
  CHECK_EQUAL(farewell(close_reason::shutdown), "refused");
  CHECK_EQUAL(farewell(close_reason::actor_down), "refused");
  legacy_rig stream;
  auto& ws = stream.websocket();
  stream.session->close(close_reason::shutdown);
  CHECK_EQUAL(ws.take(), "close\n");
  MESSAGE("the main namespace is the connection");
  legacy_rig rig;
  rig.open().get();
  auto poll = rig.get();
  rig.answer(packet_type::disconnect, "/");
  CHECK_EQUAL(*poll, "0::");
  CHECK(*rig.closed == close_reason::kicked);
}

TEST(what is left when the router stops waits for the next poll) {
  legacy_rig rig;
  rig.open().get();
  rig.emit(R"(["last"])");
  rig.session->close(close_reason::shutdown);
  CHECK_EQUAL(rig.forgotten, 0);
  CHECK_EQUAL(*rig.get(), R"(5:::{"name":"last"})");
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a farewell waits for the next poll) {
  legacy_rig rig;
  rig.open().get();
  rig.emit(R"(["last"])");
  rig.session->close(close_reason::kicked);
  CHECK_EQUAL(rig.forgotten, 0);
  CHECK_EQUAL(*rig.get(),
              MARK "19" MARK R"(5:::{"name":"last"})" MARK "3" MARK "0::");
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a client that comes again after the end hears only of it) {
  legacy_rig rig;
  auto& first = rig.websocket();
  first.reads = false;
  rig.session->close(close_reason::kicked);
  CHECK_EQUAL(rig.connect().take(), "0::\nclose\n");
  CHECK_EQUAL(first.take(), "abort\n");
  CHECK_EQUAL(rig.count.live_websocket, 0);
  CHECK_EQUAL(rig.count.live_polling, 0);
  CHECK_EQUAL(*rig.get(), "refused");
  CHECK_EQUAL(rig.count.live_websocket, 0);
  CHECK_EQUAL(rig.count.live_polling, 0);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(a client that does not read is closed as slow) {
  legacy_rig rig{[](options& x) {
    x.outbox_bytes = 128;
    x.outbox_packets = 2;
  }};
  rig.open().get();
  CHECK(rig.emit(R"(["a"])"));
  CHECK(rig.emit(R"(["b"])"));
  CHECK(!rig.emit(R"(["c"])"));
  CHECK(*rig.closed == close_reason::slow);
  CHECK_EQUAL(rig.forgotten, 1);
}

TEST(what is volatile needs somebody who listens) {
  legacy_rig rig;
  rig.open().get();
  CHECK(!rig.emit(R"(["a"])", true));
  auto poll = rig.get();
  CHECK(rig.emit(R"(["a"])", true));
  CHECK_EQUAL(*poll, R"(5:::{"name":"a"})");
}
