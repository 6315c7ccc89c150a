#pragma once

#include "actors/api/settings.hpp"
#include "apps/router/command_line.hpp"

namespace signalbox::app {

/// Runs the commands that call a running router over HTTP: `emit`,
/// `presence`, `disconnect`, `status`, `clients`, `cluster`. Returns the exit
/// code: 0 if the router did what was asked, 1 if it refused or could not be
/// reached.
int run_command(const command_line& line, const settings& opts);

/// Runs `key new`: prints 24 random bytes in base64url, and on a terminal where
/// to put them. Returns the exit code.
int new_key();

/// Runs `serve` until a signal ends it. Returns the exit code. The command line
/// tells where the settings come from, should they have changed.
int serve(const settings& opts, const command_line& line);

} // namespace signalbox::app
