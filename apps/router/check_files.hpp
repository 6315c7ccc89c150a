#pragma once

#include "apps/router/options.hpp"

namespace signalbox::app {

/// Opens the files that the settings name, as the router would at its start:
/// certificates, keys, authorities, the client's scripts. What is wrong becomes
/// an error of its setting, a certificate that ends soon a warning.
void check_files(loaded_settings& x);

} // namespace signalbox::app
