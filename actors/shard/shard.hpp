#pragma once

#include "transports/net/loop.hpp"

#include <caf/execution_unit.hpp>
#include <caf/mailbox_element.hpp>
#include <caf/resumable.hpp>

#include <cstddef>
#include <mutex>
#include <vector>

namespace signalbox {

class light_actor;

/// One event loop as a place where actors run. Messages to light actors and
/// jobs of ordinary CAF actors form one queue: messages that one thread puts in
/// are handled in that order, whichever actors they are for. The order
/// guarantees of the router rest on this (docs/architecture.md).
class shard : public caf::execution_unit {
public:
  shard(caf::actor_system& sys, net::loop& home);
  ~shard() override;

  shard(const shard&) = delete;
  shard& operator=(const shard&) = delete;

  /// Queues a job of an ordinary actor; takes over one reference to it. From
  /// any thread.
  void exec_later(caf::resumable* job) override;

  /// Queues a message to a light actor. From any thread.
  void deliver(light_actor& to, caf::mailbox_element_ptr what);

  net::loop& home() noexcept {
    return home_;
  }

  /// Returns the position of this shard among its siblings.
  size_t index() const noexcept {
    return home_.index();
  }

  /// Says that the calling thread is the one that runs the loop.
  void enter_thread() noexcept;

  /// Releases the messages still queued. After the loop has stopped.
  void cleanup();

private:
  struct item {
    /// A light actor with its message, or else a job; one reference is held.
    light_actor* to = nullptr;
    caf::mailbox_element_ptr what;
    caf::resumable* job = nullptr;
  };

  void push(item x);
  void drain();
  void run(item& x);

  net::loop& home_;
  /// What this thread itself queued.
  std::vector<item> local_;
  /// What other threads queued.
  std::mutex mutex_;
  std::vector<item> inbox_;
  std::vector<item> running_;
  size_t next_ = 0;
  bool inbox_posted_ = false;
  bool local_posted_ = false;
};

} // namespace signalbox
