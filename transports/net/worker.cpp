#include "transports/net/worker.hpp"

#include <system_error>
#include <utility>

namespace signalbox::net {

worker::~worker() {
  {
    std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  more_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void worker::run(std::function<void()> job) {
  if (!thread_.joinable()) {
    try {
      thread_ = std::thread{[this] { work(); }};
    } catch (const std::system_error&) {
      return job();
    }
  }
  {
    std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(job));
  }
  more_.notify_one();
}

void worker::work() {
  std::unique_lock lock{mutex_};
  for (;;) {
    more_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (stopping_)
      return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

} // namespace signalbox::net
