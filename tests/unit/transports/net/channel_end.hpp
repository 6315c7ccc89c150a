#pragma once

#include "transports/net/channel.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/stream.hpp"

#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace signalbox::net {

/// A loop that runs on a thread of its own.
class running_loop : public loop {
public:
  running_loop() : loop(0), thread_([this] { run(); }) {
    // nop
  }

  ~running_loop() {
    stop();
    thread_.join();
  }

  /// Runs something on the loop's thread and returns when that is done.
  template <class F>
  void call(F fun) {
    std::promise<void> done;
    post([&] {
      fun();
      done.set_value();
    });
    done.get_future().wait();
  }

private:
  std::thread thread_;
};

/// A channel, as a thread sees it that may wait for it. Its loop lives longer.
class channel_end {
public:
  channel_end() = default;

  /// On the loop's thread.
  channel_end(running_loop& home, std::shared_ptr<channel> via) {
    if (via == nullptr)
      return;
    state_ = std::make_shared<state>(home, std::move(via));
    state_->read();
  }

  channel_end(channel_end&&) = default;

  channel_end& operator=(channel_end&& x) noexcept {
    std::swap(state_, x.state_);
    return *this;
  }

  ~channel_end() {
    close();
  }

  bool open() const noexcept {
    return state_ != nullptr;
  }

  void close() {
    if (auto last = std::exchange(state_, nullptr))
      last->home.call([&] { last->via->close(); });
  }

  bool send(std::string_view bytes) {
    auto x = state_;
    x->home.call([&] {
      {
        std::lock_guard guard{x->mutex};
        x->out += bytes;
      }
      x->write();
    });
    auto sent = false;
    x->wait([&] {
      sent = x->out.empty();
      return sent || x->over;
    });
    return sent;
  }

  /// Reads exactly so many bytes, fewer if the stream ends.
  std::string read(size_t size) {
    auto x = state_;
    x->wait([&] { return x->in.size() >= size || x->over; });
    std::lock_guard guard{x->mutex};
    auto out = x->in.substr(0, size);
    x->in.erase(0, size);
    return out;
  }

  /// Returns whether the stream ends.
  bool ends() {
    auto x = state_;
    return x->wait([&] { return x->over; });
  }

  /// Returns whether nothing has come and the stream is open.
  bool quiet() {
    std::lock_guard guard{state_->mutex};
    return state_->in.empty() && !state_->over;
  }

private:
  struct state : std::enable_shared_from_this<state> {
    state(running_loop& at, std::shared_ptr<channel> x)
      : home(at), via(std::move(x)) {
      // nop
    }

    template <class F>
    bool wait(F done) {
      std::unique_lock guard{mutex};
      return news.wait_for(guard, std::chrono::seconds{10}, done);
    }

    void end() {
      std::lock_guard guard{mutex};
      over = true;
      news.notify_all();
    }

    void read() {
      for (;;) {
        char piece[4096];
        auto n = via->read(piece, sizeof(piece));
        if (n == stream::again) {
          via->wait(true, [self = shared_from_this()] { self->read(); });
          return;
        }
        if (n <= 0) {
          end();
          return;
        }
        std::lock_guard guard{mutex};
        in.append(piece, static_cast<size_t>(n));
        news.notify_all();
      }
    }

    void write() {
      for (;;) {
        std::unique_lock guard{mutex};
        if (out.empty())
          return;
        iovec rest{out.data(), out.size()};
        auto n = via->write(&rest, 1);
        if (n == stream::again) {
          via->wait(false, [self = shared_from_this()] { self->write(); });
          return;
        }
        guard.unlock();
        if (n < 0) {
          end();
          return;
        }
        guard.lock();
        out.erase(0, static_cast<size_t>(n));
        news.notify_all();
      }
    }

    running_loop& home;
    std::shared_ptr<channel> via;
    std::mutex mutex;
    std::condition_variable news;
    std::string in;
    std::string out;
    bool over = false;
  };

  std::shared_ptr<state> state_;
};

} // namespace signalbox::net
