#pragma once

#include "actors/api/counters.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/actor.hpp>

#include <functional>
#include <string>

namespace signalbox {

/// An actor without which the node is of no use.
struct supervised {
  /// Name for the log.
  std::string name;
  caf::actor handle;
};

/// Told once, on the SUPERVISOR's shard: what ended, and the reason in words.
using failure = std::function<void(const std::string& what)>;

/// A SUPERVISOR.
struct supervisor_ref {
  caf::actor handle;
  /// For `supervise`.
  light_actor* local = nullptr;
};

/// Spawns the SUPERVISOR, which monitors actors and tells of the first that
/// ends. It does nothing about it: what the others know of users and events
/// does not fit a new one, so the process has to begin anew. End it before the
/// others.
supervisor_ref spawn_supervisor(shard& home, counters& count, failure tell);

/// Has the SUPERVISOR watch one more actor. From any thread.
void supervise(const supervisor_ref& by, supervised x);

} // namespace signalbox
