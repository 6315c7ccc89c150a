#include "transports/net/session_gate.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/net/http_connection.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signalbox::net {

void session_seat::leave() noexcept {
  use();
  if (auto* x = std::exchange(at_, nullptr))
    limiter_->leave_session(*x, proxied_);
}

bool session_gate::admit(http_connection& from, session_seat& out,
                         refusal_form form) {
  using verdict = address_limiter::verdict;
  auto no = [&](session_bound which, unsigned status, std::string_view why) {
    static constexpr notice notices[] = {notice::per_ip, notice::per_ip_rate,
                                         notice::sessions_per_ip,
                                         notice::sessions, notice::memory};
    static_assert(std::size(notices)
                  == static_cast<size_t>(session_bound::count_));
    tell(opts_, notices[static_cast<size_t>(which)], from.request().address);
    ++counters_.sessions_refused[static_cast<size_t>(which)];
    refuse(from, opts_, status, why, form);
    return false;
  };
  if (short_of_memory(from.owner().limits()))
    return no(session_bound::memory, 503, "Short of memory");
  auto open = counters_.sessions.load(std::memory_order_relaxed);
  if (static_cast<uint64_t>(open) >= opts_.most_sessions)
    return no(session_bound::sessions, 503, "Too many sessions");
  auto* limiter = opts_.addresses;
  if (limiter == nullptr)
    return true;
  const auto& x = from.request();
  auto enter = [&] {
    return limiter->enter_session(x.address, x.proxied, loop::clock() / 1000,
                                  out.at_);
  };
  auto said = enter();
  if (said == verdict::crowded && displace(*out.at_))
    said = enter();
  out.limiter_ = limiter;
  out.proxied_ = x.proxied;
  if (said == verdict::admitted)
    return true;
  out.at_ = nullptr;
  switch (said) {
  case verdict::too_many:
    return no(session_bound::per_ip, 429, "Too many connections of an address");
  case verdict::too_fast:
    return no(session_bound::per_ip_rate, 429,
              "Too many new connections of an address");
  default:
    return no(session_bound::sessions_per_ip, 429,
              "Too many sessions of an address");
  }
}

void session_gate::expect(session_seat& x, session::session_core& who) {
  if (x.at_ == nullptr)
    return;
  if (waiting_.size() >= sweep_at_) {
    std::erase_if(waiting_,
                  [](const auto& each) { return each.second.empty(); });
    sweep_at_ = std::max<size_t>(64, 2 * waiting_.size());
  }
  x.who_ = &who;
  waiting_[x.at_].push_back(x);
}

/// Ends the session of an address that has waited for longest.
bool session_gate::displace(address_limiter::entry& x) {
  auto i = waiting_.find(&x);
  if (i == waiting_.end() || i->second.empty())
    return false;
  auto& oldest = i->second.front();
  oldest.use();
  ++counters_.sessions_displaced;
  oldest.who_->abort(session::close_reason::limit);
  return true;
}

void refuse(http_connection& from, const engine_options& opts, unsigned status,
            std::string_view why, refusal_form form) {
  http_response x;
  x.status = status;
  x.headers = cors_headers(from.request(), opts);
  if (status != 403)
    x.headers += "Retry-After: 1\r\n";
  if (form == refusal_form::json) {
    x.content_type = "application/json";
    x.body = "{\"code\":4,\"message\":";
    codec::quote_json(why, x.body);
    x.body += '}';
  } else {
    x.body = why;
  }
  x.close = form == refusal_form::upgrade;
  from.respond(std::move(x));
}

} // namespace signalbox::net
