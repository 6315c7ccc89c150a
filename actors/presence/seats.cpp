#include "actors/presence/seats.hpp"

#include "actors/api/type_ids.hpp"
#include "transports/codec/json_text.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace signalbox {

void seats::add(const presence_attach& x, uint16_t home) {
  seat at{x.who,    &*nsps_.insert(x.nsp).first, x.sid, x.since, x.transport,
          x.dialect};
  if (x.user.empty()) {
    nobody_.emplace(x.sid, std::move(at));
    return;
  }
  auto& owner = *users_.try_emplace(x.user).first;
  auto& to = owner.second;
  to.home = home;
  to.info = x.info;
  to.info_nsp = at.nsp;
  to.all.push_back(std::move(at));
  owners_[x.sid] = &owner;
}

std::vector<seats::seat>::iterator seats::find_in(user& x,
                                                  std::string_view sid) {
  return std::find_if(x.all.begin(), x.all.end(),
                      [sid](const seat& each) { return each.sid == sid; });
}

std::optional<seats::found> seats::remove(std::string_view sid) {
  if (auto i = nobody_.find(sid); i != nobody_.end()) {
    found out{{}, std::move(i->second)};
    nobody_.erase(i);
    return out;
  }
  auto i = owners_.find(sid);
  if (i == owners_.end())
    return {};
  auto& [name, owner] = *i->second;
  owners_.erase(i);
  auto at = find_in(owner, sid);
  found out{name, std::move(*at)};
  owner.all.erase(at);
  if (owner.all.empty())
    users_.erase(out.user);
  return out;
}

void seats::move(const moved& x) {
  auto i = owners_.find(x.sid);
  if (i != owners_.end() && i->second->first == x.user)
    find_in(i->second->second, x.sid)->transport = x.transport;
}

const seats::user* seats::find(const std::string& name) const {
  auto i = users_.find(name);
  return i == users_.end() ? nullptr : &i->second;
}

const seats::seat* seats::find_sid(std::string_view sid) const {
  if (auto i = nobody_.find(sid); i != nobody_.end())
    return &i->second;
  auto i = owners_.find(sid);
  return i == owners_.end() ? nullptr : &*find_in(i->second->second, sid);
}

uint64_t seats::push(const deliver_users& x, uint32_t index,
                     const std::shared_ptr<receipt>& to) const {
  uint64_t count = 0;
  const auto* known = find(x.users[index]);
  if (known == nullptr)
    return count;
  for (const auto& each : known->all) {
    if (*each.nsp != x.event->nsp())
      continue;
    caf::anon_send(each.who, deliver{x.event, each.sid, x.volatile_, x.confirm,
                                     x.confirm_ms, to, index, x.before});
    ++count;
  }
  return count;
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
  if (x.info_nsp != nullptr)
    out.info_nsp = *x.info_nsp;
  for (const auto& each : x.all)
    out.seats.push_back({*each.nsp, connection_number(each.who)});
  return out;
}

std::string to_json(const seats::seat& x) {
  std::string out = "{\"id\":";
  codec::quote_json(x.sid, out);
  out += ",\"namespace\":";
  codec::quote_json(*x.nsp, out);
  out += ",\"transport\":";
  codec::quote_json(x.transport, out);
  out += ",\"dialect\":";
  codec::quote_json(codec::to_string(x.dialect), out);
  out += ",\"since\":" + std::to_string(x.since) + "}";
  return out;
}

} // namespace signalbox
