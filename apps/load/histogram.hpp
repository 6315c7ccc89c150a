#pragma once

#include <cstdint>
#include <vector>

namespace signalbox::load {

/// Counts durations in buckets whose width grows with the value, so that any
/// quantile is exact to 1/64 of itself.
class histogram {
public:
  histogram();

  /// Counts one duration in nanoseconds; a negative one counts as 0.
  void add(int64_t nanoseconds);

  /// Returns how many durations were counted.
  uint64_t count() const noexcept;

  /// Returns the largest duration in milliseconds.
  double max() const noexcept;

  /// Returns the duration in milliseconds that the share `q` (0 to 1) of all
  /// durations does not exceed; 0 if there is none.
  double quantile(double q) const noexcept;

private:
  std::vector<uint64_t> buckets_;
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

} // namespace signalbox::load
