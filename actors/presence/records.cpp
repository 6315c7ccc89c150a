#include "actors/presence/records.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox {

namespace {

presence& local(const presence_actor& x) {
  return *static_cast<presence*>(caf::actor_cast<caf::abstract_actor*>(x));
}

} // namespace

records::records(shard& home, const std::map<std::string, nsp_actor>& nsps,
                 const presence_settings& opts, counters& count, links to)
  : home_(home), opts_(opts), count_(count), to_(std::move(to)),
    nsps_(nsps.begin(), nsps.end()) {
  // nop
}

ec records::add(uint16_t node, const std::string& user, const std::string& info,
                const wire::seat& x, bool claimed) {
  auto known = records_.count(user) > 0;
  auto& r = find_or_make(user);
  auto outcome = ec::none;
  std::optional<presence::entry> displaced;
  change(r, [&] {
    outcome =
      r.add({node, index(x.nsp), x.connection, claimed}, info, displaced);
  });
  if (displaced)
    to_.on_displaced(user, displaced->node, displaced->connection);
  if (outcome != ec::none && !known)
    r.dismiss();
  return outcome;
}

void records::remove(uint16_t node, const std::string& user,
                     const wire::seat& x) {
  auto i = records_.find(user);
  if (i == records_.end())
    return;
  auto& r = local(i->second);
  change(r, [&] { r.remove({node, index(x.nsp), x.connection}); });
}

void records::hold(uint16_t node, const wire::hold& x) {
  auto& r = find_or_make(x.user);
  std::vector<presence::entry> now;
  for (const auto& each : x.seats)
    now.push_back({node, index(each.nsp), each.connection});
  if (!x.info.empty())
    r.set_info(x.info, index(x.info_nsp));
  change(r, [&] { r.replace(node, now); });
}

void records::release(uint16_t node, const std::string& user) {
  auto i = records_.find(user);
  if (i == records_.end())
    return;
  auto& r = local(i->second);
  change(r, [&] { r.replace(node, {}); });
  if (r.entries().empty() && !to_.here(user))
    r.dismiss();
}

void records::keep(const std::function<bool(uint16_t node)>& lives) {
  for (auto& [name, handle] : records_) {
    auto& x = local(handle);
    auto here = to_.here(x.user());
    x.set_home(here);
    std::vector<uint16_t> gone;
    for (const auto& each : x.entries())
      if (!lives(each.node))
        gone.push_back(each.node);
    for (auto node : gone)
      change(x, [&] { x.replace(node, {}); });
    if (!here)
      change(x, [&] { x.drop_unclaimed(); });
  }
  end_if([this](const presence& x) {
    return x.entries().empty() && !to_.here(x.user());
  });
}

wire::whereabouts records::locate(const std::string& user,
                                  const std::string& nsp) const {
  wire::whereabouts out;
  const auto* x = find(user);
  if (x == nullptr)
    return out;
  out.known = true;
  for (const auto& each : x->entries()) {
    if (nsps_[each.nsp].first != nsp)
      continue;
    ++out.online;
    if (std::find(out.nodes.begin(), out.nodes.end(), each.node)
        == out.nodes.end())
      out.nodes.push_back(each.node);
  }
  return out;
}

const presence* records::find(const std::string& user) const {
  auto i = records_.find(user);
  return i == records_.end() ? nullptr : &local(i->second);
}

presence_actor records::handle(const std::string& user) const {
  auto i = records_.find(user);
  return i == records_.end() ? presence_actor{} : i->second;
}

std::vector<std::string> records::namespaces(const std::string& user) const {
  std::vector<std::string> out;
  if (const auto* x = find(user))
    for (auto each : namespaces(*x))
      out.push_back(nsps_[each].first);
  return out;
}

uint64_t records::version(const std::string& user) {
  auto i = records_.find(user);
  if (i == records_.end())
    return 0;
  auto& x = local(i->second);
  x.lift(to_.version_floor());
  return x.version();
}

void records::clear() {
  stopping_ = true;
  // At once: they call back, and USERS may be gone before a message arrives.
  for (auto& [user, each] : records_)
    local(each).dismiss();
  records_.clear();
  nsps_.clear();
  to_ = {};
}

presence& records::find_or_make(const std::string& user) {
  auto i = records_.find(user);
  if (i != records_.end())
    return local(i->second);
  // A version must never go back, not even over the end of a record (one of
  // the same second), of the process or of the node that had it.
  auto version = std::max(to_.version_floor(), last_version_);
  presence::keeper& owner = *this;
  auto [handle, self] = spawn_light<presence, presence_actor>(
    home_, user, version, opts_, count_, owner);
  self->set_home(to_.here(user));
  ++count_.users_online;
  records_.emplace(self->user(), handle);
  return *self;
}

void records::on_ended(presence& x, bool in_order) {
  auto i = records_.find(x.user());
  if (stopping_ || i == records_.end() || &local(i->second) != &x)
    return;
  --count_.users_online;
  last_version_ = std::max(last_version_, x.version());
  records_.erase(i);
  recount(namespaces(x), {});
  if (in_order || x.entries().empty())
    return;
  spdlog::warn("a presence record was lost; {} connections report again",
               x.entries().size());
  std::vector<uint16_t> nodes;
  for (const auto& each : x.entries())
    if (std::find(nodes.begin(), nodes.end(), each.node) == nodes.end())
      nodes.push_back(each.node);
  to_.on_lost(x.user(), nodes);
}

void records::end_if(const std::function<bool(const presence& x)>& wanted) {
  std::vector<presence_actor> all;
  for (auto& [user, r] : records_)
    if (wanted(local(r)))
      all.push_back(r);
  // Each takes itself off the table.
  for (auto& each : all)
    local(each).dismiss();
}

// -- namespaces ---------------------------------------------------------------

uint16_t records::index(const std::string& nsp) {
  for (size_t i = 0; i < nsps_.size(); ++i)
    if (nsps_[i].first == nsp)
      return static_cast<uint16_t>(i);
  // Another node has a namespace that this one has not.
  nsps_.emplace_back(nsp, nsp_actor{});
  return static_cast<uint16_t>(nsps_.size() - 1);
}

std::vector<uint16_t> records::namespaces(const presence& x) const {
  std::vector<uint16_t> out;
  for (const auto& each : x.entries())
    if (std::find(out.begin(), out.end(), each.nsp) == out.end())
      out.push_back(each.nsp);
  return out;
}

void records::recount(const std::vector<uint16_t>& before,
                      const std::vector<uint16_t>& after) {
  auto tell = [this](const auto& in, const auto& but, int64_t n) {
    for (auto nsp : in)
      if (nsps_[nsp].second
          && std::find(but.begin(), but.end(), nsp) == but.end())
        caf::anon_send(nsps_[nsp].second, member_count{n});
  };
  tell(after, before, 1);
  tell(before, after, -1);
}

void records::change(presence& x, const std::function<void()>& fun) {
  auto before = namespaces(x);
  fun();
  recount(before, namespaces(x));
}

} // namespace signalbox
