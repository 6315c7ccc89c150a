#pragma once

#include "tests/unit/transports/net/loopback_client.hpp"
#include "tests/unit/transports/net/tunnel_rig.hpp"

#include <string>
#include <string_view>

#include "tests/support/check.hpp"

namespace signalbox::net {

inline const std::string base = "/socket.io/?EIO=4&transport=polling";

inline const std::string unknown =
  R"({"code":1,"message":"Session ID unknown"})";

/// Two routers and the test's clients. Sessions live on router 1.
struct cluster {
  explicit cluster(size_t most = 100, size_t most_bytes = 1 << 24)
    : one(net, 1, 2, most, most_bytes), two(net, 2, 1, 100, most_bytes) {
    // nop
  }

  /// Turns the loops until something is so, for 20 s at most. Returns whether
  /// it came about.
  template <class F>
  bool until(F&& so) {
    for (auto end = loop::clock() + 20000; loop::clock() < end;) {
      if (so())
        return true;
      one.turn();
      two.turn();
    }
    return so();
  }

  /// Turns the loops until they have nothing to do.
  void settle() {
    for (auto quiet = 0; quiet < 20; ++quiet)
      if (one.turn() + two.turn() > 0)
        quiet = 0;
  }

  /// Waits for a complete answer.
  std::string answer(client& from) {
    std::string out;
    until([&] {
      from.read();
      out = from.answer();
      return !out.empty();
    });
    return out;
  }

  /// Opens a session at router 1, on a shard that is not always the first.
  std::string open() {
    client x{one.port()};
    x.get(base);
    auto text = body_of(answer(x));
    auto at = text.find("\"sid\":\"");
    REQUIRE(at != std::string::npos);
    return text.substr(at + 7, session_ids::length);
  }

  /// The same for a session of 0.9.
  std::string open_legacy() {
    client x{one.port()};
    x.get("/socket.io/1/");
    return body_of(answer(x)).substr(0, session_ids::length);
  }

  /// Moves a session to a WebSocket by way of router 2.
  void upgrade(client& socket, const std::string& sid) {
    socket.upgrade("/socket.io/?EIO=4&transport=websocket&sid=" + sid);
    socket.send(masked("2probe"));
    REQUIRE(sees(socket, "\x81\x06"
                         "3probe"));
    socket.send(masked("5"));
    socket.in.clear();
    REQUIRE(until([&] {
      return one.app.port != nullptr
             && one.app.port->transport() == "websocket";
    }));
  }

  /// Waits for a text.
  bool sees(client& at, std::string_view text) {
    return until([&] {
      at.read();
      return at.in.find(text) != std::string::npos;
    });
  }

  /// Waits for the end of a connection.
  bool ends(client& x) {
    return until([&] {
      x.read();
      return x.ended;
    });
  }

  /// How many more clients the limiter of a router admits.
  static size_t admits(router& at) {
    size_t out = 0;
    while (at.addresses.enter("127.0.0.1", 0)
           == address_limiter::verdict::admitted)
      ++out;
    for (size_t i = 0; i < out; ++i)
      at.addresses.leave(*at.addresses.find("127.0.0.1"));
    return out;
  }

  mesh net;
  router one;
  router two;
};

} // namespace signalbox::net
