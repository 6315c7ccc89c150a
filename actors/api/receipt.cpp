#include "actors/api/receipt.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <exception>
#include <utility>

namespace signalbox {

receipt::receipt(counters& count, ingest_actor asker, const deliver_users& x)
  : count_(count), asker_(std::move(asker)), ticket_(x.ticket) {
  found_.reserve(x.users.size());
  if (x.confirm == 0)
    return;
  names_ = x.users;
  taken_ = std::make_unique<std::atomic<uint32_t>[]>(names_.size());
}

receipt::~receipt() {
  // Where even this fails, memory is all gone.
  try {
    answer();
  } catch (const std::exception& e) {
    spdlog::error("an event is not answered: {}", e.what());
  }
}

void receipt::add(uint64_t connections, bool found) {
  expected_ += connections;
  matched_ += found ? 1 : 0;
  found_.push_back(found);
}

void receipt::took(uint32_t user) noexcept {
  online_.fetch_add(1, std::memory_order_relaxed);
  if (taken_ != nullptr)
    taken_[user].fetch_add(1, std::memory_order_relaxed);
}

void receipt::answer() {
  // Every holder counts before it lets go of its reference.
  auto online = online_.load(std::memory_order_relaxed);
  count_.deliveries.fetch_add(online, std::memory_order_relaxed);
  count_.deliveries_dropped.fetch_add(expected_ - online,
                                      std::memory_order_relaxed);
  if (!asker_ || ticket_ == 0)
    return;
  routed out;
  out.ticket = ticket_;
  out.matched = matched_;
  out.online = online;
  out.found = std::move(found_);
  for (size_t i = 0; i < names_.size(); ++i)
    if (taken_[i].load(std::memory_order_relaxed) == 0)
      out.offline.push_back(std::move(names_[i]));
  caf::anon_send(asker_, std::move(out));
}

} // namespace signalbox
