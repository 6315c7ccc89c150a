#include "actors/ingest/confirms.hpp"

#include "transports/codec/json_text.hpp"

namespace signalbox {

void confirms::open(uint64_t ticket, under_way event,
                    std::vector<std::string> users, int64_t deadline_ms) {
  auto& x = *(all_[ticket] = std::make_unique<entry>(this, ticket));
  x.users = std::move(users);
  x.event = std::move(event);
  wheel_.arm(x.deadline, deadline_ms);
}

under_way* confirms::find(uint64_t ticket) {
  auto i = all_.find(ticket);
  return i == all_.end() ? nullptr : &i->second->event;
}

void confirms::on_routed(const routed& x) {
  auto i = all_.find(x.ticket);
  if (i == all_.end())
    return;
  auto& of = *i->second;
  of.routed = true;
  // One node may have no connection of a user who acknowledges at another.
  for (const auto& user : x.offline)
    if (of.delivered.count(user) == 0)
      of.offline.insert(user);
  settle(of);
}

void confirms::on_confirmed(const confirmed& x) {
  auto i = all_.find(x.confirm);
  if (i == all_.end())
    return;
  auto& of = *i->second;
  // Another connection of the user may still acknowledge it.
  (x.dropped ? of.dropped : of.delivered).insert(x.user);
  if (!x.dropped)
    of.offline.erase(x.user);
  settle(of);
}

std::optional<under_way> confirms::take(uint64_t ticket) {
  auto node = all_.extract(ticket);
  if (node.empty())
    return {};
  return std::move(node.mapped()->event);
}

void confirms::finish_all() {
  while (!all_.empty())
    finish(all_.begin()->first);
}

void confirms::settle(const entry& x) {
  if (x.routed && x.delivered.size() + x.offline.size() >= x.users.size())
    finish(x.ticket);
}

void confirms::finish(uint64_t ticket) {
  auto node = all_.extract(ticket);
  if (node.empty())
    return;
  auto& x = *node.mapped();
  std::string outcome = ",\"confirmed\":{";
  for (const auto& user : x.users) {
    if (outcome.back() != '{')
      outcome += ',';
    codec::quote_json(user, outcome);
    outcome += x.delivered.count(user) > 0 ? ":\"delivered\""
               : x.dropped.count(user) > 0 ? ":\"dropped\""
               : x.offline.count(user) > 0 ? ":\"offline\""
                                           : ":\"timed_out\"";
  }
  tell_(x.event, x.routed, outcome + '}');
}

} // namespace signalbox
