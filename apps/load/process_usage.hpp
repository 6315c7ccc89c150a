#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

// What processes have used so far, from /proc. CPU times come in steps of
// 10 ms, so a phase should use at least half a second of them.

namespace signalbox::load {

/// A reading of the counters.
struct usage {
  /// User and system time of the watched processes, all their threads (ended
  /// ones too), in seconds.
  double cpu = 0;
  /// Resident memory of the watched processes in bytes.
  uint64_t resident = 0;
  /// CPU time of the kernel's softirq threads, in seconds. Under load they do
  /// network work that would else be charged to the sender; 0 where they are
  /// not visible.
  double softirq = 0;
  /// CPU time of this process in seconds.
  double own = 0;
  /// Busy time of all CPUs in seconds.
  double machine = 0;
};

/// Reads the counters of the machine, this process and some others.
class usage_reader {
public:
  explicit usage_reader(std::vector<pid_t> servers);

  /// Returns a fresh reading. A process that has ended counts nothing.
  usage read() const;

  /// Returns the first watched process that does not run, 0 if all do.
  pid_t missing() const;

private:
  std::vector<pid_t> servers_;
  std::vector<pid_t> softirq_threads_;
};

} // namespace signalbox::load
