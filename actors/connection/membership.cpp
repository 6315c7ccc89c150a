#include "actors/connection/membership.hpp"

namespace signalbox {

std::optional<uint64_t> membership::owe(uint64_t confirm, int64_t until,
                                        size_t most) {
  if (acks_.size() >= most)
    return {};
  auto id = next_ack_++;
  acks_[id] = {confirm, until};
  return id;
}

uint64_t membership::settle(std::optional<uint64_t> id) {
  auto node = id ? acks_.extract(*id) : decltype(acks_.extract(0)){};
  return node.empty() ? 0 : node.mapped().confirm;
}

void membership::expire(int64_t now) {
  std::erase_if(acks_, [now](const auto& x) { return now >= x.second.until; });
}

int64_t membership::next_expiry(int64_t otherwise) const {
  for (const auto& [id, each] : acks_)
    if (otherwise == 0 || each.until < otherwise)
      otherwise = each.until;
  return otherwise;
}

} // namespace signalbox
