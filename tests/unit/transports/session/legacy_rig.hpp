#pragma once

#include "tests/unit/transports/session/engine_rig.hpp"
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

/// One session with a clock of its own, and what its handler heard.
class legacy_rig {
public:
  explicit legacy_rig(std::function<void(options&)> change = {},
                      bool implicit = false, std::string query = {}) {
    opts.count = &count;
    if (change)
      change(opts);
    session = std::make_unique<legacy_session>(
      "sid", implicit, opts, wheel,
      [](void* self, const std::string&) {
        ++static_cast<legacy_rig*>(self)->forgotten;
      },
      this);
    auto from = std::make_shared<handshake>();
    from->query = std::move(query);
    session->attach(std::make_unique<recorder>(*this), std::move(from));
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

  /// A WebSocket, or whatever is named, that carries the session.
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

  void advance(time_point ms) {
    for (auto end = wheel.now() + ms; wheel.now() < end;)
      wheel.advance(std::min(wheel.now() + 5, end));
  }

  /// Lets a deadline pass for certain.
  void pass(std::chrono::milliseconds x) {
    advance(x.count() + timer_wheel::granularity);
  }

  /// Everything the handler heard since the last call, one packet a line.
  std::string take() {
    return std::exchange(heard_, {});
  }

  timer_wheel wheel{1000000};
  counters count;
  options opts;
  std::unique_ptr<legacy_session> session;
  std::shared_ptr<greeting> last_greeting;
  std::shared_ptr<poll> last_poll;
  std::vector<std::unique_ptr<fake_websocket>> sockets;
  std::optional<close_reason> closed;
  int ends = 0;
  int forgotten = 0;

private:
  class recorder : public handler {
  public:
    explicit recorder(legacy_rig& x) : rig_(x) {
      // nop
    }

    void on_packet(socket::packet&& x) override {
      rig_.heard_ += static_cast<char>('0' + static_cast<int>(x.type));
      rig_.heard_ += x.nsp;
      if (x.id)
        rig_.heard_ += '#' + std::to_string(*x.id);
      rig_.heard_ += x.data + '\n';
    }

    void on_upgrade() override {
      rig_.heard_ += "upgrade\n";
    }

    void on_close(close_reason why) override {
      rig_.heard_ += "closed\n";
      rig_.closed = why;
      ++rig_.ends;
    }

  private:
    legacy_rig& rig_;
  };

  std::string heard_;
};

} // namespace signalbox::session
