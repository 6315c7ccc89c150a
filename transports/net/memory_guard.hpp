#pragma once

#include "transports/net/memory_counters.hpp"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace signalbox::net {

class loop;

/// Bytes that wait for a client, and how to have done with it. Called on the
/// loop it was collected on.
struct memory_holder {
  size_t bytes = 0;
  std::function<void()> end;
};

/// Keeps the memory of the process below a limit: above it, the clients for
/// which most waits are ended, and `memory_counters::full` says that nothing
/// new is to be taken. Looks ten times a second, on a thread of its own.
class memory_guard {
public:
  using collector = std::function<void(std::vector<memory_holder>& to)>;
  using meter = std::function<size_t()>;

  /// `used` returns the bytes that the process has; from the guard's thread.
  memory_guard(size_t limit, meter used, memory_counters& count);

  /// Stops.
  ~memory_guard();

  /// Adds a function that lists, on its loop, the clients that bytes wait for.
  /// Before `start`.
  void add(loop& home, collector fun);

  void start();

  /// Ends the thread. The loops may still be asked, and must exist.
  void stop();

  /// Looks once; for tests, and for the thread.
  void look();

private:
  struct round;

  void run();
  void relieve(size_t bytes);
  static void judge(const std::shared_ptr<round>& x);

  size_t limit_;
  meter used_;
  memory_counters& count_;
  std::vector<std::pair<loop*, collector>> collectors_;
  /// The relief that was asked for last.
  std::weak_ptr<round> under_way_;
  int64_t trimmed_at_;
  int64_t told_at_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread thread_;
};

} // namespace signalbox::net
