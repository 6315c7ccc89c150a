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
  if (ages_.size() >= 2 * max_keys_)
    drop_erased();
  ages_.emplace_back(now + left, key);
  auto& out = entries_[key];
  out.place = gone_ + ages_.size() - 1;
  out.since = now;
  out.until = now + left;
  return &out;
}

void idempotency::expire(int64_t now) {
  while (!ages_.empty() && ages_.front().first <= now) {
    if (auto i = entry_of(0); i != entries_.end())
      forget(i);
    ages_.pop_front();
    ++gone_;
  }
}

/// Keys that are refused and come again and again would fill the memory for a
/// whole window. All others get new places, so that walks begin anew.
void idempotency::drop_erased() {
  decltype(ages_) kept;
  auto next = gone_ + ages_.size();
  for (size_t i = 0; i < ages_.size(); ++i)
    if (auto x = entry_of(i); x != entries_.end()) {
      x->second.place = next + kept.size();
      kept.push_back(std::move(ages_[i]));
    }
  ages_ = std::move(kept);
  gone_ = next;
}

void idempotency::forget(entries::iterator x) {
  auto waiting = std::move(x->second.waiting);
  entries_.erase(x);
  if (tell_ && !waiting.empty())
    tell_(waiting);
}

} // namespace signalbox
