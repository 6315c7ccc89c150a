#include "actors/connection/hold.hpp"

#include <algorithm>
#include <random>

namespace signalbox {

namespace {

constexpr int64_t first_pause = 1000;

/// A client that comes back by itself waits for up to 5 s, too.
constexpr int64_t longest_pause = 5000;

} // namespace

milliseconds pause_before_asking(unsigned failures) {
  thread_local std::minstd_rand random{std::random_device{}()};
  auto doublings = std::min(failures == 0 ? 0u : failures - 1, 8u);
  auto most = std::min(first_pause << doublings, longest_pause);
  return milliseconds{
    std::uniform_int_distribution<int64_t>{most / 2, most}(random)};
}

unavailable_policy without_verdict(const site_settings& opts, bool inside) {
  if (opts.auth_url.empty())
    return unavailable_policy::refuse;
  if (opts.when_unavailable == unavailable_policy::retry && inside)
    return unavailable_policy::hold;
  return opts.when_unavailable;
}

} // namespace signalbox
