#pragma once

#include "transports/codec/uri.hpp"
#include "transports/net/http.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

/// Where a browser says that the page stands which makes a request.
enum class fetch_site : uint8_t {
  /// It says nothing, or nothing that is known: an old browser, or none.
  unsaid,
  /// No page: the address was typed, for instance.
  none,
  same_origin,
  same_site,
  cross_site,
};

/// Reads Sec-Fetch-Site, over all its lines. Of several words the one that
/// tells of the most distant page counts.
fetch_site fetch_site_of(const http_request& x);

/// Decides which pages may speak to the router. CORS headers alone would not
/// do: browsers ignore them for WebSockets.
class origin_policy {
public:
  /// `allow` has been validated: every entry parses.
  origin_policy(const std::vector<std::string>& allow, bool require);

  /// Whether a request may go on.
  enum class verdict : uint8_t {
    admitted,
    /// Its Origin, or Referer, is that of another page.
    foreign,
    /// It names no page, which it must.
    unnamed,
    /// The browser says that a page of another site made it, and it has no
    /// Origin: a picture, a link or the like, by which no client speaks.
    hidden,
  };

  /// Judges a request. One without an Origin may go on, unless that is required
  /// or the browser's Sec-Fetch-Site tells of a page of another site, or of one
  /// of the same site whose Referer is not admitted.
  verdict judge(const http_request& x) const;

  /// Judges a request by script tag (JSONP). Any page can make one without an
  /// Origin and read the answer, so it must say where it comes from: by an
  /// admitted Origin, or else an admitted Referer.
  verdict judge_script(const http_request& x) const;

  bool admits(const http_request& x) const {
    return judge(x) == verdict::admitted;
  }

  /// Returns the CORS header lines of an admitted request, empty if it has no
  /// Origin.
  static std::string headers(const http_request& x);

  /// Returns the answer to a preflight of an admitted request.
  static http_response preflight(const http_request& x);

private:
  bool admits_referer(const http_request& x) const;
  bool matches(const codec::origin& from, const http_request& x) const;

  std::vector<codec::origin_pattern> allow_;
  bool require_;
};

} // namespace signalbox::net
