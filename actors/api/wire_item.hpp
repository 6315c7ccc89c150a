#pragma once

#include <caf/meta/type_name.hpp>

#include <cstdint>

// What every message to another node has. `from` is the node it came from, set
// by the link; it is not sent. Tags and the order of fields never change; new
// fields come last (docs/cluster.md).

namespace signalbox::wire {

/// Version of all messages. Nodes of different `major` do not talk.
constexpr uint16_t major_version = 1;
constexpr uint16_t minor_version = 0;

#define SIGNALBOX_WIRE(name, number)                                           \
  static constexpr uint8_t tag = number;                                       \
  static constexpr const char* label = #name;                                  \
  uint16_t from = 0

#define SIGNALBOX_INSPECT(name, ...)                                           \
  template <class Inspector>                                                   \
  typename Inspector::result_type inspect(Inspector& f,                        \
                                          [[maybe_unused]] name& x) {          \
    return f(caf::meta::type_name("signalbox.wire." #name) __VA_OPT__(, )      \
               __VA_ARGS__);                                                   \
  }

} // namespace signalbox::wire
