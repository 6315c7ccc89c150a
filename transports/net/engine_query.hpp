#pragma once

#include "transports/codec/dialect.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace signalbox::net {

struct engine_options;

/// The query of a request below the Engine.IO path. Of a parameter that comes
/// more than once the last one wins, as in the official server.
struct engine_query {
  engine_query(std::string_view query, const engine_options& opts);

  bool says(codec::dialect x) const noexcept {
    return speaks == x;
  }

  std::string transport;
  std::string sid;
  /// The revision as the client wrote it.
  std::string eio;
  /// The client takes no bytes.
  bool base64 = false;
  /// Index of the callback of a request by script tag.
  std::optional<std::string> script;
  /// The revision that the router speaks to it; nothing if there is none.
  std::optional<codec::dialect> speaks;
};

} // namespace signalbox::net
