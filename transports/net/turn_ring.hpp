#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <unordered_map>
#include <utility>

namespace signalbox::net {

/// Ids in the order in which they came.
class turn_line {
public:
  void push(uint64_t id) {
    ids_.push_back(id);
  }

  /// Takes the first one.
  uint64_t pop() {
    auto out = ids_.front();
    ids_.pop_front();
    return out;
  }

  /// Takes the last one.
  uint64_t drop() {
    auto out = ids_.back();
    ids_.pop_back();
    return out;
  }

  void remove(uint64_t id) {
    auto i = std::find(ids_.begin(), ids_.end(), id);
    if (i != ids_.end())
      ids_.erase(i);
  }

  size_t size() const noexcept {
    return ids_.size();
  }

  /// Returns how many ids come before this one, which is there.
  size_t ahead(uint64_t id) const {
    auto i = std::find(ids_.begin(), ids_.end(), id);
    return static_cast<size_t>(i - ids_.begin());
  }

private:
  std::deque<uint64_t> ids_;
};

/// Lines of ids that take turns, each under a key. A line may be a ring in
/// turn, then its own keys follow. One that is empty is not there.
template <class Key, class Hash, class Line>
class turn_ring {
public:
  /// Adds an id as the last one of its line.
  template <class... More>
  void push(uint64_t id, const Key& key, const More&... more) {
    auto i = by_key_.find(key);
    if (i == by_key_.end()) {
      ring_.push_back({key, ++born_, {}});
      i = by_key_.emplace(key, std::prev(ring_.end())).first;
    }
    change(i->second, [&](Line& x) { x.push(id, more...); });
  }

  /// Takes the first id of the line whose turn it is. Not if there is none.
  uint64_t pop() {
    auto i = ring_.begin();
    ring_.splice(ring_.end(), ring_, i);
    return change(i, [](Line& x) { return x.pop(); });
  }

  /// Takes the last id of the longest line: of several that one with the given
  /// key, else the youngest. Not if there is none.
  template <class... More>
  uint64_t drop(const Key& key, const More&... more) {
    auto longest = std::prev(by_size_.end());
    auto at = longest->second;
    if (auto i = by_key_.find(key);
        i != by_key_.end() && i->second->line.size() == longest->first.first)
      at = i->second;
    return change(at, [&](Line& x) { return x.drop(more...); });
  }

  /// Takes an id out of its line, if it is there.
  template <class... More>
  void remove(uint64_t id, const Key& key, const More&... more) {
    if (auto i = by_key_.find(key); i != by_key_.end())
      change(i->second, [&](Line& x) { x.remove(id, more...); });
  }

  /// Returns how many ids there are.
  size_t size() const noexcept {
    return size_;
  }

  /// Returns how many of them are in a line.
  template <class... More>
  size_t size(const Key& key, const More&... more) const {
    auto i = by_key_.find(key);
    return i == by_key_.end() ? 0 : i->second->line.size(more...);
  }

  /// Returns how many ids of its line come before one that is there.
  template <class... More>
  size_t ahead(uint64_t id, const Key& key, const More&... more) const {
    return by_key_.at(key)->line.ahead(id, more...);
  }

private:
  struct member {
    Key key;
    uint64_t born = 0;
    Line line;
  };

  using position = typename std::list<member>::iterator;

  /// Calls `fun` with a line, keeps its size in mind, and forgets it if it is
  /// empty.
  template <class F>
  auto change(position at, F fun) {
    struct keeper {
      turn_ring& ring;
      position at;
      size_t before;

      ~keeper() {
        ring.resized(at, before);
      }
    };
    keeper after{*this, at, at->line.size()};
    return fun(at->line);
  }

  void resized(position at, size_t before) {
    auto now = at->line.size();
    size_ = size_ - before + now;
    by_size_.erase({before, at->born});
    if (now > 0) {
      by_size_.emplace(std::pair{now, at->born}, at);
    } else {
      by_key_.erase(at->key);
      ring_.erase(at);
    }
  }

  /// The next turn is that of the first.
  std::list<member> ring_;
  std::unordered_map<Key, position, Hash> by_key_;
  /// By length and birth.
  std::map<std::pair<size_t, uint64_t>, position> by_size_;
  uint64_t born_ = 0;
  size_t size_ = 0;
};

} // namespace signalbox::net
