#include "actors/site_auth/verdict_cache.hpp"

#include <utility>

namespace signalbox {

void verdict_cache::add(std::string key, verdict x, int64_t until) {
  remove(key);
  if (by_key_.size() >= most_)
    drop_first();
  entries_.push_back({std::move(key), std::move(x), until});
  by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
}

const verdict* verdict_cache::find(std::string_view key, int64_t now) const {
  auto i = by_key_.find(key);
  return i == by_key_.end() || i->second->until <= now ? nullptr
                                                       : &i->second->answer;
}

void verdict_cache::remove(std::string_view key) {
  auto i = by_key_.find(key);
  if (i == by_key_.end())
    return;
  auto old = i->second;
  by_key_.erase(i);
  entries_.erase(old);
}

int64_t verdict_cache::expire(int64_t now) {
  while (!entries_.empty() && entries_.front().until <= now)
    drop_first();
  return entries_.empty() ? 0 : entries_.front().until;
}

void verdict_cache::clear() {
  by_key_.clear();
  entries_.clear();
}

void verdict_cache::drop_first() {
  by_key_.erase(entries_.front().key);
  entries_.pop_front();
}

} // namespace signalbox
