#pragma once

#include "actors/api/site_settings.hpp"

#include <atomic>
#include <cstdint>

namespace signalbox {

/// A CONNECT that waits until the site is asked again, counted as long as it
/// does.
class hold {
public:
  hold(std::atomic<int64_t>& gauge, int64_t until) noexcept
    : gauge_(gauge), until_(until) {
    ++gauge_;
  }

  ~hold() {
    --gauge_;
  }

  hold(const hold&) = delete;
  hold& operator=(const hold&) = delete;

  /// Returns when it ends.
  int64_t until() const noexcept {
    return until_;
  }

private:
  std::atomic<int64_t>& gauge_;
  int64_t until_;
};

/// Returns how long to wait before the site is asked again that had no verdict
/// so many times: longer each time up to some seconds, and different for each
/// of those who wait, so that they do not all ask at once.
milliseconds pause_before_asking(unsigned failures);

/// Returns what becomes of a CONNECT without a verdict. Where no site is set
/// there is nothing to wait for; and a connection that is in another namespace
/// is not closed for the one that has to wait.
unavailable_policy without_verdict(const site_settings& opts, bool inside);

} // namespace signalbox
