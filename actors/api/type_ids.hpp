#pragma once

#include "actors/api/messages.hpp"

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
  CAF_ADD_TYPE_ID(signalbox, (signalbox::reattach))
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

CAF_END_TYPE_ID_BLOCK(signalbox)
