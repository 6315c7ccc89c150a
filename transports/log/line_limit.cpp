#include "transports/log/line_limit.hpp"

#include <array>
#include <cstddef>

namespace signalbox {

namespace {

std::atomic<uint64_t> all_left_out{0};

} // namespace

int64_t line_limit::clock() {
  using namespace std::chrono;
  auto now = steady_clock::now().time_since_epoch();
  return duration_cast<milliseconds>(now).count();
}

std::optional<std::string> line_limit::turn(int64_t now) {
  auto next = next_.load(std::memory_order_relaxed);
  if (now < next || !next_.compare_exchange_strong(next, now + interval_)) {
    ++left_out_;
    all_left_out.fetch_add(1, std::memory_order_relaxed);
    return {};
  }
  auto n = left_out_.exchange(0);
  if (n == 0)
    return std::string{};
  return " (" + std::to_string(n) + " more like it were left out before)";
}

std::optional<std::string> log_turn(log_cause why) {
  static std::array<line_limit, static_cast<size_t>(log_cause::count_)> limits;
  return limits[static_cast<size_t>(why)].turn();
}

uint64_t lines_left_out() {
  return all_left_out.load(std::memory_order_relaxed);
}

} // namespace signalbox
