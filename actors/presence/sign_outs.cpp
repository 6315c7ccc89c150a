#include "actors/presence/sign_outs.hpp"

#include <algorithm>
#include <iterator>

namespace signalbox {

void sign_outs::note(const std::string& user, uint64_t at, int64_t now) {
  if (auto i = by_user_.find(user); i != by_user_.end()) {
    auto old = i->second;
    by_user_.erase(i);
    entries_.erase(old);
  }
  entries_.push_back({user, at, now + keep_ms_});
  by_user_.emplace(entries_.back().user, std::prev(entries_.end()));
  while (by_user_.size() > most_ || entries_.front().until <= now)
    forget_first();
}

uint64_t sign_outs::void_before(const std::string& user) const {
  auto i = by_user_.find(user);
  return i == by_user_.end() ? floor_ : std::max(floor_, i->second->at);
}

void sign_outs::forget_first() {
  floor_ = std::max(floor_, entries_.front().at);
  by_user_.erase(entries_.front().user);
  entries_.pop_front();
}

} // namespace signalbox
