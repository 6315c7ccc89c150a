#include "transports/log/log_queue.hpp"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <utility>

namespace signalbox {

namespace {

/// Bytes of one write. A pipe takes so many whole or not at all, so lines of
/// several processes do not mix and the progress of a slow reader shows.
constexpr size_t most_written = 4096;

/// What a line costs beside its text.
constexpr size_t line_cost = sizeof(std::string);

constexpr auto patience = std::chrono::seconds{1};
constexpr auto most_patience = std::chrono::seconds{5};

/// How long a crashing process waits, in pieces of 10 ms.
constexpr int crash_patience = 200;

} // namespace

struct log_queue::state {
  state(int to, size_t most, notice say)
    : fd(to), most_bytes(most), tell(std::move(say)) {
    // nop
  }

  /// The thread.
  void run() {
    std::string batch;
    for (std::unique_lock guard{mutex};;) {
      more.wait(guard, [this] { return !lines.empty() || ended; });
      if (lines.empty())
        return;
      auto n = take(batch);
      guard.unlock();
      auto ok = write(batch);
      guard.lock();
      if (!ok)
        dropped += n;
      busy.store(!lines.empty());
      done.notify_all();
    }
  }

  /// Moves the first lines into a batch. Returns how many.
  size_t take(std::string& batch) {
    batch.clear();
    auto now = dropped.load();
    if (now > told)
      batch = tell(now - std::exchange(told, now));
    size_t n = 0;
    while (!lines.empty()
           && (n == 0 || batch.size() + lines.front().size() <= most_written)) {
      bytes -= lines.front().size() + line_cost;
      batch += lines.front();
      lines.pop_front();
      ++n;
    }
    return n;
  }

  /// Returns false if the reader's end takes nothing any more.
  bool write(std::string_view x) {
    while (!x.empty()) {
      auto n = ::write(fd, x.data(), std::min(x.size(), most_written));
      if (n > 0) {
        x.remove_prefix(static_cast<size_t>(n));
        ++progress;
      } else if (errno == EAGAIN) {
        // Another process that shares the descriptor may have made it
        // non-blocking.
        pollfd ready{fd, POLLOUT, 0};
        ::poll(&ready, 1, -1);
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  const int fd;
  const size_t most_bytes;
  const notice tell;
  std::mutex mutex;
  std::condition_variable more;
  std::condition_variable done;
  std::deque<std::string> lines;
  size_t bytes = 0;
  uint64_t told = 0;
  bool ended = false;
  std::atomic<uint64_t> dropped{0};
  /// Whether anything waits or is being written.
  std::atomic<bool> busy{false};
  /// Grows with each write.
  std::atomic<uint64_t> progress{0};
};

log_queue::log_queue(int fd, size_t most_bytes, notice tell)
  : state_(std::make_shared<state>(fd, most_bytes, std::move(tell))) {
  // Signals are for the other threads, and a closed pipe is an error like
  // others here.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread writer{[x = state_] { x->run(); }};
  ::pthread_setname_np(writer.native_handle(), "log");
  writer.detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

log_queue::~log_queue() {
  drain();
  std::lock_guard guard{state_->mutex};
  state_->ended = true;
  state_->more.notify_all();
}

void log_queue::push(std::string line) {
  auto& x = *state_;
  std::lock_guard guard{x.mutex};
  x.bytes += line.size() + line_cost;
  x.lines.push_back(std::move(line));
  while (x.bytes > x.most_bytes && x.lines.size() > 1) {
    x.bytes -= x.lines.front().size() + line_cost;
    x.lines.pop_front();
    ++x.dropped;
  }
  x.busy.store(true);
  x.more.notify_one();
}

bool log_queue::drain() {
  using clock = std::chrono::steady_clock;
  auto& x = *state_;
  auto until = clock::now() + most_patience;
  std::unique_lock guard{x.mutex};
  while (x.busy.load()) {
    auto before = x.progress.load();
    auto idle = [&x] { return !x.busy.load(); };
    if (!x.done.wait_for(guard, patience, idle)
        && (x.progress.load() == before || clock::now() > until))
      return false;
  }
  return true;
}

void log_queue::drain_in_signal() const noexcept {
  for (auto i = 0; i < crash_patience && state_->busy.load(); ++i) {
    timespec rest{0, 10000000};
    ::nanosleep(&rest, nullptr);
  }
}

uint64_t log_queue::dropped() const noexcept {
  return state_->dropped.load(std::memory_order_relaxed);
}

} // namespace signalbox
