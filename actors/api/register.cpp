#include "actors/api/register.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/actor_system_config.hpp>

namespace signalbox {

void register_messages(caf::actor_system_config& config) {
  config.add_message_types<caf::id_block::signalbox>();
}

} // namespace signalbox
