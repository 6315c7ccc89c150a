#pragma once

#include "transports/net/engine_options.hpp"

namespace signalbox::app {

/// Logs a page that was refused, though not more than `log_cause::page` may.
/// From any thread.
void report_page(const net::refused_page& x);

} // namespace signalbox::app
