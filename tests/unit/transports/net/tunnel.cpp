#include "transports/net/tunnel.hpp"

#include "tests/unit/transports/net/tunnel_cluster.hpp"
#include "transports/net/tunnel_board.hpp"

#include <memory>
#include <vector>

#include "tests/support/check.hpp"

using namespace signalbox;
using namespace signalbox::net;

// -- polling ------------------------------------------------------------------

TEST(polls and posts find their session from any node) {
  cluster c;
  auto sid = c.open();
  auto url = base + "&sid=" + sid;
  client near{c.one.port()};
  client far{c.two.port()};
  for (auto i = 0; i < 3; ++i) {
    auto text = "4" + std::to_string(i);
    far.post(url, text);
    CHECK_EQUAL(body_of(c.answer(far)), "ok");
    near.get(url);
    CHECK_EQUAL(body_of(c.answer(near)), text);
    near.post(url, text);
    CHECK_EQUAL(body_of(c.answer(near)), "ok");
    far.get(url);
    CHECK_EQUAL(body_of(c.answer(far)), text);
  }
  // Each was one tunnel, of which nothing is left.
  CHECK_EQUAL(c.two.tunnelled.opened, 6u);
  CHECK_EQUAL(c.one.tunnelled.accepted, 6u);
  CHECK(c.until([&] { return c.one.tunnelled.hosted == 0; }));
  CHECK_EQUAL(c.two.tunnelled.away, 0);
  CHECK_EQUAL(c.two.counters.accepted, 1u);
  CHECK_EQUAL(c.two.counters.open, 1);
}

TEST(a poll is held at its owner until there is something to say) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url);
  c.settle();
  far.read();
  CHECK_EQUAL(far.in, "");
  CHECK_EQUAL(c.one.tunnelled.hosted, 1);
  CHECK_EQUAL(c.two.tunnelled.away, 1);
  c.one.app.send("late");
  CHECK_EQUAL(body_of(c.answer(far)), "4late");
}

TEST(requests that come early are answered in order) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.post(url, "4a");
  far.get(url);
  far.get("/socket.io/?EIO=4&transport=none");
  CHECK_EQUAL(body_of(c.answer(far)), "ok");
  CHECK_EQUAL(body_of(c.answer(far)), "4a");
  CHECK_EQUAL(body_of(c.answer(far)),
              R"({"code":0,"message":"Transport unknown"})");
}

TEST(a large body arrives whole and within the window) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  std::string text = "4" + std::string(900000, 'x');
  auto request = "POST " + url + " HTTP/1.1\r\nHost: a\r\nContent-Length: "
                 + std::to_string(text.size()) + "\r\n\r\n" + text;
  size_t sent = 0;
  CHECK(c.until([&] {
    sent += far.send_some(std::string_view{request}.substr(sent));
    return sent == request.size();
  }));
  CHECK_EQUAL(body_of(c.answer(far)), "ok");
  client near{c.one.port()};
  near.get(url);
  CHECK(body_of(c.answer(near)) == text);
  CHECK(c.net.most_open() <= tunnels::window);
}

TEST(a chunked body arrives as one with a length) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.send("POST " + url
           + " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"
             "Transfer-Encoding: chunked\r\n\r\n");
  CHECK(c.sees(far, "100 Continue\r\n\r\n"));
  far.in.clear();
  far.send("2\r\n4a\r\n1\r\nb\r\n0\r\n\r\n");
  CHECK_EQUAL(body_of(c.answer(far)), "ok");
  far.get(url);
  CHECK_EQUAL(body_of(c.answer(far)), "4ab");
}

TEST(the last answer of a connection ends that of the client) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.send("POST " + url
           + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
             "Content-Length: 2\r\n\r\n4a");
  CHECK_EQUAL(body_of(c.answer(far)), "ok");
  CHECK(c.ends(far));
}

TEST(a client that goes away takes its poll along) {
  cluster c;
  auto url = base + "&sid=" + c.open();
  client far{c.two.port()};
  far.get(url);
  c.settle();
  REQUIRE(c.one.tunnelled.hosted == 1);
  far.hang_up();
  CHECK(c.until([&] { return c.one.tunnelled.hosted == 0; }));
  // The session ends, as it does for a client of its own node.
  REQUIRE(c.one.app.closed.size() == 1);
  CHECK(c.one.app.closed[0] == session::close_reason::transport_error);
  CHECK_EQUAL(c.two.counters.open, 0);
}

// -- streams ------------------------------------------------------------------

TEST(a session moves to a WebSocket by way of another node) {
  cluster c;
  auto sid = c.open();
  client socket{c.two.port()};
  c.upgrade(socket, sid);
  socket.send(masked("4hello"));
  CHECK(c.sees(socket, "\x81\x06"
                       "4hello"));
  c.one.app.send("x");
  CHECK(c.sees(socket, "\x81\x02"
                       "4x"));
  CHECK_EQUAL(c.two.tunnelled.away, 1);
  // The close frame is answered before the end.
  socket.in.clear();
  socket.send(std::string("\x88\x80\0\0\0\0", 6));
  CHECK(c.ends(socket));
  CHECK_EQUAL(socket.in, std::string("\x88\0", 2));
  CHECK_EQUAL(c.one.app.closed.size(), 1u);
  CHECK(c.until([&] { return c.two.tunnelled.away == 0; }));
  CHECK_EQUAL(c.one.tunnelled.hosted, 0);
  CHECK_EQUAL(c.two.counters.open, 0);
}

