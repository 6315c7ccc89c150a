#include "actors/relay/gather.hpp"

#include <algorithm>

namespace signalbox {

namespace {

/// Sets every bit of `more` in `bits`.
void unite(std::vector<bool>& bits, const std::vector<bool>& more) {
  bits.resize(std::max(bits.size(), more.size()));
  for (size_t i = 0; i < more.size(); ++i)
    if (more[i])
      bits[i] = true;
}

} // namespace

void gather::add(uint16_t node, const routed& x) {
  if (waiting_.erase(node) == 0)
    return;
  event.online += x.online;
  if (x.outcome != ec::none)
    event.outcome = x.outcome;
  if (!located_) {
    event.matched += x.matched;
    unite(event.found, x.found);
  }
  blame(x.unreachable);
  for (const auto& user : x.offline)
    ++offline_[user];
}

void gather::add(uint16_t node, const user_info& x) {
  if (waiting_.erase(node) == 0)
    return;
  info.version = std::max(info.version, x.version);
  if (!x.info.empty())
    info.info = x.info;
  info.connections.insert(info.connections.end(), x.connections.begin(),
                          x.connections.end());
  unite(info.online, x.online);
  info.changed += x.changed;
}

void gather::lost(uint16_t node) {
  if (waiting_.erase(node) > 0)
    unreachable_.insert(node);
}

void gather::keep(const std::function<bool(uint16_t node)>& lives) {
  auto all = waiting_;
  for (auto node : all)
    if (!lives(node))
      lost(node);
}

void gather::give_up() {
  unreachable_.insert(waiting_.begin(), waiting_.end());
  waiting_.clear();
}

/// Returns how many nodes were asked about a user.
size_t gather::asked(const std::string& user) const {
  auto i = holders_.find(user);
  return i == holders_.end() ? asked_ : i->second.size();
}

void gather::finish(const std::vector<uint16_t>& lost) {
  // A node that is lost may have the user, and may have sent the event.
  for (const auto& [user, nodes] : offline_)
    if (nodes >= asked(user))
      event.offline.push_back(user);
  // A user or room found on several nodes counts once.
  if (!event.found.empty())
    event.matched = static_cast<uint64_t>(
      std::count(event.found.begin(), event.found.end(), true));
  unreachable_.insert(blamed_.begin(), blamed_.end());
  unreachable_.insert(lost.begin(), lost.end());
  event.unreachable.assign(unreachable_.begin(), unreachable_.end());
  info.unreachable = event.unreachable;
}

} // namespace signalbox
