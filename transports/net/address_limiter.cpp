#include "transports/net/address_limiter.hpp"

namespace signalbox::net {

namespace {

/// Idle entries of the table are dropped this often, in seconds.
constexpr int64_t sweep_interval = 10;

/// A text that is no address counts as one, and is never exempt.
ip_address parse(const std::string& address) {
  return ip_address::parse(address).value_or(ip_address{});
}

} // namespace

/// Returns the entry of an address, made if it is missing.
address_limiter::entry& address_limiter::at(const ip_address& address,
                                            int64_t second) {
  if (second - swept_ >= sweep_interval) {
    swept_ = second;
    std::erase_if(entries_, [second](const auto& x) {
      return x.second.open == 0 && x.second.sessions == 0
             && x.second.second != second;
    });
  }
  auto& x = entries_[address.client()];
  if (x.second != second) {
    x.second = second;
    x.started = 0;
  }
  return x;
}

address_limiter::verdict address_limiter::judge(const entry& x) const {
  if (x.open >= concurrent_)
    return verdict::too_many;
  if (x.started >= per_second_)
    return verdict::too_fast;
  return verdict::admitted;
}

address_limiter::verdict address_limiter::enter(const std::string& address,
                                                int64_t second) {
  auto from = parse(address);
  if (!count_loopback_ && from.is_loopback())
    return verdict::admitted;
  std::lock_guard guard{mutex_};
  auto& x = at(from, second);
  auto out = judge(x);
  if (out == verdict::admitted) {
    ++x.open;
    ++x.started;
  }
  return out;
}

address_limiter::verdict
address_limiter::enter_session(const std::string& address, bool proxied,
                               int64_t second, entry*& where) {
  where = nullptr;
  auto from = parse(address);
  if (!count_loopback_ && from.is_loopback())
    return verdict::admitted;
  std::lock_guard guard{mutex_};
  auto& x = at(from, second);
  where = &x;
  if (proxied)
    if (auto no = judge(x); no != verdict::admitted)
      return no;
  if (x.sessions >= sessions_)
    return verdict::crowded;
  ++x.sessions;
  if (proxied) {
    ++x.open;
    ++x.started;
  }
  return verdict::admitted;
}

address_limiter::entry* address_limiter::find(const std::string& address) {
  auto from = parse(address);
  if (!count_loopback_ && from.is_loopback())
    return nullptr;
  std::lock_guard guard{mutex_};
  auto i = entries_.find(from.client());
  return i == entries_.end() ? nullptr : &i->second;
}

void address_limiter::leave(entry& x) {
  std::lock_guard guard{mutex_};
  if (x.open > 0)
    --x.open;
}

void address_limiter::leave_session(entry& x, bool proxied) {
  std::lock_guard guard{mutex_};
  if (x.sessions > 0)
    --x.sessions;
  if (proxied && x.open > 0)
    --x.open;
}

} // namespace signalbox::net
