#include "actors/ingest/idempotency.hpp"

#include <algorithm>

namespace signalbox {

idempotency::entry* idempotency::find(const std::string& key, int64_t now) {
  expire(now);
  auto i = entries_.find(key);
  if (i == entries_.end())
    return nullptr;
  if (i->second.until > now)
    return &i->second;
  forget(i);
  return nullptr;
}

idempotency::entry* idempotency::insert(const std::string& key, int64_t now,
                                        int64_t left) {
  expire(now);
  left = std::min(left, window_ms_);
  if (entries_.size() >= max_keys_)
    return nullptr;
  ages_.emplace_back(now + left, key);
  auto& out = entries_[key];
  out.since = now;
  out.until = now + left;
  return &out;
}

void idempotency::expire(int64_t now) {
  while (!ages_.empty() && ages_.front().first <= now) {
    // It may have been erased and come again.
    auto i = entries_.find(ages_.front().second);
    if (i != entries_.end() && i->second.until <= now)
      forget(i);
    ages_.pop_front();
    ++gone_;
  }
}

void idempotency::forget(entries::iterator x) {
  auto waiting = std::move(x->second.waiting);
  entries_.erase(x);
  if (tell_ && !waiting.empty())
    tell_(waiting);
}

} // namespace signalbox
