#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <utility>

namespace signalbox {

/// Remembers something about the latest sequenced events, each known by the
/// node process that accepted it and its number there. Pure.
template <class T>
class recent {
public:
  using key = std::pair<uint64_t, uint64_t>;

  explicit recent(size_t most) : most_(most) {
    // nop
  }

  /// Notes an event. Returns false if it is known.
  bool insert(key x) {
    if (!all_.try_emplace(x).second)
      return false;
    order_.push_back(x);
    if (order_.size() > most_) {
      all_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

  /// Returns the entry of an event, null if there is none.
  T* find(key x) {
    auto i = all_.find(x);
    return i == all_.end() ? nullptr : &i->second;
  }

private:
  size_t most_;
  std::map<key, T> all_;
  std::deque<key> order_;
};

} // namespace signalbox
