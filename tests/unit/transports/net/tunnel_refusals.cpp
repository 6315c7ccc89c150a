#include "tests/unit/transports/net/tunnel_cluster.hpp"
#include "transports/net/tunnel.hpp"

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::net;

using kind = tunnel_frame::kind;

// -- what cannot be -----------------------------------------------------------

TEST(an owner that is not reachable is not waited for) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  c.net.down[1] = true;
  client far{c.two.port()};
  far.get(url);
  CHECK_EQUAL(body_of(c.answer(far)), unknown);
  CHECK_EQUAL(c.two.engine_count.unknown_sids, 1u);
  CHECK_EQUAL(c.two.tunnelled.opened, 0u);
}

TEST(a forged id is asked about nowhere) {
  cluster c;
  auto sid = c.open();
  sid[5] = sid[5] == 'A' ? 'B' : 'A';
  client far{c.two.port()};
  far.get(base + "&sid=" + sid);
  CHECK_EQUAL(body_of(c.answer(far)), unknown);
  CHECK(c.net.log.empty());
}

TEST(a session that is over is unknown to its owner) {
  cluster c;
  client far{c.two.port()};
  session_ids elder{1, 2, cluster_secret, "public"};
  far.get(base + "&sid=" + elder.make(1));
  CHECK_EQUAL(body_of(c.answer(far)), unknown);
  CHECK_EQUAL(c.one.engine_count.unknown_sids, 1u);
  // Nothing of it costs the client its connection.
  far.get("/socket.io/?EIO=4&transport=none");
  CHECK(c.answer(far).starts_with("HTTP/1.1 400"));
}

TEST(what came by a tunnel goes no further) {
  cluster c;
  auto sid = c.open();
  tunnel_frame x;
  x.what = kind::open;
  x.from_opener = true;
  x.id = 77;
  x.sid = sid;
  x.bytes = "GET " + base + "&sid=" + sid + " HTTP/1.1\r\nHost: a\r\n\r\n";
  // Router 2 is told that the session were its own.
  c.two.ways->on_frame(1, std::move(x));
  CHECK(c.until([&] { return !c.net.log.empty(); }));
  CHECK(c.net.log.front().what == kind::data);
  CHECK_EQUAL(body_of(c.net.last_bytes), unknown);
  CHECK_EQUAL(c.net.count(kind::open), 0u);
}

TEST(to its owner a client is as encrypted as it is) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  for (auto secure : {true, false}) {
    tunnel_frame x;
    x.what = kind::open;
    x.from_opener = true;
    x.id = secure ? 1 : 2;
    x.sid = url.substr(base.size() + 5);
    x.secure = secure;
    x.bytes = "POST " + url
              + " HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\n"
                "content-length: 2\r\n\r\n4a";
    c.one.ways->on_frame(2, std::move(x));
    c.settle();
    CHECK(
      c.net.last_bytes.starts_with(secure ? "HTTP/1.1 200" : "HTTP/1.1 403"));
  }
}

TEST(an owner that is full says so) {
  cluster c{0};
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url, "Origin: http://a\r\n");
  auto text = c.answer(far);
  CHECK(text.starts_with("HTTP/1.1 503"));
  CHECK(text.find("Connection: close\r\n") != text.npos);
  CHECK(text.find("Access-Control-Allow-Origin: http://a\r\n") != text.npos);
  CHECK(c.ends(far));
  CHECK_EQUAL(c.one.tunnelled.refused, 1u);
  CHECK_EQUAL(c.one.tunnelled.hosted, 0);
  far.hang_up();
  CHECK(c.until([&] { return c.two.counters.open == 0; }));
}

TEST(tunnels count as connections but not against an address) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  // A client of the same address, which no tunnel may make forgotten.
  client near{c.one.port()};
  near.get("/socket.io/?EIO=4&transport=none");
  CHECK(c.answer(near).starts_with("HTTP/1.1 400"));
  REQUIRE(c.until([&] { return c.one.counters.open == 1; }));
  auto room = cluster::admits(c.one);
  client far{c.two.port()};
  far.post(url, "4a");
  CHECK_EQUAL(body_of(c.answer(far)), "ok");
  client socket{c.two.port()};
  c.upgrade(socket, url.substr(base.size() + 5));
  CHECK_EQUAL(cluster::admits(c.one), room);
  CHECK_EQUAL(c.one.counters.open, 2);
  socket.hang_up();
  CHECK(c.until([&] { return c.one.counters.open == 1; }));
  CHECK_EQUAL(cluster::admits(c.one), room);
  c.one.limits.connections = 0;
  far.get(url);
  CHECK(c.answer(far).starts_with("HTTP/1.1 503"));
}

// -- the loss of a node -------------------------------------------------------

TEST(a poll of a lost node is answered as unknown) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url, "Origin: http://a\r\n");
  c.settle();
  c.net.cut(1);
  auto text = c.answer(far);
  CHECK_EQUAL(body_of(text), unknown);
  CHECK(text.find("Access-Control-Allow-Origin: http://a\r\n") != text.npos);
  CHECK_EQUAL(c.two.tunnelled.lost, 1u);
  CHECK_EQUAL(c.two.tunnelled.away, 0);
  // A new session begins on the same connection.
  far.get(base);
  CHECK(body_of(c.answer(far)).starts_with("0{"));
}

TEST(an answer that was cut off ends the connection) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url, "Accept-Encoding: identity\r\n");
  c.settle();
  c.one.app.send(std::string(900000, 'x'));
  c.settle();
  c.net.cut(1);
  CHECK(c.ends(far));
  CHECK(far.in.size() < 900000u);
  CHECK_EQUAL(c.two.tunnelled.away, 0);
  CHECK_EQUAL(c.two.counters.open, 0);
}

TEST(a WebSocket ends with the node of its session) {
  cluster c;
  client socket{c.two.port()};
  c.upgrade(socket, c.open());
  c.net.cut(1);
  CHECK(c.ends(socket));
  CHECK_EQUAL(c.two.tunnelled.away, 0);
  CHECK_EQUAL(c.two.counters.open, 0);
}

TEST(a session outlives the node of its client) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.post(url, "4a");
  CHECK_EQUAL(body_of(c.answer(far)), "ok");
  c.net.cut(2);
  client near{c.one.port()};
  near.get(url);
  CHECK_EQUAL(body_of(c.answer(near)), "4a");
}

TEST(what is held for a client ends with the node of the client) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url);
  c.settle();
  REQUIRE(c.one.tunnelled.hosted == 1);
  c.net.cut(2);
  CHECK(c.until([&] { return c.one.tunnelled.hosted == 0; }));
  CHECK_EQUAL(c.one.app.closed.size(), 1u);
}

// -- stopping -----------------------------------------------------------------

TEST(a node that drains still relays) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  c.two.engines[0]->drain(1000);
  client far{c.two.port()};
  far.post(url, "4a");
  CHECK_EQUAL(body_of(c.answer(far)), "ok");
  client fresh{c.two.port()};
  fresh.get(base);
  CHECK(c.answer(fresh).starts_with("HTTP/1.1 503"));
}

TEST(a node that stops lets go of clients and owners) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url);
  c.settle();
  c.two.ways->close_all();
  CHECK(c.ends(far));
  CHECK(c.until([&] { return c.one.tunnelled.hosted == 0; }));
  client late{c.two.port()};
  late.get(url);
  CHECK_EQUAL(body_of(c.answer(late)), unknown);
  CHECK_EQUAL(c.two.tunnelled.opened, 1u);
}
