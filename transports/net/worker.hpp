#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace signalbox::net {

/// A thread for what would hold a loop for too long. It begins with the first
/// job, and does them one after the other.
class worker {
public:
  worker() = default;

  /// Waits for the job under way and drops the others.
  ~worker();

  worker(const worker&) = delete;
  worker& operator=(const worker&) = delete;

  /// Does `job` later, which must not throw; within the call if there can be no
  /// thread. A client that waits for one has no other, which bounds them.
  void run(std::function<void()> job);

private:
  void work();

  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace signalbox::net
