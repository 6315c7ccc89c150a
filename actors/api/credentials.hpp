#pragma once

#include "actors/api/settings.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace signalbox {

/// The keys of the site.
class credentials {
public:
  explicit credentials(const std::vector<key_settings>& keys) : keys_(keys) {
    // nop
  }

  /// Returns the index of a key. Takes the same time for every wrong one.
  std::optional<size_t> find(std::string_view key) const noexcept;

  /// Returns the index of the key of an `Authorization: Bearer KEY` header.
  std::optional<size_t> find_bearer(std::string_view header) const noexcept;

  const key_settings& at(size_t index) const noexcept {
    return keys_[index];
  }

  /// Returns whether a key may post to a namespace.
  bool may_post(size_t index, std::string_view nsp) const noexcept;

private:
  const std::vector<key_settings>& keys_;
};

} // namespace signalbox
