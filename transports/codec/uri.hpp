#pragma once

#include "transports/codec/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// URLs of the configuration, queries of requests, and the Origin check. Hosts
// are names, IPv4 addresses or IPv6 literals; schemes of URLs are http and
// https. Every refusal is `errc::bad_url`.

namespace signalbox::codec {

/// Where a request of ours goes.
struct url {
  /// `http` or `https`.
  std::string scheme;
  /// Lower-case name or address; an IPv6 address without its brackets.
  std::string host;
  /// The given port, or 80 or 443.
  uint16_t port = 0;
  /// Path and query as they were written; at least `/`.
  std::string target;
  /// Path of a Unix socket; `host` is `localhost` then. Empty for TCP.
  std::string socket;
  /// Value of the Authorization header that the user info asks for; a secret.
  std::string authorization;
};

/// Parses an absolute URL. Refuses user info, a fragment, and any byte that
/// is not printable ASCII.
result<url> parse_url(std::string_view text);

/// Parses a URL of the site: what `parse_url` takes, also with user info in
/// front of the host (`user:password@`, percent-encoded), and the two forms of
/// a Unix socket, `unix:/path:/target` and `http://unix:/path:/target`, whose
/// target may be missing.
result<url> parse_site_url(std::string_view text);

/// Returns the text of a URL without the user info that may be in it, for logs
/// and people. A text that is no URL of the site is hidden up to its last
/// `@`.
std::string hide_user_info(std::string_view text);

/// Replaces `%XX`; keeps malformed escapes as they are.
std::string percent_decode(std::string_view text);

/// Splits a query (without its `?`) into decoded names and values, in the order
/// they came. `+` is a space; a name without `=` has the empty value.
std::vector<std::pair<std::string, std::string>>
parse_query(std::string_view query);

/// The origin that a browser says it speaks for.
struct origin {
  /// `http` or `https`; of a page inside an app that app's own (`capacitor`,
  /// `chrome-extension`); `null` and `file` for those that are only a word.
  std::string scheme;
  /// Lower-case name or address; an IPv6 address without its brackets. Empty
  /// for `null` and `file`.
  std::string host;
  /// The given port, or 80 or 443, or 0 for the page of an app.
  uint16_t port = 0;

  bool operator==(const origin&) const = default;
};

/// Parses the value of an Origin header: `scheme://host[:port]` and nothing
/// behind it, `null`, or `file://`. Refuses schemes that no page has.
result<origin> parse_origin(std::string_view text);

/// An entry of the list of allowed origins.
class origin_pattern {
public:
  /// Parses `scheme://host[:port]`, `scheme://*.domain[:port]`, `null`,
  /// `file://`, or the `scheme://*` of an app.
  static result<origin_pattern> parse(std::string_view entry);

  /// Returns whether the entry allows `x`. A wildcard stands for one or more
  /// labels below the domain, never for none; by itself for any host of an
  /// app's scheme. `file://` allows `null` as well, which is what most pages in
  /// files say.
  bool matches(const origin& x) const noexcept;

private:
  origin base_;
  /// A wildcard; any host if that of the base is empty.
  bool below_ = false;
};

} // namespace signalbox::codec
