#pragma once

#include "transports/session/engine_session.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Stand-ins for everything around an Engine.IO session.

namespace signalbox::session {

/// What became of a GET: the payload it was answered with, `pending` before,
/// `refused` for status 400.
using poll_result = std::shared_ptr<std::string>;

/// A GET that writes down its answer.
class fake_poll : public poll {
public:
  explicit fake_poll(poll_result to) : to_(std::move(to)) {
    // nop
  }

  void answer(std::string payload, bool binary) override {
    *to_ = (binary ? "bytes " : "") + payload;
  }

  void refuse() override {
    *to_ = "refused";
  }

private:
  poll_result to_;
};

/// A WebSocket that takes what is queued as the real one does, unless its
/// client does not read.
class fake_websocket : public carrier {
public:
  explicit fake_websocket(carried& x) : session_(x) {
    // nop
  }

  void wake() override {
    while (reads && session_.carried_by(*this) && !session_.queue().empty()) {
      const auto& x = session_.queue().at(0);
      std::string frame{x.binary() ? "binary " : ""};
      frame += x.first();
      frame += x.second();
      sent.push_back(std::move(frame));
      session_.queue().pop();
    }
    if (reads && finishing && !closed) {
      closed = true;
      sent.push_back("close");
    }
  }

  void send_probe(std::string_view text) override {
    sent.emplace_back(text);
  }

  void finish() override {
    finishing = true;
    wake();
  }

  void abort() override {
    sent.push_back("abort");
  }

  /// Everything sent since the last call, one frame a line.
  std::string take() {
    std::string out;
    for (const auto& x : sent)
      out += x + '\n';
    sent.clear();
    return out;
  }

  bool reads = true;
  bool finishing = false;
  bool closed = false;
  std::vector<std::string> sent;

private:
  carried& session_;
};

/// One session with a clock of its own, and what its handler heard.
class engine_rig {
public:
  explicit engine_rig(std::function<void(options&)> change = {},
                      const engine::revision& speaks =
                        engine::find_revision(codec::dialect::eio4, false),
                      std::string query = {}) {
    opts.count = &count;
    if (change)
      change(opts);
    session = std::make_unique<engine_session>(
      "sid0123456789", speaks, opts, wheel,
      [](void* self, const std::string&) {
        ++static_cast<engine_rig*>(self)->forgotten;
      },
      this);
    auto from = std::make_shared<handshake>();
    from->query = std::move(query);
    session->attach(std::make_unique<recorder>(*this), std::move(from));
  }

  /// Opens on polling and fetches the open packet.
  engine_rig& polling() {
    session->open_polling();
    get();
    return *this;
  }

  /// Opens on a WebSocket and reads the open packet.
  fake_websocket& websocket() {
    auto& x = connect();
    session->open_websocket(x);
    x.take();
    return x;
  }

  /// A connection that has not presented itself yet.
  fake_websocket& connect() {
    sockets_.push_back(std::make_unique<fake_websocket>(*session));
    return *sockets_.back();
  }

  poll_result get() {
    auto result = std::make_shared<std::string>("pending");
    last_poll = std::make_shared<fake_poll>(result);
    session->on_poll(last_poll);
    return result;
  }

  /// A POST from begin to end. Returns whether it was taken.
  bool post(std::string_view payload, bool binary = false) {
    if (!session->on_post_begin())
      return false;
    session->on_post(payload, binary);
    return true;
  }

  /// Sends an event to everybody in `/`.
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

  uint64_t closed_for(close_reason x) const {
    return count.closed[static_cast<size_t>(x)];
  }

  /// Everything the handler heard since the last call, one packet a line.
  std::string take() {
    return std::exchange(heard_, {});
  }

  timer_wheel wheel{1000000};
  counters count;
  options opts;
  std::unique_ptr<engine_session> session;
  std::shared_ptr<poll> last_poll;
  /// Runs within `on_packet`.
  std::function<void()> then;
  std::optional<close_reason> closed;
  /// How often the handler heard of the end.
  int ends = 0;
  int forgotten = 0;

private:
  class recorder : public handler {
  public:
    explicit recorder(engine_rig& x) : rig_(x) {
      // nop
    }

    void on_packet(socket::packet&& x) override {
      rig_.heard_ += static_cast<char>('0' + static_cast<int>(x.type));
      rig_.heard_ += x.nsp + x.data;
      for (const auto& each : x.attachments)
        rig_.heard_ += '+' + each;
      rig_.heard_ += '\n';
      if (rig_.then)
        rig_.then();
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
    engine_rig& rig_;
  };

  std::string heard_;
  std::vector<std::unique_ptr<fake_websocket>> sockets_;
};

} // namespace signalbox::session
