#include "transports/net/worker.hpp"

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
  {
    std::lock_guard lock{mutex_};
    jobs_.push_back(std::move(job));
  }
  if (thread_.joinable())
    more_.notify_one();
  else
    thread_ = std::thread{[this] { work(); }};
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
