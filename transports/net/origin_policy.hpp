#pragma once

#include "transports/codec/uri.hpp"
#include "transports/net/http.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

/// Decides which pages may speak to the router. CORS headers alone would not
/// do: browsers ignore them for WebSockets.
class origin_policy {
public:
  /// `allow` has been validated: every entry parses.
  origin_policy(const std::vector<std::string>& allow, bool require);

  /// Returns whether a request may go on.
  bool admits(const http_request& x) const;

  /// Returns whether a request by script tag (JSONP) may go on. Any page can
  /// make one without an Origin and read the answer, so it must say where it
  /// comes from: by an admitted Origin, or else an admitted Referer.
  bool admits_script(const http_request& x) const;

  /// Returns the CORS header lines of an admitted request, empty if it has no
  /// Origin.
  static std::string headers(const http_request& x);

  /// Returns the answer to a preflight of an admitted request.
  static http_response preflight(const http_request& x);

private:
  bool matches(const codec::origin& from, const http_request& x) const;

  std::vector<codec::origin_pattern> allow_;
  bool require_;
};

} // namespace signalbox::net
