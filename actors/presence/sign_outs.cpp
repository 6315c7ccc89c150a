#include "actors/presence/sign_outs.hpp"

#include <algorithm>
#include <iterator>

namespace signalbox {

namespace {

std::string key_of(const std::string& user, const std::string& nsp) {
  return nsp.empty() ? user : user + '\0' + nsp;
}

} // namespace

void sign_outs::note(const std::string& user, const std::string& nsp,
                     uint64_t at, int64_t now) {
  auto key = key_of(user, nsp);
  if (auto i = by_key_.find(key); i != by_key_.end()) {
    auto old = i->second;
    by_key_.erase(i);
    entries_.erase(old);
  }
  entries_.push_back({std::move(key), at, now + keep_ms_});
  by_key_.emplace(entries_.back().key, std::prev(entries_.end()));
  while (by_key_.size() > most_ || entries_.front().until <= now)
    forget_first();
}

uint64_t sign_outs::void_before(const std::string& user,
                                const std::string& nsp) const {
  return std::max({floor_, find(user), find(key_of(user, nsp))});
}

uint64_t sign_outs::find(const std::string& key) const {
  auto i = by_key_.find(key);
  return i == by_key_.end() ? 0 : i->second->at;
}

void sign_outs::forget_first() {
  floor_ = std::max(floor_, entries_.front().at);
  by_key_.erase(entries_.front().key);
  entries_.pop_front();
}

} // namespace signalbox
