#pragma once

#include "tests/unit/transports/session/session_rig.hpp"
#include "transports/session/legacy_session.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Stand-ins for everything around a session of 0.9.

namespace signalbox::session {

/// A handshake that writes down its answer.
class fake_greeting : public greeting {
public:
  explicit fake_greeting(poll_result to) : to_(std::move(to)) {
    // nop
  }

  void accept(std::string line) override {
    *to_ = std::move(line);
  }

  void refuse(unsigned status, std::string text) override {
    *to_ = std::to_string(status) + ' ' + text;
  }

private:
  poll_result to_;
};

/// One session of 0.9.
class legacy_rig : public session_rig {
public:
  explicit legacy_rig(std::function<void(options&)> change = {},
                      bool implicit = false, std::string query = {})
    : session_rig(change) {
    session = std::make_unique<legacy_session>("sid", implicit, opts, wheel,
                                               &session_rig::forget,
                                               static_cast<session_rig*>(this));
    attach(*session, std::move(query));
  }

  /// Asks for a session. Returns what becomes of the request.
  poll_result greet() {
    auto result = std::make_shared<std::string>("pending");
    last_greeting = std::make_shared<fake_greeting>(result);
    session->open(last_greeting, "websocket,xhr-polling");
    return result;
  }

  /// Lets the client into a namespace.
  void accept(std::string nsp = "/") {
    answer(socket::packet_type::connect, std::move(nsp), R"({"sid":"x"})");
  }

  void refuse(std::string nsp, std::string data) {
    answer(socket::packet_type::connect_error, std::move(nsp), std::move(data));
  }

  void answer(socket::packet_type type, std::string nsp, std::string data = {},
              std::optional<uint64_t> id = {}) {
    socket::packet x;
    x.type = type;
    x.nsp = std::move(nsp);
    x.data = std::move(data);
    x.id = id;
    session->send(x);
  }

  /// A session that has been let in.
  legacy_rig& open() {
    greet();
    accept();
    take();
    return *this;
  }

  poll_result get(std::string_view transport = "xhr-polling") {
    auto result = std::make_shared<std::string>("pending");
    last_poll = std::make_shared<fake_poll>(result);
    session->on_poll(last_poll, transport);
    return result;
  }

  /// A WebSocket, or the named transport, that carries the session.
  fake_websocket& connect(std::string_view transport = "websocket") {
    sockets.push_back(std::make_unique<fake_websocket>(*session));
    session->on_carrier(*sockets.back(), transport);
    return *sockets.back();
  }

  /// A session on a WebSocket that has heard what it hears first.
  fake_websocket& websocket() {
    open();
    auto& x = connect();
    x.take();
    take();
    return x;
  }

  bool emit(std::string args, bool is_volatile = false) {
    return session->send({"/", std::move(args), {}}, {}, is_volatile);
  }

  std::unique_ptr<legacy_session> session;
  std::shared_ptr<greeting> last_greeting;
  std::vector<std::unique_ptr<fake_websocket>> sockets;
};

} // namespace signalbox::session
