#include "transports/net/spread.hpp"

#include "transports/net/loop.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::net {

spread::spread(loop& home)
  : home_(home), timer_(session::make_timer<&spread::go_on>(this)) {
  // nop
}

void spread::start(size_t count, int64_t ms, std::function<void(size_t)> next) {
  next_ = std::move(next);
  count_ = count;
  done_ = 0;
  from_ = home_.wheel().now();
  ms_ = std::max<int64_t>(ms, 1);
  go_on();
}

void spread::cancel() {
  timer_.cancel();
  next_ = nullptr;
  done_ = count_;
}

void spread::go_on() {
  auto passed = home_.wheel().now() - from_;
  auto share = static_cast<double>(passed) / static_cast<double>(ms_);
  auto due = share >= 1
               ? count_
               : static_cast<size_t>(static_cast<double>(count_) * share) + 1;
  while (done_ < std::min(due, count_))
    next_(done_++);
  if (done_ < count_)
    home_.wheel().arm(timer_, session::timer_wheel::granularity);
  else
    next_ = nullptr;
}

} // namespace signalbox::net
