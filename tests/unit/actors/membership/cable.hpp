#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/actors.hpp"

namespace signalbox::test {

/// What a network does to one session.
struct cable {
  std::string from;
  std::string to;
  /// Nothing arrives, and neither end is told.
  bool cut = false;
  /// What arrives waits for `release`.
  bool held = false;
  std::deque<std::function<void()>> waiting;
  std::vector<caf::actor> ends;
};

/// Stands for an actor at the other end of a cable, as CAF's proxies do for
/// one of another process: ends with the cable, or with the actor.
class cable_end : public light_actor {
public:
  cable_end(caf::actor_config& cfg, shard& at, std::shared_ptr<cable> on,
            caf::strong_actor_ptr to)
    : light_actor(cfg, at), on_(std::move(on)), to_(std::move(to)) {
    // nop
  }

  const char* name() const override {
    return "cable_end";
  }

  void watch() {
    monitor(caf::actor_cast<caf::actor>(to_));
  }

  /// Returns the end that stands for `x` where this cable leads to.
  static caf::strong_actor_ptr make(shard& at, std::shared_ptr<cable> on,
                                    caf::strong_actor_ptr x) {
    auto [handle, self] =
      spawn_light<cable_end, caf::actor>(at, on, std::move(x));
    self->watch();
    on->ends.push_back(handle);
    return caf::actor_cast<caf::strong_actor_ptr>(handle);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<link_open, link_batch>(x, [this](auto& msg) {
      if (on_->cut)
        return;
      if constexpr (std::is_same_v<std::decay_t<decltype(msg)>, link_open>)
        msg.link = make(home(), on_, std::move(msg.link));
      on_->waiting.push_back([to = to_, copy = msg]() mutable {
        caf::anon_send(caf::actor_cast<caf::actor>(to), std::move(copy));
      });
      if (!on_->held)
        release();
    });
  }

  void on_down(const caf::down_msg&) override {
    if (!on_->cut)
      quit();
  }

  void on_end(const caf::error&) override {
    to_ = nullptr;
    on_ = nullptr;
  }

private:
  void release() {
    for (auto& each : std::exchange(on_->waiting, {}))
      each();
  }

  std::shared_ptr<cable> on_;
  caf::strong_actor_ptr to_;
};

} // namespace signalbox::test
