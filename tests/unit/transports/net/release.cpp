#include "transports/net/release.hpp"

#include "tests/unit/transports/net/tunnel_cluster.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::net;

TEST(a poll is answered early if the node of its client ends) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url);
  REQUIRE(c.until([&] { return c.one.tunnelled.hosted == 1; }));
  c.settle();
  c.two.at->retire();
  c.two.ways->release_all();
  auto answer = c.answer(far);
  REQUIRE_EQUAL(body_of(answer), "6");
  MESSAGE("it is the last answer of its connection, and says so");
  CHECK(answer.find("Connection: close") != answer.npos);
  CHECK(c.ends(far));
  CHECK(c.until([&] { return c.two.tunnelled.away == 0; }));
  MESSAGE("the session goes on by another way");
  CHECK(c.one.app.closed.empty());
  client near{c.one.port()};
  near.get(url);
  c.settle();
  c.one.app.send("late");
  CHECK_EQUAL(body_of(c.answer(near)), "4late");
}

TEST(requests that still come are answered and not held) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  c.two.at->retire();
  c.two.ways->release_all();
  c.settle();
  far.post(url, "4a");
  auto answer = c.answer(far);
  CHECK_EQUAL(body_of(answer), "ok");
  CHECK(answer.find("Connection: close") != answer.npos);
  client later{c.two.port()};
  later.get(url);
  CHECK_EQUAL(body_of(c.answer(later)), "4a");
  client last{c.two.port()};
  last.get(url);
  REQUIRE_EQUAL(body_of(c.answer(last)), "6");
  CHECK(c.one.app.closed.empty());
}

TEST(those that are there are released one after the other) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  auto other = base + "&sid=" + c.open();
  client one{c.two.port()};
  client two{c.two.port()};
  one.get(url);
  two.get(other);
  REQUIRE(c.until([&] { return c.one.tunnelled.hosted == 2; }));
  c.settle();
  auto& wheel = c.two.loops[0]->wheel();
  c.two.ways->retire(10000);
  REQUIRE(c.until([&] { return c.two.tunnelled.away == 1; }));
  MESSAGE("the second waits until half of the time is over");
  wheel.advance(wheel.now() + 4000);
  c.settle();
  CHECK(!c.two.ways->retired());
  CHECK_EQUAL(c.two.tunnelled.away, 1);
  wheel.advance(wheel.now() + 2000);
  CHECK(c.until([&] { return c.two.ways->retired(); }));
  CHECK(c.until([&] { return c.two.tunnelled.away == 0; }));
}

TEST(a session whose WebSocket comes through it is closed in good order) {
  cluster c;
  auto sid = c.open();
  client socket{c.two.port()};
  c.upgrade(socket, sid);
  c.one.app.send("x");
  c.two.ways->release_all();
  CHECK(c.sees(socket, "\x81\x02"
                       "4x"));
  CHECK(c.sees(socket, std::string_view("\x88\0", 2)));
  REQUIRE_EQUAL(c.one.app.closed.size(), 1u);
  CHECK(c.one.app.closed[0] == session::close_reason::shutdown);
  socket.send(std::string("\x88\x80\0\0\0\0", 6));
  CHECK(c.until([&] { return c.two.tunnelled.away == 0; }));
}

TEST(old clients poll again) {
  cluster c;
  auto sid = c.open_legacy();
  client far{c.two.port()};
  far.get("/socket.io/1/xhr-polling/" + sid);
  CHECK_EQUAL(body_of(c.answer(far)), "1::");
  far.get("/socket.io/1/xhr-polling/" + sid);
  REQUIRE(c.until([&] { return c.one.tunnelled.hosted == 1; }));
  c.settle();
  c.two.ways->release_all();
  CHECK_EQUAL(body_of(c.answer(far)), "8::");
  CHECK(c.one.app.closed.empty());
}
