#pragma once

#include "transports/net/engine_options.hpp"

#include <atomic>
#include <cstdint>

namespace signalbox::app {

/// Logs the pages that were refused, at most one a second. From any thread.
class page_report {
public:
  void report(const net::refused_page& x);

private:
  std::atomic<int64_t> last_{0};
};

} // namespace signalbox::app
