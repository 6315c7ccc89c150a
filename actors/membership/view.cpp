#include "actors/membership/view.hpp"

#include <algorithm>

namespace signalbox {

namespace {

uint64_t mix(uint64_t x, uint64_t y) {
  x = (x ^ y) * 0x9e3779b97f4a7c15;
  return x ^ (x >> 32);
}

} // namespace

view_state::view_state(uint16_t self, uint64_t incarnation)
  : self_(self), incarnation_(incarnation) {
  change();
  reattached(serial_);
}

void view_state::up(uint16_t node, uint64_t incarnation) {
  peers_[node] = {incarnation, {}, 0};
  change();
}

void view_state::down(uint16_t node) {
  if (peers_.erase(node) > 0)
    change();
}

bool view_state::reattached(uint64_t serial) {
  if (serial != serial_)
    return false;
  reattached_ = true;
  judge();
  return true;
}

bool view_state::take(uint16_t node, const wire::view& x) {
  auto i = peers_.find(node);
  if (i == peers_.end())
    return false;
  i->second.last = x;
  judge();
  return reattached_ && i->second.echoed != x.serial;
}

wire::view view_state::say(uint16_t node) {
  auto& to = peers_[node];
  to.echoed = to.last.serial;
  wire::view out;
  out.hash = hash_;
  out.serial = serial_;
  out.echo = to.last.serial;
  return out;
}

void view_state::change() {
  ++serial_;
  reattached_ = false;
  nodes_.assign(1, self_);
  for (const auto& [node, x] : peers_)
    nodes_.push_back(node);
  std::sort(nodes_.begin(), nodes_.end());
  hash_ = 0;
  for (auto node : nodes_)
    hash_ = mix(mix(hash_, node + 1u),
                node == self_ ? incarnation_ : peers_[node].incarnation);
  judge();
}

void view_state::judge() {
  settled_ =
    reattached_
    && std::all_of(peers_.begin(), peers_.end(), [this](const auto& x) {
         return x.second.last.hash == hash_ && x.second.last.echo == serial_;
       });
}

} // namespace signalbox
