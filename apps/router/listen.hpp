#pragma once

#include "apps/router/command_line.hpp"

#include <string>

namespace signalbox::app {

/// Runs `listen USER`: connects to the listener for events as a Socket.IO
/// client that sees what the user receives, and prints each event until it is
/// ended or the router closes. It counts as one connection of the user. Returns
/// the exit code: 1 if it was refused or the router cannot be reached.
int listen(const command_line& line, const std::string& url,
           const std::string& key);

} // namespace signalbox::app
