#pragma once

#include "actors/api/wire.hpp"

#include <tuple>

namespace signalbox::test {

/// Every item that nodes send to each other.
using wire_types =
  std::tuple<wire::view, wire::members, wire::leaving, wire::drain, wire::floor,
             wire::attach, wire::attached, wire::detach, wire::hold,
             wire::release, wire::recall, wire::displace, wire::locate,
             wire::located, wire::deliver, wire::broadcast, wire::routed,
             wire::confirmed, wire::command, wire::command_done, wire::submit,
             wire::claim, wire::claimed, wire::claim_settled, wire::keys,
             wire::tunnel, wire::hello, wire::refusal, wire::ping, wire::pong,
             wire::restart>;

/// Calls `fun` with one of each, whose fields have their defaults.
template <class F>
void for_each_wire_type(F&& fun) {
  [&fun]<class... Ts>(std::tuple<Ts...>*) {
    (fun(Ts{}), ...);
  }(static_cast<wire_types*>(nullptr));
}

} // namespace signalbox::test
