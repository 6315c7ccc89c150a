#include "apps/load/ledger.hpp"

#include <algorithm>

namespace signalbox::load {

ledger::ledger(shape x)
  : shape_(x), copies_(x.everybody ? x.receivers : x.receivers / x.users),
    missing_(x.messages), seen_(size_t{x.messages} * copies_),
    latest_(size_t{x.receivers} * x.lanes) {
  sent_at_.reserve(x.messages);
}

void ledger::sent(sequence s, int64_t now) {
  sent_at_.push_back(now);
  missing_[s] = copies_;
  expected_ += missing_[s];
}

ledger::receipt ledger::received(uint32_t receiver, sequence s) {
  if (s >= sent_at_.size())
    return receipt::unknown;
  if (!shape_.everybody && user_of(s) != receiver % shape_.users) {
    ++misrouted_;
    return receipt::misrouted;
  }
  auto bit = place_of(receiver, s);
  if (seen_[bit]) {
    ++duplicated_;
    return receipt::repeated;
  }
  seen_[bit] = true;
  ++delivered_;
  --missing_[s];
  if (shape_.lanes > 0) {
    auto& latest = latest_[size_t{receiver} * shape_.lanes + lane_of(s)];
    if (s < latest)
      ++reordered_;
    latest = std::max(latest, s + 1);
  }
  return receipt::first;
}

int64_t ledger::sent_at(sequence s) const {
  return sent_at_[s];
}

bool ledger::complete(sequence s) const {
  return missing_[s] == 0;
}

uint32_t ledger::user_of(sequence s) const noexcept {
  return s % shape_.users;
}

uint32_t ledger::lane_of(sequence s) const noexcept {
  return shape_.lanes > 0 ? s / shape_.batch % shape_.lanes : 0;
}

uint64_t ledger::expected() const noexcept {
  return expected_;
}

uint64_t ledger::delivered() const noexcept {
  return delivered_;
}

uint64_t ledger::duplicated() const noexcept {
  return duplicated_;
}

uint64_t ledger::reordered() const noexcept {
  return reordered_;
}

uint64_t ledger::misrouted() const noexcept {
  return misrouted_;
}

size_t ledger::place_of(uint32_t receiver, sequence s) const noexcept {
  auto copy = shape_.everybody ? receiver : receiver / shape_.users;
  return size_t{copy} * shape_.messages + s;
}

} // namespace signalbox::load
