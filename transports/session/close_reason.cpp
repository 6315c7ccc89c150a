#include "transports/session/close_reason.hpp"

#include <cstddef>
#include <iterator>

namespace signalbox::session {

namespace {

constexpr const char* names[] = {
  "client_close",
  "transport_error",
  "ping_timeout",
  "parse_error",
  "slow",
  "connect_timeout",
  "limit",
  "kicked",
  "shutdown",
  "actor_down",
  "site_unavailable",
};

static_assert(std::size(names) == static_cast<size_t>(close_reason::count_),
              "every reason needs a name");

} // namespace

const char* to_string(close_reason x) noexcept {
  return names[static_cast<size_t>(x)];
}

} // namespace signalbox::session
