#include "actors/membership/outgoing.hpp"

#include <algorithm>

namespace signalbox {

std::string& outgoing::open() {
  if (batches_.empty() || batches_.back().number <= closed_
      || batches_.back().bytes.size() >= batch_bytes)
    batches_.push_back({++last_, {}});
  before_ = batches_.back().bytes.size();
  return batches_.back().bytes;
}

void outgoing::appended() {
  bytes_ += batches_.back().bytes.size() - before_;
}

const outgoing::batch* outgoing::next() {
  if (sent_ == batches_.size() || sent_bytes_ >= window)
    return nullptr;
  const auto& x = batches_[sent_];
  if (sent_ >= eager_batches && x.bytes.size() < small_batch)
    return nullptr;
  ++sent_;
  sent_bytes_ += x.bytes.size();
  closed_ = std::max(closed_, x.number);
  return &x;
}

bool outgoing::acked(uint64_t number) {
  auto news = false;
  while (sent_ > 0 && batches_.front().number <= number) {
    auto size = batches_.front().bytes.size();
    sent_bytes_ -= size;
    bytes_ -= size;
    --sent_;
    batches_.pop_front();
    news = true;
  }
  return news;
}

bool outgoing::resume(uint64_t received) {
  // Less than was acknowledged only means that the other side said it earlier.
  if (received > closed_)
    return false;
  // Batches that the last session did not send again may have arrived before.
  while (!batches_.empty() && batches_.front().number <= received) {
    bytes_ -= batches_.front().bytes.size();
    batches_.pop_front();
  }
  sent_ = 0;
  sent_bytes_ = 0;
  closed_ = last_;
  return true;
}

void outgoing::clear() {
  *this = {};
}

} // namespace signalbox
