#pragma once

#include "actors/api/messages.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signalbox {

/// Verdicts of the site that hold for a while, all equally long, so that they
/// expire in the order in which they came. The users are kept no longer
/// than that.
class verdict_cache {
public:
  /// Keeps at most `most`; the oldest makes room.
  explicit verdict_cache(size_t most) : most_(most) {
    // nop
  }

  /// Keeps a verdict until the time `until`, in milliseconds; not earlier than
  /// that of the one before. Replaces one of the same key.
  void add(std::string key, verdict x, int64_t until);

  /// Returns the verdict of a key, null without one.
  const verdict* find(std::string_view key, int64_t now) const;

  /// Drops the verdict of a key.
  void remove(std::string_view key);

  /// Drops expired verdicts. Returns when the next one expires, 0 for never.
  int64_t expire(int64_t now);

  size_t size() const noexcept {
    return by_key_.size();
  }

  void clear();

private:
  struct entry {
    std::string key;
    verdict answer;
    int64_t until = 0;
  };

  void drop_first();

  size_t most_;
  /// The oldest first.
  std::list<entry> entries_;
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_key_;
};

} // namespace signalbox
