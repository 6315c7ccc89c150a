#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox::session {

/// What a client presented with the request that opened its session.
struct handshake {
  /// Request headers as they came, names in lower case.
  std::vector<std::pair<std::string, std::string>> headers;
  /// Address of the client, behind trusted proxies the one they report.
  std::string address;
  /// The raw query string.
  std::string query;
  /// Which client generation speaks, for lists and metrics.
  std::string_view dialect = "eio4";
  /// Whether it came to the listener for publishers without a key.
  bool site = false;

  /// Returns the value of a header (lower-case name), empty if it is missing.
  std::string_view header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers)
      if (key == name)
        return value;
    return {};
  }
};

} // namespace signalbox::session
