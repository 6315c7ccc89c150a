#pragma once

#include "actors/api/settings.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox {

/// The keys of the site, and the rights of publishers without one.
class credentials {
public:
  /// `publisher_namespaces` are those that publishers without a key may post
  /// to; empty for all.
  explicit credentials(std::vector<key_settings> keys,
                       std::vector<std::string> publisher_namespaces = {});

  /// Returns the index of a key. Takes the same time for every wrong one.
  std::optional<size_t> find(std::string_view key) const noexcept;

  /// Returns the index of the key of an `Authorization: Bearer KEY` header.
  std::optional<size_t> find_bearer(std::string_view header) const noexcept;

  /// Returns the index that stands for publishers without a key, which come by
  /// a listener of their own.
  size_t publisher() const noexcept {
    return keys_.size() - 1;
  }

  /// Returns how many credentials there are.
  size_t size() const noexcept {
    return keys_.size();
  }

  const key_settings& at(size_t index) const noexcept {
    return keys_[index];
  }

  /// Returns whether a key may post to a namespace.
  bool may_post(size_t index, std::string_view nsp) const noexcept;

private:
  /// The last one is the publishers'.
  std::vector<key_settings> keys_;
};

} // namespace signalbox
