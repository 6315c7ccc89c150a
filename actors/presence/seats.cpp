#include "actors/presence/seats.hpp"

#include "actors/api/type_ids.hpp"
#include "transports/codec/json_scan.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace signalbox {

void seats::add(const presence_attach& x, uint16_t home) {
  seat at{x.who, x.nsp, x.sid, x.transport, x.dialect, x.since};
  if (x.user.empty()) {
    nobody_.emplace(x.sid, std::move(at));
    return;
  }
  auto& to = users_[x.user];
  to.home = home;
  to.info = x.info;
  to.all.push_back(std::move(at));
  owners_[x.sid] = x.user;
}

std::optional<seats::found> seats::remove(const std::string& sid) {
  if (auto anybody = nobody_.extract(sid); !anybody.empty())
    return found{{}, std::move(anybody.mapped())};
  auto owner = owners_.extract(sid);
  if (owner.empty())
    return {};
  auto i = users_.find(owner.mapped());
  if (i == users_.end())
    return {};
  auto& all = i->second.all;
  auto j = std::find_if(all.begin(), all.end(),
                        [&sid](const seat& x) { return x.sid == sid; });
  if (j == all.end())
    return {};
  found out{std::move(owner.mapped()), std::move(*j)};
  all.erase(j);
  if (all.empty())
    users_.erase(i);
  return out;
}

void seats::move(const moved& x) {
  auto i = users_.find(x.user);
  if (i == users_.end())
    return;
  for (auto& each : i->second.all)
    if (each.sid == x.sid)
      each.transport = x.transport;
}

const seats::user* seats::find(const std::string& name) const {
  auto i = users_.find(name);
  return i == users_.end() ? nullptr : &i->second;
}

const seats::seat* seats::find_sid(const std::string& sid) const {
  if (auto anybody = nobody_.find(sid); anybody != nobody_.end())
    return &anybody->second;
  auto owner = owners_.find(sid);
  if (owner == owners_.end())
    return nullptr;
  auto i = users_.find(owner->second);
  if (i != users_.end())
    for (const auto& each : i->second.all)
      if (each.sid == sid)
        return &each;
  return nullptr;
}

uint64_t seats::push(const std::string& name, const deliver_users& x) const {
  uint64_t reached = 0;
  const auto* to = find(name);
  if (to == nullptr)
    return reached;
  for (const auto& each : to->all) {
    if (each.nsp != x.event->nsp())
      continue;
    caf::anon_send(each.who, deliver{x.event, each.sid, x.volatile_, x.confirm,
                                     x.confirm_ms});
    ++reached;
  }
  return reached;
}

void seats::clear() {
  users_.clear();
  nobody_.clear();
  owners_.clear();
}

uint64_t connection_number(const connection_actor& x) {
  return x.id();
}

wire::hold describe(const std::string& name, const seats::user& x) {
  wire::hold out;
  out.user = name;
  out.info = x.info;
  for (const auto& each : x.all)
    out.seats.push_back({each.nsp, connection_number(each.who)});
  return out;
}

std::string to_json(const seats::seat& x) {
  std::string out = "{\"id\":";
  codec::quote_json(x.sid, out);
  out += ",\"namespace\":";
  codec::quote_json(x.nsp, out);
  out += ",\"transport\":";
  codec::quote_json(x.transport, out);
  out += ",\"dialect\":";
  codec::quote_json(x.dialect, out);
  out += ",\"since\":" + std::to_string(x.since) + "}";
  return out;
}

} // namespace signalbox
