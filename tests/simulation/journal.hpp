#pragma once

#include <cstdint>
#include <cstdio>
#include <deque>
#include <sstream>
#include <string>

namespace signalbox::simulation {

/// Joins its arguments.
template <class... Ts>
std::string text(const Ts&... xs) {
  std::ostringstream out;
  (out << ... << xs);
  return out.str();
}

/// What happened in one run, and what went wrong first.
class journal {
public:
  /// With `trace` everything is printed as it happens.
  explicit journal(bool trace) : trace_(trace) {
    // nop
  }

  void time(int64_t now) noexcept {
    now_ = now;
  }

  template <class... Ts>
  void note(const Ts&... xs) {
    last_.push_back(text(now_, " ms  ", xs...));
    if (trace_)
      std::printf("%s\n", last_.back().c_str());
    if (last_.size() > kept)
      last_.pop_front();
  }

  /// Notes what only a trace shows.
  template <class... Ts>
  void detail(const Ts&... xs) {
    if (trace_)
      std::printf("%s\n", text(now_, " ms      ", xs...).c_str());
  }

  template <class... Ts>
  void fail(const Ts&... xs) {
    if (!failure_.empty())
      return;
    failure_ = text(xs...);
    note("VIOLATION: ", failure_);
  }

  bool failed() const noexcept {
    return !failure_.empty();
  }

  const std::string& failure() const noexcept {
    return failure_;
  }

  const std::deque<std::string>& last() const noexcept {
    return last_;
  }

private:
  static constexpr size_t kept = 40;

  bool trace_;
  int64_t now_ = 0;
  std::string failure_;
  std::deque<std::string> last_;
};

} // namespace signalbox::simulation
