#include "actors/ingest/idempotency.hpp"

namespace signalbox {

idempotency::entry* idempotency::find(const std::string& key, int64_t now) {
  expire(now);
  auto i = entries_.find(key);
  return i == entries_.end() ? nullptr : &i->second;
}

idempotency::entry* idempotency::insert(const std::string& key, int64_t now) {
  expire(now);
  if (entries_.size() >= max_keys_)
    return nullptr;
  ages_.emplace_back(now + window_ms_, key);
  auto& out = entries_[key];
  out.until = now + window_ms_;
  return &out;
}

void idempotency::expire(int64_t now) {
  while (!ages_.empty() && ages_.front().first <= now) {
    // It may have been erased and come again.
    auto i = entries_.find(ages_.front().second);
    if (i != entries_.end() && i->second.until <= now)
      entries_.erase(i);
    ages_.pop_front();
  }
}

} // namespace signalbox
