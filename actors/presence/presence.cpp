#include "actors/presence/presence.hpp"

#include "actors/api/type_ids.hpp"

#include <algorithm>
#include <set>
#include <utility>

namespace signalbox {

presence::presence(caf::actor_config& cfg, shard& at, std::string user,
                   uint64_t version, const presence_settings& opts,
                   counters& count, keeper& owner)
  : light_actor(cfg, at), opts_(opts), population_(count, actor_kind::presence),
    owner_(&owner), user_(std::move(user)), version_(version) {
  // nop
}

const char* presence::name() const {
  return "signalbox.presence";
}

ec presence::add(const entry& x, const std::string& info,
                 std::optional<entry>& displaced) {
  auto known = std::find(entries_.begin(), entries_.end(), x);
  if (known != entries_.end()) {
    known->claimed = known->claimed || x.claimed;
    return ec::none;
  }
  // One connection may be in several namespaces and counts once.
  std::set<std::pair<uint16_t, uint64_t>> connections;
  for (const auto& each : entries_)
    connections.emplace(each.node, each.connection);
  if (connections.count({x.node, x.connection}) == 0
      && connections.size() >= opts_.max_connections) {
    if (opts_.when_full == presence_full::refuse_newest)
      return ec::too_many_connections;
    // Entries stand in the order in which they came.
    displaced = entries_.front();
    rise(std::erase_if(entries_, [&displaced](const entry& each) {
      return each.node == displaced->node
             && each.connection == displaced->connection;
    }));
  }
  grace_.cancel();
  info_ = info;
  info_nsp_ = x.nsp;
  entries_.push_back(x);
  rise(1);
  return ec::none;
}

bool presence::remove(const entry& x) {
  if (std::erase(entries_, x) == 0)
    return false;
  rise(1);
  arm();
  return true;
}

void presence::replace(uint16_t node, const std::vector<entry>& now) {
  auto gone = std::erase_if(entries_, [&](const entry& x) {
    return x.node == node && std::find(now.begin(), now.end(), x) == now.end();
  });
  rise(gone);
  for (const auto& each : now) {
    auto known = std::find(entries_.begin(), entries_.end(), each);
    if (known != entries_.end()) {
      known->claimed = each.claimed;
      continue;
    }
    entries_.push_back(each);
    rise(1);
  }
  if (entries_.empty() && gone > 0)
    arm();
  else if (!entries_.empty())
    grace_.cancel();
}

void presence::drop_unclaimed() {
  rise(std::erase_if(entries_, [](const entry& x) { return !x.claimed; }));
}

void presence::set_info(const std::string& info, uint16_t nsp) {
  info_ = info;
  info_nsp_ = nsp;
}

void presence::dismiss() {
  in_order_ = true;
  quit();
}

void presence::receive(caf::mailbox_element& x) {
  unexpected(x);
}

void presence::on_end(const caf::error&) {
  population_.end();
  grace_.cancel();
  if (auto* owner = std::exchange(owner_, nullptr))
    owner->on_ended(*this, in_order_);
  entries_.clear();
}

void presence::arm() {
  if (entries_.empty())
    grace_.arm<&presence::on_grace_over>(home().home().wheel(), this,
                                         opts_.leave_grace.count());
}

void presence::on_grace_over() {
  dismiss();
}

} // namespace signalbox
