#include "apps/router/units.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace signalbox::app {

namespace {

struct unit {
  std::string_view name;
  uint64_t factor;
};

// Ascending, so that printing can take the last that fits.
constexpr std::array<unit, 4> time_units{
  {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};

constexpr std::array<unit, 4> size_units{
  {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};

constexpr uint64_t top = std::numeric_limits<uint64_t>::max();

// Splits "25s" into its digits and its unit.
std::pair<std::string_view, std::string_view> split(std::string_view text) {
  auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
  return {text.substr(0, digits), text.substr(digits)};
}

template <size_t N>
std::optional<uint64_t> parse_with(const std::array<unit, N>& units,
                                   std::string_view text) {
  auto [digits, name] = split(text);
  auto number = parse_count(digits);
  if (!number)
    return {};
  for (const auto& x : units)
    if (x.name == name)
      return *number > top / x.factor ? top : *number * x.factor;
  return {};
}

template <size_t N>
std::string print_with(const std::array<unit, N>& units, size_t zero,
                       uint64_t x) {
  auto i = zero;
  if (x > 0)
    for (i = N - 1; x % units[i].factor != 0;)
      --i;
  return std::to_string(x / units[i].factor) + std::string{units[i].name};
}

} // namespace

std::optional<uint64_t> parse_count(std::string_view text) {
  uint64_t result = 0;
  auto end = text.data() + text.size();
  auto [stop, ec] = std::from_chars(text.data(), end, result);
  if (text.empty() || stop != end)
    return {};
  return ec == std::errc::result_out_of_range ? top : result;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  using std::chrono::milliseconds;
  auto x = parse_with(time_units, text);
  if (!x)
    return {};
  auto longest = static_cast<uint64_t>(milliseconds::max().count());
  return milliseconds{static_cast<milliseconds::rep>(std::min(*x, longest))};
}

std::string print_duration(std::chrono::milliseconds x) {
  return print_with(time_units, 1, static_cast<uint64_t>(x.count()));
}

std::optional<uint64_t> parse_size(std::string_view text) {
  if (auto x = parse_count(text))
    return x;
  return parse_with(size_units, text);
}

std::string print_size(uint64_t x) {
  return print_with(size_units, 0, x);
}

} // namespace signalbox::app
