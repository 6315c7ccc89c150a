#include "actors/presence/presence.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <set>

namespace signalbox {

presence::presence(caf::actor_config& cfg, shard& at, std::string user,
                   uint64_t version, const presence_settings& opts,
                   counters& count, ended on_ended)
  : light_actor(cfg, at), opts_(opts), population_(count, actor_kind::presence),
    user_(std::move(user)), version_(version), on_ended_(std::move(on_ended)),
    grace_(session::make_timer<&presence::on_grace_over>(this)) {
  // nop
}

const char* presence::name() const {
  return "signalbox.presence";
}

ec presence::add(const presence_attach& x) {
  auto same_sid = [&x](const entry& each) { return each.sid == x.sid; };
  if (std::any_of(entries_.begin(), entries_.end(), same_sid))
    return ec::none;
  // One connection may be in several namespaces and counts once.
  std::set<caf::actor_id> connections;
  for (const auto& each : entries_)
    connections.insert(each.who.id());
  if (connections.count(x.who.id()) == 0
      && connections.size() >= opts_.max_connections)
    return ec::too_many_connections;
  grace_.cancel();
  info_ = x.info;
  entries_.push_back({x.who, x.nsp, x.sid, x.transport, x.dialect, x.since});
  ++version_;
  return ec::none;
}

bool presence::remove(const std::string& sid) {
  auto n =
    std::erase_if(entries_, [&sid](const entry& x) { return x.sid == sid; });
  if (n == 0)
    return false;
  ++version_;
  if (entries_.empty())
    home().home().wheel().arm(grace_, opts_.leave_grace.count());
  return true;
}

void presence::move(const moved& x) {
  for (auto& each : entries_)
    if (each.sid == x.sid)
      each.transport = x.transport;
}

uint64_t presence::push(const deliver_users& x) {
  uint64_t reached = 0;
  for (const auto& each : entries_) {
    if (each.nsp != x.event->nsp())
      continue;
    caf::anon_send(each.who, deliver{x.event, each.sid, x.volatile_, x.confirm,
                                     x.confirm_ms});
    ++reached;
  }
  return reached;
}

void presence::receive(caf::mailbox_element& x) {
  auto known = dispatch<presence_detach>(
    x, [this](presence_detach& msg) { remove(msg.sid); });
  if (!known)
    unexpected(x);
}

void presence::on_end(const caf::error&) {
  population_.end();
  grace_.cancel();
  if (auto tell = std::move(on_ended_))
    tell(*this, grace_over_);
  entries_.clear();
}

void presence::on_grace_over() {
  grace_over_ = true;
  quit();
}

} // namespace signalbox
