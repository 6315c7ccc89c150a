#pragma once

#include <caf/fwd.hpp>

namespace signalbox {

/// Makes an actor system know every message of ours. Apart from the type IDs,
/// because the code for all messages takes seconds to compile.
void register_messages(caf::actor_system_config& config);

} // namespace signalbox
