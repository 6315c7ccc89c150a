#pragma once

#include "actors/api/error.hpp"
#include "actors/api/messages.hpp"
#include "actors/ingest/post.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace signalbox {

/// Bounds of a command.
struct command_limits {
  size_t ids = 1000;
  size_t name_bytes = 256;
  size_t rooms = 1000;
};

/// Reads a call of the HTTP API other than posting events: what it asks of
/// users or connections. `body` is empty or valid JSON.
std::optional<refusal> read_command(std::string_view method,
                                    std::string_view path,
                                    std::string_view body,
                                    const command_limits& bounds,
                                    user_command& out);

/// Returns the JSON of the answer to a command.
std::string describe(const user_command& asked, const user_info& x);

/// Returns whether a command was for connections that are not there.
bool found_nothing(const user_command& asked, const user_info& x);

} // namespace signalbox
