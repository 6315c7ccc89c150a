#pragma once

#include <string_view>

namespace signalbox::app {

/// The version of this build, e.g. `0.1.0`.
extern const std::string_view version;

} // namespace signalbox::app
