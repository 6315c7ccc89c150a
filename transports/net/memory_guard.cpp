#include "transports/net/memory_guard.hpp"

#include "transports/net/loop.hpp"

#include <malloc.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <chrono>

namespace signalbox::net {

namespace {

constexpr auto interval = std::chrono::milliseconds{100};

/// Milliseconds between two times that freed memory is given back, which stops
/// the other threads for a moment.
constexpr int64_t trim_interval = 1000;

/// Milliseconds between two lines in the log.
constexpr int64_t report_interval = 60000;

uint64_t mebibytes(size_t x) {
  return (x + 524288) / 1048576;
}

} // namespace

/// One relief: all loops are asked, then the fullest clients end.
struct memory_guard::round {
  struct candidate {
    loop* home;
    memory_holder x;
  };

  size_t goal = 0;
  memory_counters* count = nullptr;
  std::atomic<size_t> awaited{0};
  std::mutex mutex;
  std::vector<candidate> all;
};

memory_guard::memory_guard(size_t limit, meter used, memory_counters& count)
  : limit_(limit), used_(std::move(used)), count_(count),
    trimmed_at_(loop::clock() - trim_interval),
    told_at_(loop::clock() - report_interval) {
  count_.limit = limit;
}

memory_guard::~memory_guard() {
  stop();
}

void memory_guard::add(loop& home, collector fun) {
  collectors_.emplace_back(&home, std::move(fun));
}

void memory_guard::start() {
  look();
  thread_ = std::thread{[this] { run(); }};
}

void memory_guard::stop() {
  {
    std::lock_guard guard{mutex_};
    stopped_ = true;
    wake_.notify_all();
  }
  if (thread_.joinable())
    thread_.join();
}

void memory_guard::run() {
  for (std::unique_lock guard{mutex_}; !stopped_;) {
    wake_.wait_for(guard, interval);
    guard.unlock();
    look();
    guard.lock();
  }
}

void memory_guard::look() {
  auto now = loop::clock();
  auto used = used_();
  // Memory that the allocator keeps is given back before a client is closed.
  if (used > limit_ && now - trimmed_at_ >= trim_interval) {
    trimmed_at_ = now;
    ::malloc_trim(0);
    used = used_();
  }
  count_.used = used;
  auto full = used > limit_;
  count_.full = full;
  if (!full)
    return;
  if (now - told_at_ >= report_interval) {
    told_at_ = now;
    spdlog::warn("{} MiB of memory are in use and limits.memory allows {}: the "
                 "clients that most waits for are closed, handshakes and posts "
                 "are refused; give it more, or lower limits.outbox-bytes",
                 mebibytes(used), mebibytes(limit_));
  }
  // To nine tenths, or the next event would bring it back.
  relieve(used - limit_ / 10 * 9);
}

void memory_guard::relieve(size_t bytes) {
  // The memory that one round frees shows before the next.
  if (!under_way_.expired() || collectors_.empty())
    return;
  auto x = std::make_shared<round>();
  x->goal = bytes;
  x->count = &count_;
  x->awaited = collectors_.size();
  under_way_ = x;
  for (auto& [home, fun] : collectors_)
    home->post([x, home = home, &fun = fun] {
      std::vector<memory_holder> mine;
      fun(mine);
      {
        std::lock_guard guard{x->mutex};
        for (auto& each : mine)
          x->all.push_back({home, std::move(each)});
      }
      if (--x->awaited == 0)
        judge(x);
    });
}

/// All loops have answered.
void memory_guard::judge(const std::shared_ptr<round>& x) {
  std::lock_guard guard{x->mutex};
  std::sort(x->all.begin(), x->all.end(),
            [](const auto& a, const auto& b) { return a.x.bytes > b.x.bytes; });
  size_t freed = 0;
  for (auto& each : x->all) {
    if (freed >= x->goal)
      break;
    freed += each.x.bytes;
    ++x->count->closed;
    // The round lasts until the last of them has ended.
    each.home->post([x, end = std::move(each.x.end)] { end(); });
  }
  x->all.clear();
}

} // namespace signalbox::net
