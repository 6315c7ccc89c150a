#pragma once

#include "transports/net/http.hpp"

#include <memory>
#include <string>
#include <vector>

namespace signalbox::net {

/// Puts a guard before the service for operators, which asks for no key. It
/// keeps out pages of other sites, those too that point a name of theirs at
/// this machine (DNS rebinding): for every path and method the Host must be
/// an address, a name of loopback or one of `hosts`; the Origin, if there is
/// one, the listener's own; and the browser must not say that another site's
/// page asks. A request without a Host passes, as health checks send it and no
/// browser does.
std::unique_ptr<http_service>
make_operations_guard(std::unique_ptr<http_service> service,
                      std::vector<std::string> hosts);

} // namespace signalbox::net
