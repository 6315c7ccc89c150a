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
  return &entries_[key];
}

void idempotency::expire(int64_t now) {
  while (!ages_.empty() && ages_.front().first <= now) {
    entries_.erase(ages_.front().second);
    ages_.pop_front();
  }
}

} // namespace signalbox