TEST(large messages pass both ways within the window) {
  cluster c;
  client socket{c.two.port()};
  c.upgrade(socket, c.open());
  std::string text = "4" + std::string(700000, 'y');
  auto frame = masked(text);
  size_t sent = 0;
  CHECK(c.until([&] {
    sent += socket.send_some(std::string_view{frame}.substr(sent));
    socket.read();
    return socket.in.size() == text.size() + 10;
  }));
  CHECK(socket.in.substr(10) == text);
  CHECK(c.net.most_open() <= tunnels::window);
  CHECK(c.net.most_open() > tunnels::window / 2);
}

TEST(a client that does not read fills the window and then the outbox) {
  cluster c;
  client socket{c.two.port()};
  c.upgrade(socket, c.open());
  size_t sent = 0;
  for (; sent < 100 && c.one.app.port != nullptr; ++sent) {
    c.one.app.send(std::string(100000, 'z'));
    c.settle();
  }
  // 1 MiB in the outbox, 256 KiB on the way, the rest in the kernel.
  CHECK(sent > 12);
  CHECK(sent < 40);
  CHECK(c.net.most_open() <= tunnels::window);
  REQUIRE(c.one.app.closed.size() == 1);
  CHECK(c.one.app.closed[0] == session::close_reason::slow);
  CHECK(c.until([&] { return c.one.tunnelled.hosted == 0; }));
}

TEST(a client that reads late misses nothing) {
  cluster c;
  client socket{c.two.port()};
  c.upgrade(socket, c.open());
  std::string all;
  for (auto i = 0; i < 10; ++i) {
    std::string text(90000, static_cast<char>('a' + i));
    all += "4" + text;
    c.one.app.send(text);
    c.settle();
  }
  std::string seen;
  CHECK(c.until([&] {
    socket.read();
    return socket.in.size() == all.size() + 10 * 10;
  }));
  for (auto rest = std::string_view{socket.in}; rest.size() > 10;
       rest.remove_prefix(90011))
    seen += rest.substr(10, 90001);
  CHECK(seen == all);
}

TEST(all tunnels together have a bound and each has its share) {
  constexpr size_t budget = 100000;
  cluster c{100, budget};
  std::vector<std::unique_ptr<client>> sockets;
  for (auto i = 0; i < 4; ++i) {
    sockets.push_back(std::make_unique<client>(c.two.port()));
    c.upgrade(*sockets.back(), c.open());
    for (auto n = 0; n < 10; ++n)
      c.one.app.send(std::string(90000, static_cast<char>('a' + n)));
    c.settle();
    CHECK(c.one.tunnelled.waiting
          <= static_cast<int64_t>(budget + 4 * tunnel_flow::share));
  }
  CHECK(c.one.tunnelled.narrowed > 0u);
  MESSAGE("whoever reads gets everything though another one stands still");
  CHECK(c.until([&] {
    sockets[1]->read();
    sockets[3]->read();
    return sockets[1]->in.size() == 10 * 90011
           && sockets[3]->in.size() == 10 * 90011;
  }));
  MESSAGE("nothing is left when they have gone");
  sockets.clear();
  CHECK(c.until([&] { return c.one.tunnelled.hosted == 0; }));
  CHECK(c.until([&] { return c.one.tunnelled.waiting == 0; }));
}

TEST(a client that breaks the protocol is told why) {
  cluster c;
  client socket{c.two.port()};
  c.upgrade(socket, c.open());
  // A frame without a mask; the close frame says 1002, and nothing follows.
  socket.send("\x81\x01x");
  CHECK(c.ends(socket));
  CHECK_EQUAL(socket.in, "\x88\x02\x03\xEA");
  CHECK_EQUAL(c.one.app.closed.size(), 1u);
}

TEST(a client that hangs up loses its session) {
  cluster c;
  client socket{c.two.port()};
  c.upgrade(socket, c.open());
  socket.hang_up();
  CHECK(c.until([&] { return c.one.app.closed.size() == 1; }));
  CHECK(c.until([&] { return c.one.tunnelled.hosted == 0; }));
  CHECK_EQUAL(c.two.tunnelled.away, 0);
}

// -- other dialects -----------------------------------------------------------

TEST(script polls pass) {
  cluster c;
  client near{c.one.port()};
  const std::string page = "Referer: http://a/\r\n";
  near.get("/socket.io/?EIO=3&transport=polling&j=0", page);
  auto text = body_of(c.answer(near));
  auto at = text.find("\\\"sid\\\":\\\"");
  REQUIRE(at != std::string::npos);
  auto sid = text.substr(at + 10, session_ids::length);
  client far{c.two.port()};
  far.get("/socket.io/?EIO=3&transport=polling&j=7&sid=" + sid, page);
  c.settle();
  c.one.app.send("x");
  CHECK_EQUAL(body_of(c.answer(far)).substr(0, 12), "___eio[7](\"2");
}

TEST(clients of old find their sessions) {
  cluster c;
  auto sid = c.open_legacy();
  client far{c.two.port()};
  far.get("/socket.io/1/xhr-polling/" + sid);
  CHECK_EQUAL(body_of(c.answer(far)), "1::");
  client page{c.two.port()};
  page.get("/socket.io/1/htmlfile/" + sid);
  CHECK(c.sees(page, "Transfer-Encoding: chunked"));
  CHECK(c.until([&] { return c.two.tunnelled.away == 1; }));
  far.get("/socket.io/1/htmlfile/" + sid + "?disconnect=1");
  CHECK(c.answer(far).starts_with("HTTP/1.1 200"));
  CHECK(c.ends(page));
}
