#include "actors/presence/commands.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>

#include <algorithm>

namespace signalbox {

namespace {

using kind = user_command::kind;

bool in_scope(const user_command& x, std::string_view nsp) {
  return x.scope.empty()
         || std::find(x.scope.begin(), x.scope.end(), nsp) != x.scope.end();
}

/// Returns a user's record if the command may know of it, else null.
const presence* find(const user_command& x, const records& homes,
                     const std::string& user) {
  if (x.scope.empty())
    return homes.find(user);
  auto all = homes.namespaces(user);
  auto visible = std::any_of(all.begin(), all.end(), [&](const auto& each) {
    return in_scope(x, each);
  });
  return visible ? homes.find(user) : nullptr;
}

void show(const user_command& x, const seats& here, records& homes,
          user_info& out) {
  const auto& name = x.ids.front();
  const auto* record = find(x, homes, name);
  out.online.push_back(record != nullptr);
  if (record != nullptr) {
    out.version = homes.version(name);
    if (in_scope(x, homes.info_nsp(*record)))
      out.info = record->info();
  }
  if (const auto* user = here.find(name))
    for (const auto& each : user->all)
      if (in_scope(x, *each.nsp))
        out.connections.push_back(to_json(each));
}

/// Sends the command to a connection. Returns whether it concerns it.
bool change(const user_command& x, const seats::seat& to) {
  if ((!x.nsp.empty() && *to.nsp != x.nsp) || !in_scope(x, *to.nsp))
    return false;
  if (x.what == kind::disconnect)
    caf::anon_send(to.who, disconnect{to.sid});
  else
    caf::anon_send(to.who, change_rooms{to.sid, x.join, x.leave});
  return true;
}

void change(const user_command& x, const seats& here, user_info& out) {
  for (const auto& id : x.ids) {
    if (x.connections) {
      const auto* found = here.find_sid(id);
      out.changed += found != nullptr && change(x, *found) ? 1 : 0;
    } else if (const auto* user = here.find(id)) {
      for (const auto& each : user->all)
        out.changed += change(x, each) ? 1 : 0;
    }
  }
}

} // namespace

user_info run(const user_command& x, const seats& here, records& homes) {
  user_info out;
  out.ticket = x.ticket;
  switch (x.what) {
  case kind::show:
    show(x, here, homes, out);
    break;
  case kind::online:
    for (const auto& user : x.ids)
      out.online.push_back(find(x, homes, user) != nullptr);
    break;
  case kind::disconnect:
  case kind::rooms:
    change(x, here, out);
    break;
  }
  return out;
}

} // namespace signalbox
