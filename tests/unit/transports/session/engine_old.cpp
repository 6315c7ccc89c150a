#include "tests/unit/transports/session/engine_rig.hpp"

#include "tests/support/check.hpp"

// Engine.IO 3: clients ping, are in the main namespace without asking, and
// read payloads of their own.

using namespace signalbox;
using namespace signalbox::session;
using namespace std::string_literals;
using namespace std::chrono_literals;
using codec::dialect;

namespace {

const auto& plain = engine::find_revision(dialect::eio3, false);
const auto& base64 = engine::find_revision(dialect::eio3, true);

void accept(engine_rig& rig, std::string nsp = "/") {
  socket::packet x;
  x.type = socket::packet_type::connect;
  x.nsp = std::move(nsp);
  x.data = R"({"sid":"x"})";
  rig.session->send(x);
}

void refuse(engine_rig& rig, std::string data) {
  socket::packet x;
  x.type = socket::packet_type::connect_error;
  x.data = std::move(data);
  rig.session->send(x);
}

} // namespace

TEST(the client is asked about at once and told when it is in) {
  engine_rig rig{{}, base64, "EIO=3&transport=polling&token=abc"};
  rig.session->open_polling();
  CHECK_EQUAL(rig.take(), "0/{\"token\":\"abc\"}\n");
  auto opened = rig.get();
  CHECK(opened->find(":0{\"sid\":\"sid0123456789\"") != std::string::npos);
  auto poll = rig.get();
  CHECK_EQUAL(*poll, "pending");
  accept(rig);
  CHECK_EQUAL(*poll, "2:40");
}

TEST(a refusal is an error the client can read) {
  engine_rig rig{{}, base64};
  rig.polling();
  auto poll = rig.get();
  refuse(rig, R"({"message":"unauthorized"})");
  CHECK_EQUAL(*poll, "16:44\"unauthorized\"");
  rig.take();
  MESSAGE("after which it may ask again");
  rig.post("2:40");
  CHECK_EQUAL(rig.take(), "0/\n");
}

TEST(asking once more is answered and not passed on) {
  engine_rig rig{{}, base64};
  rig.polling().take();
  rig.post("2:40");
  CHECK_EQUAL(rig.take(), "");
  accept(rig);
  CHECK_EQUAL(*rig.get(), "2:40");
  rig.post("2:40");
  CHECK_EQUAL(rig.take(), "");
  CHECK_EQUAL(*rig.get(), "2:40");
  MESSAGE("who left and comes back is asked about anew");
  rig.post("2:412:40");
  CHECK_EQUAL(rig.take(), "1/\n0/\n");
}

TEST(where there is no main namespace the client is in it all the same) {
  engine_rig rig{[](options& x) { x.main_namespace = false; }, base64};
  rig.session->open_polling();
  CHECK_EQUAL(rig.take(), "");
  auto payload = *rig.get();
  CHECK(payload.ends_with("2:40"));
}

TEST(the query of a namespace stands for an auth payload) {
  engine_rig rig{{}, base64, "EIO=3&a=1&b=2"};
  rig.polling().take();
  rig.post("17:40/ns?b=3&c=4&t=5,"s.replace(0, 2, "18"));
  CHECK_EQUAL(rig.take(), R"(0/ns{"a":"1","b":"3","c":"4"})"
                          "\n");
  accept(rig, "/ns");
  CHECK_EQUAL(*rig.get(), "6:40/ns,");
}

