#include "actors/api/credentials.hpp"

#include <algorithm>
#include <utility>

namespace signalbox {

namespace {

bool same(std::string_view x, std::string_view y) noexcept {
  auto difference = x.size() ^ y.size();
  for (size_t i = 0; i < y.size(); ++i)
    difference |= static_cast<unsigned char>(i < x.size() ? x[i] : 0)
                  ^ static_cast<unsigned char>(y[i]);
  return difference == 0;
}

} // namespace

credentials::credentials(std::vector<key_settings> keys,
                         std::vector<std::string> publisher_namespaces)
  : keys_(std::move(keys)) {
  keys_.push_back({"publishers", {}, std::move(publisher_namespaces), false});
}

std::optional<size_t> credentials::find(std::string_view key) const noexcept {
  std::optional<size_t> found;
  for (size_t i = 0; i < publisher(); ++i)
    if (same(key, keys_[i].key))
      found = i;
  return found;
}

std::optional<size_t>
credentials::find_bearer(std::string_view header) const noexcept {
  constexpr std::string_view scheme = "Bearer ";
  if (header.size() < scheme.size()
      || !std::equal(scheme.begin(), scheme.end(), header.begin(),
                     [](char x, char y) { return (x | 32) == (y | 32); }))
    return {};
  return find(header.substr(scheme.size()));
}

bool credentials::may_post(size_t index, std::string_view nsp) const noexcept {
  const auto& allowed = keys_[index].namespaces;
  return allowed.empty()
         || std::find(allowed.begin(), allowed.end(), nsp) != allowed.end();
}

} // namespace signalbox
