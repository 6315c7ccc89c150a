#pragma once

#include "actors/shard/shard.hpp"

#include <caf/actor_clock.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/detail/thread_safe_actor_clock.hpp>
#include <caf/detail/type_list.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

namespace signalbox {

/// Configuration of an actor system whose actors run on event loops. The loops
/// outlive the system.
struct shard_config : caf::actor_system_config {
  shard_config();

  std::vector<net::loop*> loops;
};

/// CAF's scheduler, replaced: every actor runs on a shard, there are no other
/// worker threads. Starts a thread per loop and joins it at the end.
class coordinator : public caf::scheduler::abstract_coordinator {
public:
  using super = caf::scheduler::abstract_coordinator;

  explicit coordinator(caf::actor_system& sys);
  ~coordinator() override;

  void enqueue(caf::resumable* job) override;
  caf::actor_clock& clock() noexcept override;
  void start() override;
  void stop() override;

  shard& at(size_t index) noexcept {
    return *shards_[index];
  }

  size_t size() const noexcept {
    return shards_.size();
  }

  static caf::actor_system::module* make(caf::actor_system& sys,
                                         caf::detail::type_list<>);

private:
  caf::detail::thread_safe_actor_clock clock_;
  std::thread clock_thread_;
  std::vector<std::unique_ptr<shard>> shards_;
  std::vector<std::thread> threads_;
};

/// Returns the shards of a system that was configured with `shard_config`.
coordinator& shards_of(caf::actor_system& sys);

} // namespace signalbox
