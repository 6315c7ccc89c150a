#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace signalbox::session {

/// A point on the monotonic clock in milliseconds.
using time_point = int64_t;

class timer_wheel;

/// A deadline in a wheel; a member of the object that it watches over.
class timer {
public:
  /// `fire(owner)` runs when the deadline has passed; the timer is idle again
  /// by then.
  timer(void (*fire)(void*), void* owner) noexcept
    : fire_(fire), owner_(owner) {
    // nop
  }

  ~timer() {
    cancel();
  }

  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  /// Forgets the deadline, if there is one.
  void cancel() noexcept;

  bool armed() const noexcept {
    return next_ != nullptr;
  }

  time_point deadline() const noexcept {
    return deadline_;
  }

private:
  friend class timer_wheel;
  timer* prev_ = nullptr;
  timer* next_ = nullptr;
  time_point deadline_ = 0;
  void (*fire_)(void*);
  void* owner_;
};

/// Makes a timer that calls a member function of its owner.
template <auto Fun, class T>
timer make_timer(T* owner) {
  return timer{[](void* x) { (static_cast<T*>(x)->*Fun)(); }, owner};
}

/// All deadlines of one thread. Arming and cancelling cost a few
/// instructions; a deadline fires up to `granularity` late, never early.
class timer_wheel {
public:
  /// Width of a slot in milliseconds.
  static constexpr time_point granularity = 16;

  explicit timer_wheel(time_point now) noexcept;

  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Sets or moves the deadline of `x` to `delay` milliseconds from now.
  void arm(timer& x, time_point delay) noexcept;

  /// Fires everything that is due.
  void advance(time_point now);

  /// Returns the time of the last `advance`.
  time_point now() const noexcept {
    return now_;
  }

private:
  static constexpr size_t slots = 1024;

  timer& head(time_point deadline) noexcept {
    return heads_[static_cast<size_t>(deadline / granularity) % slots].node;
  }

  static void append(timer& head, timer& x) noexcept;

  struct slot {
    timer node{nullptr, nullptr};
  };

  time_point now_;
  time_point tick_;
  std::array<slot, slots> heads_;
};

/// A deadline that is seldom there: it takes memory only while there is one.
class rare_timer {
public:
  /// Sets or moves the deadline. `(owner->*Fun)()` runs when it has passed.
  template <auto Fun, class T>
  void arm(timer_wheel& wheel, T* owner, time_point delay) {
    if (timer_ == nullptr)
      timer_ = std::make_unique<timer>(
        [](void* x) { (static_cast<T*>(x)->*Fun)(); }, owner);
    wheel.arm(*timer_, delay);
  }

  void cancel() noexcept {
    timer_.reset();
  }

  bool armed() const noexcept {
    return timer_ != nullptr && timer_->armed();
  }

private:
  std::unique_ptr<timer> timer_;
};

} // namespace signalbox::session
