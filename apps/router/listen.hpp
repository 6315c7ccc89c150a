#pragma once

#include "actors/api/settings.hpp"
#include "apps/router/command_line.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::app {

/// Runs `listen USER`: connects to the listener for events as a Socket.IO
/// client that sees what the user receives, and prints each event until it is
/// ended or the router closes. It counts as one connection of the user. Returns
/// the exit code: 1 if it was refused or the router cannot be reached.
int listen(const command_line& line, const std::string& url,
           const std::string& key);

/// Returns the packets of a payload of Engine.IO 4.
std::vector<std::string_view> split_payload(std::string_view body);

/// What a Socket.IO packet says to someone who listens.
struct heard {
  enum class kind : uint8_t {
    /// An event; `text` is its JSON array.
    event,
    /// The namespace was joined.
    joined,
    /// It was refused; `text` is the JSON object that says why.
    refused,
    /// The router ended it.
    ended,
    /// Binary bytes follow, or anything else.
    other,
  };
  kind is = kind::other;
  std::string text;
};

/// Reads a Socket.IO packet without its Engine.IO type: `2["letter",{}]`.
heard read_heard(std::string_view packet);

} // namespace signalbox::app
