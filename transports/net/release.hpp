#pragma once

#include "transports/net/http_connection.hpp"

#include <memory>

namespace signalbox::net {

/// A poll that is held by `from` for the session in `owner` is answered early
/// if the node that its client is connected to is about to end.
template <class Entry>
void release_with(http_connection& from, const std::shared_ptr<Entry>& owner) {
  if (from.tunnelled())
    from.on_release([weak = std::weak_ptr{owner}] {
      if (auto x = weak.lock())
        x->session.release_poll();
    });
}

} // namespace signalbox::net
