#include "transports/log/line_limit.hpp"

#include <chrono>

namespace signalbox {

namespace {

/// Milliseconds from one line of a cause to the next.
constexpr int64_t interval = 1000;

} // namespace

std::optional<std::string> line_limit::turn(log_cause why, int64_t now) {
  auto& x = slots_[static_cast<size_t>(why)];
  auto next = x.next.load(std::memory_order_relaxed);
  if (now < next || !x.next.compare_exchange_strong(next, now + interval)) {
    ++x.left_out;
    ++left_out_;
    return {};
  }
  auto n = x.left_out.exchange(0);
  if (n == 0)
    return std::string{};
  return " (" + std::to_string(n) + " more like it were left out before)";
}

line_limit& lines_of_strangers() {
  static line_limit x;
  return x;
}

std::optional<std::string> log_turn(log_cause why) {
  using namespace std::chrono;
  auto now = steady_clock::now().time_since_epoch();
  return lines_of_strangers().turn(why,
                                   duration_cast<milliseconds>(now).count());
}

} // namespace signalbox
