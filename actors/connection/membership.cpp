#include "actors/connection/membership.hpp"

namespace signalbox {

std::optional<uint64_t> membership::owe(uint64_t confirm, int64_t until,
                                        size_t most) {
  if (debts_ == nullptr)
    debts_ = std::make_unique<debts>();
  if (debts_->acks.size() >= most)
    return {};
  auto id = debts_->next++;
  debts_->acks[id] = {confirm, until};
  return id;
}

uint64_t membership::settle(std::optional<uint64_t> id) {
  if (debts_ == nullptr || !id)
    return 0;
  auto node = debts_->acks.extract(*id);
  return node.empty() ? 0 : node.mapped().confirm;
}

void membership::expire(int64_t now) {
  if (debts_ != nullptr)
    std::erase_if(debts_->acks,
                  [now](const auto& x) { return now >= x.second.until; });
}

int64_t membership::next_expiry(int64_t otherwise) const {
  if (debts_ == nullptr)
    return otherwise;
  for (const auto& [id, each] : debts_->acks)
    if (otherwise == 0 || each.until < otherwise)
      otherwise = each.until;
  return otherwise;
}

} // namespace signalbox
