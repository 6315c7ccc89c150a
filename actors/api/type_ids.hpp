#pragma once

#include "actors/api/link_messages.hpp"
#include "actors/api/messages.hpp"
#include "actors/api/wire.hpp"

#include <caf/type_id.hpp>

// Append only: nodes of different versions may talk to each other one day.

CAF_BEGIN_TYPE_ID_BLOCK(signalbox, caf::first_custom_type_id)

  CAF_ADD_TYPE_ID(signalbox, (signalbox::received))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::session_upgraded))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::session_closed))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::authenticate))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::verdict))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::forward_event))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::event_forwarded))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::presence_attach))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::attached))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::presence_detach))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::moved))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::deliver))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::disconnect))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::change_rooms))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::deliver_users))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::broadcast))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::routed))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::confirmed))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::user_command))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::user_info))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::fan_out))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::fanned_out))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::member_count))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::api_call))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::api_answer))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::publish))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::published))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::view_changed))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::batches_acked))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::tunnel_out))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::dialed))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::link_open))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::link_batch))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::attach))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::attached))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::detach))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::hold))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::release))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::recall))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::locate))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::located))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::deliver))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::broadcast))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::routed))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::confirmed))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::command))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::command_done))
  CAF_ADD_TYPE_ID(signalbox, (signalbox::wire::tunnel))

CAF_END_TYPE_ID_BLOCK(signalbox)
