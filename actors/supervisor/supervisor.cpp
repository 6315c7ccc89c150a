#include "actors/supervisor/supervisor.hpp"

#include <caf/actor_addr.hpp>

#include <map>
#include <new>
#include <utility>

namespace signalbox {

namespace {

/// Returns what an actor ended with, as people say it.
std::string reason_of(const caf::error& x, const caf::actor_system& sys) {
  // What it threw stands behind the code.
  if (x.category() == caf::atom("system") && x.context().size() == 1
      && x.context().match_element<std::string>(0))
    return x.context().get_as<std::string>(0);
  return sys.render(x);
}

class supervisor_impl : public light_actor {
public:
  supervisor_impl(caf::actor_config& cfg, shard& at, counters& count,
                  failure tell)
    : light_actor(cfg, at), population_(count, actor_kind::supervisor),
      tell_(std::move(tell)) {
    // nop
  }

  const char* name() const override {
    return "signalbox.supervisor";
  }

  void watch(const supervised& x) {
    if (!alive())
      return;
    // The address alone, so that no actor lives on for being watched.
    names_[x.handle.address()] = x.name;
    monitor(x.handle);
  }

protected:
  void receive(caf::mailbox_element& x) override {
    unexpected(x);
  }

  void on_down(const caf::down_msg& x) override {
    if (auto tell = std::exchange(tell_, nullptr))
      tell(describe(x));
  }

  void on_end(const caf::error&) override {
    population_.end();
    tell_ = nullptr;
    names_.clear();
  }

private:
  /// Returns who ended and why, in fewer words if there is no memory.
  std::string describe(const caf::down_msg& x) const {
    try {
      auto i = names_.find(x.source);
      return (i == names_.end() ? "an actor" : i->second) + " ended: "
             + (x.reason ? reason_of(x.reason, home().system())
                         : std::string{"no reason given"});
    } catch (const std::bad_alloc&) {
      return "out of memory";
    }
  }

  population population_;
  failure tell_;
  std::map<caf::actor_addr, std::string> names_;
};

} // namespace

supervisor_ref spawn_supervisor(shard& home, counters& count, failure tell) {
  auto [handle, self] =
    spawn_light<supervisor_impl, caf::actor>(home, count, std::move(tell));
  return {handle, self};
}

void supervise(const supervisor_ref& by, supervised x) {
  auto& self = *static_cast<supervisor_impl*>(by.local);
  self.home().home().post(
    [&self, keep = by.handle, x = std::move(x)] { self.watch(x); });
}

} // namespace signalbox
