#include "apps/router/nearest.hpp"

#include <algorithm>
#include <numeric>

namespace signalbox::app {

namespace {

// Levenshtein's distance, one row at a time.
size_t distance(std::string_view x, std::string_view y) {
  std::vector<size_t> row(y.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < x.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < y.size(); ++j) {
      auto swapped = diagonal + (x[i] == y[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({swapped, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string_view last_component(std::string_view x) {
  return x.substr(x.rfind('.') + 1);
}

} // namespace

std::string nearest(std::string_view typed,
                    const std::vector<std::string>& names) {
  // Bounded, because the distance costs the product of both lengths.
  if (typed.size() > 100)
    return {};
  std::string_view best;
  auto least = std::max<size_t>(2, typed.size() / 4) + 1;
  for (const auto& name : names)
    if (auto edits = distance(typed, name); edits < least) {
      least = edits;
      best = name;
    }
  if (best.empty())
    for (const auto& name : names)
      if (last_component(name) == last_component(typed))
        return name;
  return std::string{best};
}

} // namespace signalbox::app
