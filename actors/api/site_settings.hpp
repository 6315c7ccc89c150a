#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace signalbox {

using std::chrono::milliseconds;

/// By which headers the site learns of the browser behind a call.
enum class forwarded_style : uint8_t {
  /// None.
  none,
  /// X-Forwarded-For, -Proto and -Host.
  x_forwarded,
  /// Forwarded (RFC 7239).
  forwarded,
  /// Both of these.
  both,
};

/// What becomes of a CONNECT for which the site has no verdict: it is down,
/// slow, or broken, or the CONNECT's turn did not come in time.
enum class unavailable_policy : uint8_t {
  /// It waits, and the site is asked again.
  hold,
  /// Its connection is closed, after which clients come back by themselves.
  retry,
  /// It gets CONNECT_ERROR, after which clients do not come back by themselves.
  refuse,
};

/// The site's API.
struct site_settings {
  /// URL asked who a browser is; empty if every namespace is anonymous.
  std::string auth_url;
  /// URL that receives the events of browsers; empty if none does.
  std::string event_url;
  /// Headers of the browser that are passed on beside its cookies.
  std::vector<std::string> headers = {"accept-language", "user-agent"};
  /// Names of the cookies that are passed on; empty for all.
  std::vector<std::string> cookies;
  /// How the site learns of the browser's address, scheme and host.
  forwarded_style forwarded = forwarded_style::x_forwarded;
  /// Limit for connecting to the site.
  milliseconds connect_timeout{1000};
  /// Limit for the call itself, without the wait for its turn.
  milliseconds timeout{3000};
  /// Most calls at a time.
  size_t concurrency = 28;
  /// Most calls that wait for their turn.
  size_t queue = 1000;
  /// How long a call may wait for its turn.
  milliseconds queue_timeout{15000};
  /// What becomes of a CONNECT while the site has no verdict.
  unavailable_policy when_unavailable = unavailable_policy::hold;
  /// How long a connection to the site may idle before its next call; 0 for a
  /// connection of its own for each call.
  milliseconds keep_alive{4000};
  /// Largest reply in bytes.
  size_t max_reply = 65536;
  /// PEM file with the CA of the site's certificate; empty for the system's.
  std::string ca_file;
};

/// The cache of the site's verdicts.
struct site_auth_settings {
  /// How long a positive verdict may be used again; 0 for never.
  milliseconds cache_ttl{0};
};

} // namespace signalbox
