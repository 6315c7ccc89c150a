#include "actors/connection/place.hpp"

#include "actors/api/messages.hpp"
#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <iterator>

namespace signalbox {

void place::enter(signalbox::hub& to, uint32_t lost) {
  at = stage::joined;
  losses = static_cast<uint16_t>(lost);
  hub = &to;
  to.join(*this);
  if (auto arrived = std::move(arriving))
    for (const auto& room : arrived->rooms)
      to.join_room(*this, room);
}

void place::listen_as(const std::string& name) {
  arriving = std::make_unique<arrival>();
  listens = true;
  user = name;
}

std::optional<uint64_t> place::owe(uint64_t confirm, int64_t until,
                                   size_t most) {
  if (debts_ == nullptr)
    debts_ = std::make_unique<debts>();
  if (debts_->acks.size() >= most)
    return {};
  auto id = debts_->next++;
  debts_->acks[id] = {confirm, until};
  return id;
}

uint64_t place::settle(std::optional<uint64_t> id) {
  if (debts_ == nullptr || !id)
    return 0;
  auto node = debts_->acks.extract(*id);
  return node.empty() ? 0 : node.mapped().confirm;
}

void place::tell_dropped(const ingest_actor& to, uint64_t confirm) const {
  caf::anon_send(to, confirmed{confirm, user, true});
}

void place::tell_dropped(const ingest_actor& to) const {
  if (debts_ != nullptr)
    for (const auto& [id, each] : debts_->acks)
      tell_dropped(to, each.confirm);
}

void place::change_rooms(const signalbox::change_rooms& x) {
  if (hub == nullptr)
    return;
  for (const auto& room : x.leave)
    hub->leave_room(*this, room);
  for (const auto& room : x.join)
    hub->join_room(*this, room);
}

bool place::expire(int64_t now) {
  if (debts_ != nullptr)
    std::erase_if(debts_->acks,
                  [now](const auto& x) { return now >= x.second.until; });
  return at == stage::held && now >= arriving->held->until();
}

void place::hold_from(int64_t now, std::atomic<int64_t>& gauge) {
  at = stage::held;
  arriving->asked = 0;
  arriving->held.emplace(
    gauge, now + pause_before_asking(++arriving->failures).count());
}

int64_t place::next_expiry(int64_t otherwise) const {
  if (at == stage::held
      && (otherwise == 0 || arriving->held->until() < otherwise))
    otherwise = arriving->held->until();
  if (debts_ == nullptr)
    return otherwise;
  for (const auto& [id, each] : debts_->acks)
    if (otherwise == 0 || each.until < otherwise)
      otherwise = each.until;
  return otherwise;
}

// -- places --------------------------------------------------------------

size_t places::size() const noexcept {
  return static_cast<size_t>(std::distance(all_.begin(), all_.end()));
}

bool places::inside() const noexcept {
  return std::any_of(all_.begin(), all_.end(),
                     [](const auto& x) { return x.inside(); });
}

void places::remove(const place& x) {
  all_.remove_if([&x](const auto& each) { return &each == &x; });
}

template <class F>
place* places::find_if(F wanted) {
  auto i = std::find_if(all_.begin(), all_.end(), wanted);
  return i == all_.end() ? nullptr : &*i;
}

place* places::find(const std::string& nsp) {
  return find_if([&](const auto& x) { return x.nsp == nsp; });
}

place* places::find(uint64_t ticket, place::stage at) {
  return find_if(
    [&](const auto& x) { return x.ticket == ticket && x.at == at; });
}

place* places::find_sid(std::string_view sid) {
  return find_if([&](const auto& x) {
    return x.sid == sid && x.at == place::stage::joined;
  });
}

place* places::find_receiver(const deliver& x) {
  auto* out = find_sid(x.sid);
  auto late = out != nullptr && x.before != 0 && !out->joined_before(x.before);
  return late ? nullptr : out;
}

} // namespace signalbox
