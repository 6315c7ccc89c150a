#include "transports/session/timer_wheel.hpp"

namespace signalbox::session {

void timer::cancel() noexcept {
  if (next_ == nullptr)
    return;
  prev_->next_ = next_;
  next_->prev_ = prev_;
  prev_ = next_ = nullptr;
}

timer_wheel::timer_wheel(time_point now) noexcept
  : now_(now), tick_(now / granularity) {
  for (auto& x : heads_)
    x.node.prev_ = x.node.next_ = &x.node;
}

void timer_wheel::arm(timer& x, time_point delay) noexcept {
  x.cancel();
  // Rounded up, so that the slot is visited only when the deadline has passed.
  x.deadline_ = now_ + (delay > 0 ? delay : 1);
  append(head(x.deadline_ + granularity - 1), x);
}

void timer_wheel::append(timer& head, timer& x) noexcept {
  x.prev_ = head.prev_;
  x.next_ = &head;
  head.prev_->next_ = &x;
  head.prev_ = &x;
}

void timer_wheel::advance(time_point now) {
  if (now < now_)
    return;
  now_ = now;
  auto last = now / granularity;
  // After a long stop one visit of every slot is enough.
  if (last - tick_ > static_cast<time_point>(slots))
    tick_ = last - static_cast<time_point>(slots);
  // A slot counts as visited only when it is done: if a call throws, the next
  // turn goes on with what is left of it.
  for (; tick_ < last; ++tick_) {
    auto& at = heads_[static_cast<size_t>(tick_ + 1) % slots].node;
    // What fires may arm or cancel any timer, this slot's included: take them
    // off one by one, up to a mark behind which the others are put.
    timer mark{nullptr, nullptr};
    append(at, mark);
    while (at.next_ != &mark) {
      auto& x = *at.next_;
      x.cancel();
      if (x.deadline_ <= now_)
        x.fire_(x.owner_);
      else
        append(at, x);
    }
  }
}

} // namespace signalbox::session
