#pragma once

#include <string_view>

namespace signalbox::app {

/// The version of this build.
constexpr std::string_view version = SIGNALBOX_VERSION;

} // namespace signalbox::app
