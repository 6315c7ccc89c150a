#include "apps/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace signalbox::load {

namespace {

// Each power of two has this many buckets.
constexpr uint64_t steps_bits = 6;
constexpr uint64_t steps = uint64_t{1} << steps_bits;
constexpr uint64_t bucket_count = (64 - steps_bits + 1) * steps;

uint64_t bucket_of(uint64_t value) noexcept {
  if (value < steps)
    return value;
  auto shift = uint64_t(std::bit_width(value)) - 1 - steps_bits;
  return (shift + 1) * steps + ((value >> shift) - steps);
}

uint64_t upper_end(uint64_t bucket) noexcept {
  if (bucket < steps)
    return bucket;
  auto shift = bucket / steps - 1;
  return ((bucket % steps + steps + 1) << shift) - 1;
}

} // namespace

histogram::histogram() : buckets_(bucket_count) {
  // nop
}

void histogram::add(int64_t nanoseconds) {
  auto value = nanoseconds < 0 ? 0 : uint64_t(nanoseconds);
  ++buckets_[bucket_of(value)];
  ++count_;
  max_ = std::max(max_, value);
}

uint64_t histogram::count() const noexcept {
  return count_;
}

double histogram::max() const noexcept {
  return double(max_) / 1e6;
}

double histogram::quantile(double q) const noexcept {
  if (count_ == 0)
    return 0;
  auto rank = std::max(uint64_t{1}, uint64_t(std::ceil(q * double(count_))));
  uint64_t seen = 0;
  for (uint64_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank)
      return double(std::min(upper_end(i), max_)) / 1e6;
  }
  return max();
}

} // namespace signalbox::load
