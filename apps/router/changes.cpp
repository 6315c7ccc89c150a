#include "apps/router/changes.hpp"

#include "apps/router/setting_table.hpp"

#include <algorithm>
#include <type_traits>
#include <variant>

namespace signalbox::app {

namespace {

bool same(const setting& what, void* x, void* y);

bool same_objects(const object_list& x, const object_list& y) {
  auto size = x.size(x.list);
  if (size != y.size(y.list))
    return false;
  for (size_t i = 0; i < size; ++i)
    for (const auto& each : x.members())
      if (!same(each, x.element(x.list, i), y.element(y.list, i)))
        return false;
  return true;
}

bool same(const setting& what, void* x, void* y) {
  return std::visit(
    [&](auto a) {
      auto b = std::get<decltype(a)>(what.at(y));
      if constexpr (std::is_same_v<decltype(a), object_list>)
        return same_objects(a, b);
      else
        return *a == *b;
    },
    what.at(x));
}

} // namespace

std::vector<std::string> changed_settings(settings x, settings y) {
  std::vector<std::string> out;
  for (const auto& each : setting_table())
    if (!same(each, &x, &y))
      out.push_back(each.name);
  return out;
}

} // namespace signalbox::app
