#include "transports/net/loop.hpp"

#include "transports/log/line_limit.hpp"
#include "transports/net/poller.hpp"
#include "transports/net/press.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <iterator>
#include <utility>
#include <vector>

namespace signalbox::net {

namespace asio = boost::asio;

namespace {

/// Time in which a thread did not run, from this much on, does not count.
constexpr session::time_point stall = 1000;

/// How long others may wait, in milliseconds, while much is flushed, and how
/// much leaves together before the clock is looked at.
constexpr session::time_point longest_flush = 4;
constexpr size_t flushed_together = 64;

/// Runs `fun`; an exception is logged and costs only this call.
template <class F>
void guarded(size_t index, F fun) {
  try {
    fun();
  } catch (const std::exception& e) {
    if (auto turn = log_turn(log_cause::exception))
      spdlog::error("exception on I/O thread {}: {}{}", index, e.what(), *turn);
  }
}

} // namespace

struct loop::impl {
  explicit impl(loop& self)
    : ticker(context), guard(asio::make_work_guard(context)), sockets(context),
      bodies(self) {
    // nop
  }

  /// Flushes what the turn has queued, then what earlier turns have left; after
  /// a while others have their turn before the rest.
  void flush_all(size_t index) {
    posted = false;
    // An object that a flush makes dirty again leaves with the next turn.
    std::vector<std::shared_ptr<flushable>> now;
    now.swap(dirty);
    auto end = clock() + longest_flush;
    auto done = flush_some(now, end, index);
    auto left = flush_some(late, end, index);
    late.erase(late.begin(), late.begin() + left);
    late.insert(late.end(), std::make_move_iterator(now.begin() + done),
                std::make_move_iterator(now.end()));
    if (dirty.empty()) {
      // Its memory serves the next turn.
      now.clear();
      dirty.swap(now);
    }
    if (!late.empty())
      flush_soon(index);
  }

  /// Flushes from the front until it is time to end, some in any case. Returns
  /// how many.
  ptrdiff_t flush_some(const auto& all, session::time_point end, size_t index) {
    size_t done = 0;
    while (done < all.size() && (done == 0 || clock() < end)) {
      auto stop = std::min(all.size(), done + flushed_together);
      for (took_long = false; done < stop && !took_long; ++done)
        guarded(index, [&] { all[done]->flush(); });
      batch.submit();
    }
    return static_cast<ptrdiff_t>(done);
  }

  void flush_soon(size_t index) {
    if (!std::exchange(posted, true))
      asio::post(context, [this, index] { flush_all(index); });
  }

  // The scratch buffer outlives the handlers that a dying context destroys.
  std::array<char, 65536> scratch;
  std::vector<std::shared_ptr<flushable>> dirty;
  /// Those for which a turn had no time.
  std::deque<std::shared_ptr<flushable>> late;
  bool posted = false;
  /// Whether the clock is to be looked at before the next one is flushed.
  bool took_long = false;
  send_batch batch;
  asio::io_context context{1};
  asio::steady_timer ticker;
  asio::executor_work_guard<asio::io_context::executor_type> guard;
  poller sockets;
  press bodies;
};

loop::loop(size_t index)
  : index_(index), wheel_(clock()), impl_(std::make_unique<impl>(*this)) {
  tick();
}

loop::~loop() = default;

session::time_point loop::clock() noexcept {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch())
    .count();
}

asio::io_context& loop::context() noexcept {
  return impl_->context;
}

send_batch& loop::batch() noexcept {
  return impl_->batch;
}

press& loop::bodies() noexcept {
  return impl_->bodies;
}

poller& loop::sockets() noexcept {
  return impl_->sockets;
}

std::span<char> loop::scratch() noexcept {
  return impl_->scratch;
}

void loop::run() {
  // The context runs on after a handler that threw.
  while (!impl_->context.stopped())
    guarded(index_, [this] { impl_->context.run(); });
}

size_t loop::poll() {
  wheel_.advance(clock() - lost_);
  auto n = impl_->context.poll();
  impl_->context.restart();
  return n;
}

void loop::stop() {
  impl_->context.stop();
}

void loop::post(std::function<void()> fun) {
  asio::post(impl_->context, std::move(fun));
}

void loop::flush_later(std::shared_ptr<flushable> x) {
  impl_->dirty.push_back(std::move(x));
  impl_->flush_soon(index_);
}

void loop::took_long() noexcept {
  impl_->took_long = true;
}

session::time_point loop::now() const noexcept {
  auto x = clock() - lost_;
  return x - wheel_.now() > stall ? wheel_.now() : x;
}

void loop::tick() {
  using namespace std::chrono;
  impl_->ticker.expires_after(milliseconds{session::timer_wheel::granularity});
  impl_->ticker.async_wait([this](boost::system::error_code ec) {
    if (ec)
      return;
    tick();
    // After a stopped process goes on, or a stall, clients must get the chance
    // to answer before their deadlines fire: the wheel stands still meanwhile.
    auto now = clock();
    if (now - lost_ - wheel_.now() > stall)
      lost_ = now - wheel_.now() - session::timer_wheel::granularity;
    guarded(index_, [this, now] { wheel_.advance(now - lost_); });
  });
}

} // namespace signalbox::net
