#pragma once

#include "apps/router/options.hpp"

namespace signalbox::app {

/// Opens the files that the settings name, as the router would at its start:
/// certificates, keys, authorities, the client's scripts. Adds an error for
/// each faulty file and a warning for each certificate that ends soon.
void check_files(loaded_settings& x);

} // namespace signalbox::app
