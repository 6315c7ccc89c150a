#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

namespace signalbox {

/// The users whose connections or rooms the site has changed lately. Earlier
/// verdicts on such a user are void: the question may have been put while the
/// user was still signed in, and the verdict be under way or in a cache. Part
/// of USERS; pure.
class sign_outs {
public:
  /// Remembers at most `most` users, each for `keep_ms` milliseconds. Those it
  /// forgets raise the floor below which every verdict is void, so that
  /// forgetting costs a question to the site and never lets a client in.
  sign_outs(size_t most, int64_t keep_ms) : most_(most), keep_ms_(keep_ms) {
    // nop
  }

  /// Makes verdicts on a user that were asked for before the stamp `at` void,
  /// for one namespace or, if `nsp` is empty, for all. `now` is in
  /// milliseconds.
  void note(const std::string& user, const std::string& nsp, uint64_t at,
            int64_t now);

  /// Returns the stamp before which the site must not have been asked for a
  /// verdict about a user that is to count in a namespace; 0 if every one does.
  uint64_t void_before(const std::string& user, const std::string& nsp) const;

  size_t size() const noexcept {
    return by_key_.size();
  }

private:
  struct entry {
    /// User and namespace with NUL between them, which is in no id.
    std::string key;
    uint64_t at = 0;
    int64_t until = 0;
  };

  uint64_t find(const std::string& key) const;
  void forget_first();

  size_t most_;
  int64_t keep_ms_;
  /// The oldest first.
  std::list<entry> entries_;
  std::unordered_map<std::string_view, std::list<entry>::iterator> by_key_;
  /// Stamp of the newest that was forgotten.
  uint64_t floor_ = 0;
};

} // namespace signalbox
