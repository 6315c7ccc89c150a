#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace signalbox {

/// Whether connections may begin with a PROXY header.
enum class proxy_protocol : uint8_t {
  /// None may.
  off,
  /// Those of trusted proxies may, in version 1 or 2.
  accept,
};

/// Which headers are believed of trusted proxies.
enum class proxy_headers : uint8_t {
  /// X-Forwarded-For and its kin; Forwarded if none of them came.
  any,
  /// X-Forwarded-For and its kin alone.
  x_forwarded,
  /// Forwarded alone.
  forwarded,
};

/// Proxies in front of the router.
struct proxy_settings {
  /// Addresses or networks (`10.0.0.0/8`) that are believed about their
  /// clients.
  std::vector<std::string> trusted_proxies;
  /// Which headers are believed of them.
  proxy_headers headers = proxy_headers::any;
  /// Whether their connections may begin with a PROXY header.
  proxy_protocol protocol = proxy_protocol::off;
};

} // namespace signalbox
