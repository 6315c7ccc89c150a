#pragma once

#include "actors/api/settings.hpp"
#include "tests/simulation/dice.hpp"

#include <cstdint>

namespace signalbox::simulation {

/// The namespace that is sequenced.
constexpr const char* in_order = "/row";

/// Namespaces of every node.
constexpr const char* namespaces[] = {"/", "/chat", in_order};

/// Time at which every run begins, in milliseconds and ahead of the real clock,
/// which the loops would follow otherwise.
constexpr int64_t epoch = 1'000'000'000'000;

/// What kind of a run a seed makes.
struct profile {
  explicit profile(dice& luck);

  int nodes = 3;
  int steps = 100;
  settings opts;
  /// How likely a step is a fault, in percent.
  int faults = 20;
  /// Delay of a message, and of one in twenty, in milliseconds.
  int64_t delay = 10;
  int64_t long_delay = 200;
  /// Delays are such that a question may be answered too late.
  bool slow() const noexcept {
    return long_delay > 80;
  }

  /// Chance that a connection is slow to open, in percent.
  int slow_dials = 0;
  /// Chance that a thread is late, in percent.
  int late = 10;
  /// A session follows the last one through the same connection.
  bool reuse = false;
  /// Nodes seek each other by other addresses than they tell.
  bool aliases = false;
  /// The clocks of the nodes differ by up to so many seconds.
  int64_t skew = 0;
};

} // namespace signalbox::simulation
