#pragma once

#include "actors/api/settings.hpp"

#include <string>
#include <vector>

namespace signalbox::app {

/// Returns the names of the settings in which two differ, secrets and the
/// members of lists of objects included: "limits.per-ip", "rules".
std::vector<std::string> changed_settings(settings x, settings y);

} // namespace signalbox::app
