#pragma once

#include "transports/session/session_core.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Stand-ins for what is around a session of any generation.

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

  bool leaving() const noexcept override {
    return slow;
  }

  /// Whether the answer is not written yet.
  bool slow = false;

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

  void resume() override {
    ++resumed;
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
  int resumed = 0;
  bool finishing = false;
  bool closed = false;
  std::vector<std::string> sent;

private:
  carried& session_;
};

/// A POST, and what the session has said of it.
class fake_post : public post {
public:
  void done() override {
    ++answers;
  }

  void go_on_later() override {
    later = true;
  }

  int answers = 0;
  bool later = false;
};

/// A clock of its own, and what the handler of one session heard.
class session_rig {
public:
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

  /// The body of a POST is there. Returns whether it was answered at once, or
  /// after others had their turn.
  bool give(session_core& session, std::string_view bytes, bool binary) {
    last_post = std::make_shared<fake_post>();
    session.on_post(std::string{bytes}, binary, last_post);
    return go_on(session);
  }

  bool go_on(session_core& session) {
    while (std::exchange(last_post->later, false))
      session.go_on();
    return last_post->answers == 1;
  }

  timer_wheel wheel{1000000};
  counters count;
  options opts;
  std::shared_ptr<fake_poll> last_poll;
  std::shared_ptr<fake_post> last_post;
  /// Runs within `on_packet`.
  std::function<void()> then;
  /// Whether the handler takes more.
  bool ready = true;
  std::optional<close_reason> closed;
  /// How often the handler heard of the end.
  int ends = 0;
  int forgotten = 0;

protected:
  explicit session_rig(const std::function<void(options&)>& change) {
    opts.count = &count;
    if (change)
      change(opts);
  }

  /// Gives the session its handler.
  void attach(session_core& session, std::string_view query) {
    session.attach(
      std::make_unique<recorder>(*this),
      std::make_shared<handshake>("192.0.2.1", query, codec::dialect::eio3));
  }

  static void forget(void* self, std::string_view) {
    ++static_cast<session_rig*>(self)->forgotten;
  }

private:
  class recorder : public handler {
  public:
    explicit recorder(session_rig& x) : rig_(x) {
      // nop
    }

    void on_packet(socket::packet&& x) override {
      rig_.heard_ += static_cast<char>('0' + static_cast<int>(x.type));
      rig_.heard_ += x.nsp;
      if (x.id)
        rig_.heard_ += '#' + std::to_string(*x.id);
      rig_.heard_ += x.data;
      for (const auto& each : x.attachments)
        rig_.heard_ += '+' + each;
      rig_.heard_ += '\n';
      if (rig_.then)
        rig_.then();
    }

    bool ready() const noexcept override {
      return rig_.ready;
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
    session_rig& rig_;
  };

  std::string heard_;
};

} // namespace signalbox::session
