#include "apps/router/version.hpp"

namespace signalbox::app {

const std::string_view version = SIGNALBOX_VERSION;

} // namespace signalbox::app
