#include "transports/net/client_census.hpp"

#include "transports/log/line_limit.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox::net {

namespace {

/// A combination that goes on coming is logged again after this time.
constexpr auto log_interval = std::chrono::hours{1};

/// An Origin is a host name with little around it.
constexpr size_t longest_origin = 300;

} // namespace

void client_census::note(codec::dialect dialect, std::string_view transport,
                         std::string_view origin, clock::time_point now) {
  entry to_log;
  std::optional<std::string> turn;
  {
    std::lock_guard guard{mutex_};
    ++totals_[{dialect, std::string{transport}}];
    auto page = std::string{origin.substr(0, longest_origin)};
    auto& x = entries_[{dialect, std::string{transport}, page}];
    if (x.sessions == 0)
      x = {dialect, std::string{transport}, page, 0, now, now, {}};
    ++x.sessions;
    x.last = now;
    if (now - x.logged < log_interval)
      return;
    // A client names both Origin and Host, so it can make up new combinations.
    // One that loses its turn to another is logged with its next session.
    turn = log_turn(log_cause::client);
    if (turn)
      x.logged = now;
    to_log = x;
    if (entries_.size() > most_)
      entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                      [](const auto& a, const auto& b) {
                                        return a.second.last < b.second.last;
                                      }));
  }
  if (!turn)
    return;
  spdlog::info("clients: {} over {} from {}, {} so far{}",
               codec::to_string(dialect), to_log.transport,
               to_log.origin.empty() ? "no page" : to_log.origin,
               to_log.sessions, *turn);
}

std::vector<client_census::entry> client_census::entries() const {
  std::vector<entry> out;
  {
    std::lock_guard guard{mutex_};
    for (const auto& [name, x] : entries_)
      out.push_back(x);
  }
  std::sort(out.begin(), out.end(),
            [](const entry& x, const entry& y) { return x.last > y.last; });
  return out;
}

std::vector<client_census::entry> client_census::totals() const {
  std::vector<entry> out;
  std::lock_guard guard{mutex_};
  for (const auto& [name, sessions] : totals_)
    out.push_back({name.first, name.second, {}, sessions, {}, {}, {}});
  return out;
}

} // namespace signalbox::net
