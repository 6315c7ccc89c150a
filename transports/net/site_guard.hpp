#pragma once

#include "transports/net/http.hpp"

#include <memory>
#include <string>
#include <vector>

namespace signalbox::net {

/// Rules for clients of the listener for publishers without a key.
struct site_guard_options {
  /// Networks that may connect; empty for all, which is right for loopback.
  std::vector<std::string> allow;
  /// Host names by which it may be called, beside those of loopback.
  std::vector<std::string> hosts;
};

/// Puts a guard before a service. It lets through what old libraries send and
/// no browser does: no cookie, none of the headers that browsers add, an Origin
/// that is the listener's own URL or `*`, and a Host of the list. So a page on
/// the same machine, which can reach the listener too, can post nothing.
std::unique_ptr<http_service>
make_site_guard(std::unique_ptr<http_service> service, site_guard_options opts);

} // namespace signalbox::net
