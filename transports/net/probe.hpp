#pragma once

#include "transports/net/loop.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace signalbox::net {

/// Looks whether somebody listens at `address` (`host:port`): connects without
/// blocking, closes at once and calls `done` with an empty string or with what
/// went wrong. On the loop's thread.
void probe(loop& home, const std::string& address,
           std::chrono::milliseconds timeout,
           std::function<void(std::string error)> done);

/// Splits `host:port`; the host may be an IPv6 address in brackets, which are
/// taken off. Returns false if it is none.
bool split_address(const std::string& address, std::string& host,
                   std::string& port);

} // namespace signalbox::net
