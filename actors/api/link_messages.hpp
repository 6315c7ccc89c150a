#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/meta/type_name.hpp>

#include <cstdint>
#include <string>

// The only messages that CAF carries between nodes.

namespace signalbox {

/// Opens a session between two nodes: to MEMBERSHIP of the one that is dialed,
/// and back to the LINK that dialed.
struct link_open {
  /// One `wire::hello`.
  std::string bytes;
  /// The sender's LINK.
  caf::strong_actor_ptr link;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, link_open& x) {
  return f(caf::meta::type_name("signalbox.link_open"), x.bytes, x.link);
}

/// What one LINK sends to the other.
struct link_batch {
  /// Session it belongs to; a late one of an earlier session is void.
  uint64_t session = 0;
  /// Counts the batches from one process to another, over all sessions; 0 for
  /// what is outside of the count.
  uint64_t number = 0;
  /// Number of the last batch received the other way.
  uint64_t received = 0;
  /// Wire items.
  std::string bytes;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, link_batch& x) {
  return f(caf::meta::type_name("signalbox.link_batch"), x.session, x.number,
           x.received, x.bytes);
}

} // namespace signalbox
