#pragma once

#include <cstddef>
#include <string>

namespace signalbox::net {

/// Where the system tells about memory: files below /proc and /sys.
class memory_use {
public:
  /// `root` stands before all paths; for tests.
  explicit memory_use(std::string root = {});

  /// Returns how many bytes the process may have: what its control group or
  /// one around it allows (version 1 or 2), and at most what the machine has.
  size_t given() const;

  /// Returns how many bytes it has: what is resident, and what the kernel holds
  /// for the sockets of its control group, where that is told.
  size_t used() const;

private:
  std::string root_;
  /// Folder of its control group, and whether that is of version 2; empty if
  /// there is none with a limit.
  std::string group_;
  bool unified_ = false;
  size_t limit_ = 0;
};

} // namespace signalbox::net