TEST(whoever did not ask for text gets bytes) {
  engine_rig rig{{}, plain};
  auto poll = rig.polling().get();
  accept(rig);
  CHECK_EQUAL(*poll, "bytes \x00\x02\xFF"s + "40");
  rig.session->send({"/", R"(["b",{"_placeholder":true,"num":0}])", {"\x01"s}},
                    {}, false);
  auto text = R"(451-["b",{"_placeholder":true,"num":0}])"s;
  CHECK_EQUAL(*rig.get(),
              "bytes \x00\x03\x09\xFF"s + text + "\x01\x02\xFF\x04\x01"s);
  MESSAGE("and may post either");
  rig.take();
  rig.post("\x00\x08\xFF"s + "42[\"ev\"]" + "\x00\x01\xFF"s + "3", true);
  rig.post("8:42[\"ev\"]");
  CHECK_EQUAL(rig.take(), "2/[\"ev\"]\n2/[\"ev\"]\n");
}

TEST(text that may be decoded twice is ASCII) {
  engine_rig rig{{}, base64};
  rig.polling();
  accept(rig);
  rig.get();
  rig.emit("[\"\xC3\xA9\"]");
  CHECK_EQUAL(*rig.get(), "12:42[\"\\u00e9\"]");
  socket::packet ack;
  ack.type = socket::packet_type::ack;
  ack.id = 1;
  ack.data = "[\"\xC3\xA9\"]";
  rig.session->send(ack);
  CHECK_EQUAL(*rig.get(), "13:431[\"\\u00e9\"]");
}

TEST(the client pings and anything it sends keeps it alive) {
  engine_rig rig{{}, base64};
  rig.polling();
  rig.post("2:2x");
  CHECK_EQUAL(*rig.get(), "1:3");
  auto life = rig.opts.ping_interval + rig.opts.ping_timeout;
  rig.advance(life.count() - 1000);
  rig.post("1:3");
  rig.advance(life.count() - 1000);
  CHECK(!rig.closed);
  auto poll = rig.get();
  rig.pass(1000ms);
  REQUIRE(rig.closed);
  CHECK(*rig.closed == close_reason::ping_timeout);
  CHECK_EQUAL(*poll, "1:1");
}

TEST(a client that pings and does not read costs no memory) {
  engine_rig rig{{}, base64};
  rig.polling();
  for (auto i = 0; i < 100; ++i)
    rig.post("1:21:21:21:21:2");
  CHECK(rig.session->queue().packets() <= 17);
}

TEST(a malformed payload ends the session) {
  for (const auto* wrong : {"", "2:4", "x", "0:"}) {
    engine_rig rig{{}, base64};
    rig.polling();
    rig.post(wrong);
    REQUIRE(rig.closed);
    CHECK(*rig.closed == close_reason::parse_error);
  }
}

TEST(over a WebSocket binary has its type byte) {
  engine_rig rig{{}, plain};
  auto& ws = rig.websocket();
  accept(rig);
  CHECK_EQUAL(ws.take(), "40\n");
  rig.take();
  rig.session->on_text(ws, R"(451-["b",{"_placeholder":true,"num":0}])");
  rig.session->on_binary(ws, "\x04"
                             "ab");
  CHECK_EQUAL(rig.take(), R"(5/["b",{"_placeholder":true,"num":0}]+ab)"
                          "\n");
  rig.session->send({"/", R"(["b",{"_placeholder":true,"num":0}])", {"ab"}}, {},
                    false);
  CHECK_EQUAL(ws.take(), R"(451-["b",{"_placeholder":true,"num":0}])"
                         "\nbinary \x04"
                         "ab\n");
  rig.session->on_binary(ws, "ab");
  CHECK(rig.closed.has_value());
}

TEST(a client that takes no bytes gets base64 over a WebSocket too) {
  for (auto speaks : {dialect::eio3, dialect::eio4}) {
    engine_rig rig{{}, engine::find_revision(speaks, true)};
    auto& ws = rig.websocket();
    rig.session->send({"/", R"(["b",{"_placeholder":true,"num":0}])", {"\x01"}},
                      {}, false);
    CHECK_EQUAL(ws.take(),
                R"(451-["b",{"_placeholder":true,"num":0}])" + "\n"s
                  + (speaks == dialect::eio3 ? "b4AQ==\n" : "bAQ==\n"));
  }
}
