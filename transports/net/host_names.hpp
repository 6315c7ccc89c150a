#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

/// Returns whether a host, as `codec::origin` has it, is a name of loopback or
/// one of the list. Another name may have been pointed at this machine by the
/// page that uses it (DNS rebinding).
bool is_known_host(std::string_view host, const std::vector<std::string>& list);

} // namespace signalbox::net
