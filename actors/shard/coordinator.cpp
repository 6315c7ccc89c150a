#include "actors/shard/coordinator.hpp"

#include <caf/actor_system.hpp>
#include <pthread.h>

#include <chrono>
#include <string>

namespace signalbox {

namespace {

/// How long the shards may handle the last actors' messages.
constexpr auto settle = std::chrono::milliseconds{200};

} // namespace

shard_config::shard_config() {
  load<coordinator>();
  set("scheduler.max-throughput", size_t{64});
}

coordinator::coordinator(caf::actor_system& sys) : super(sys) {
  // nop
}

coordinator::~coordinator() = default;

void coordinator::enqueue(caf::resumable* job) {
  auto i = next_worker_.fetch_add(1, std::memory_order_relaxed);
  shards_[i % shards_.size()]->exec_later(job);
}

caf::actor_clock& coordinator::clock() noexcept {
  return clock_;
}

void coordinator::start() {
  const auto& cfg = static_cast<const shard_config&>(config());
  for (auto* loop : cfg.loops)
    shards_.push_back(std::make_unique<shard>(system(), *loop));
  for (auto& each : shards_) {
    threads_.emplace_back([at = each.get()] {
      at->enter_thread();
      at->home().run();
    });
    auto name = "shard" + std::to_string(each->index());
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
  clock_thread_ = std::thread{[this] { clock_.run_dispatch_loop(); }};
  pthread_setname_np(clock_thread_.native_handle(), "clock");
  super::start();
}

void coordinator::stop() {
  stop_actors();
  clock_.cancel_dispatch_loop();
  clock_thread_.join();
  std::this_thread::sleep_for(settle);
  const auto& cfg = static_cast<const shard_config&>(config());
  for (auto* loop : cfg.loops)
    loop->stop();
  for (auto& each : threads_)
    each.join();
  for (auto& each : shards_)
    each->cleanup();
}

caf::actor_system::module* coordinator::make(caf::actor_system& sys,
                                             caf::detail::type_list<>) {
  return new coordinator(sys);
}

coordinator& shards_of(caf::actor_system& sys) {
  return static_cast<coordinator&>(sys.scheduler());
}

} // namespace signalbox
