#pragma once

#include "transports/codec/dialect.hpp"
#include "transports/net/address_limiter.hpp"
#include "transports/net/client_census.hpp"
#include "transports/net/http.hpp"
#include "transports/net/notice.hpp"
#include "transports/net/origin_policy.hpp"
#include "transports/net/websocket_connection.hpp"
#include "transports/session/handshake.hpp"
#include "transports/session/session_core.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The parts that the services of all dialects share.

namespace signalbox::net {

class session_ids;
class tunnels;

/// The bounds that a new session may exceed.
enum class session_bound : uint8_t {
  /// Connections of its client's address, behind a proxy.
  per_ip,
  /// New ones in a second, behind a proxy.
  per_ip_rate,
  /// Sessions of its client's address.
  sessions_per_ip,
  /// All sessions.
  sessions,
  /// The memory of the process.
  memory,
  count_,
};

/// A request of a page that may not speak to the router.
struct refused_page {
  /// What it is refused for.
  origin_policy::verdict why = origin_policy::verdict::foreign;
  /// Its Origin, or else its Referer; empty if it has neither.
  std::string_view page;
  std::string_view host;
};

/// What the public listener counts beside `net_counters`.
struct engine_counters {
  /// Sessions that are known, those included whose clients have yet to fetch
  /// their last packets or to answer a close frame.
  std::atomic<int64_t> sessions{0};
  std::atomic<uint64_t> probes_refused{0};
  std::atomic<uint64_t> origins_refused{0};
  /// Requests of pages of other sites that named no Origin.
  std::atomic<uint64_t> hidden_pages_refused{0};
  std::array<std::atomic<uint64_t>, static_cast<size_t>(session_bound::count_)>
    sessions_refused{};
  /// Sessions that gave way to newer ones of their address.
  std::atomic<uint64_t> sessions_displaced{0};
  std::atomic<uint64_t> unknown_sids{0};
  /// Clients in a row that went on polling although they may have a WebSocket.
  std::atomic<uint32_t> stayed_polling{0};
};

/// What the engine services of all loops of a listener share.
struct engine_options {
  /// One switch for each dialect.
  using switches = std::array<bool, codec::dialects>;

  /// Ends with a slash, which a request may leave out.
  std::string path = "/socket.io/";
  session::options session;
  websocket_connection::options websocket;
  /// Request headers kept for the life of a session, in lower case.
  std::vector<std::string> keep_headers;
  /// Whether the host that a client named, and its scheme, are kept too.
  bool keep_host = false;
  /// Cookies whose change makes a sid unknown.
  std::vector<std::string> bind_cookies;
  bool compression = true;
  /// Which generations of clients are served.
  switches serves{true, true, true};
  /// Which of them may poll by script tags.
  switches jsonp{true, true, false};
  /// Whether a client that names no revision counts as one of 3.
  bool unnamed_revision = false;
  /// Whether a revision that is not 4 counts as 3, as the official server has
  /// it.
  bool lax_revision = false;
  /// Whether this is the listener for publishers without a key: no page has
  /// any business there.
  bool site = false;
  /// Where clients are counted; may be null.
  client_census* census = nullptr;
  /// The way to the sessions of other nodes; null for a router by itself.
  tunnels* away = nullptr;
  /// Where the clients' addresses are counted; null where they are not.
  address_limiter* addresses = nullptr;
  /// Sessions at a time, those of all listeners together.
  size_t most_sessions = std::numeric_limits<size_t>::max();
  /// Where a refused page is reported.
  std::function<void(const refused_page& x)> on_page_refused;
  /// Where else is reported what a setting would change; may be null.
  notice_listener on_notice;
};

/// Returns what a client presented with the current request, as far as it is
/// kept.
std::shared_ptr<const session::handshake>
make_handshake(const http_connection& by, const engine_options& opts,
               codec::dialect speaks);

/// Returns the CORS header lines of an admitted request.
std::string cors_headers(const http_request& x, const engine_options& opts);

/// Returns a hash of the cookies a session is bound to; the same for all
/// clients if there are none.
uint64_t hash_cookies(const http_request& x,
                      const std::vector<std::string>& names);

/// Passes a request, within `on_header`, on to the loop of its session, or to
/// its node as soon as it is complete. Returns false for a session that can be
/// nowhere but here; true also if the request has been answered.
bool pass_on(http_connection& from, std::string_view sid,
             const session_ids& ids, const engine_options& opts);

/// Reports something to `on_notice`, if there is one.
void tell(const engine_options& opts, notice what, std::string_view about);

/// Answers a request for a new session while the router stops, or for one too
/// many.
void refuse_while_stopping(http_connection& from, const engine_options& opts);

} // namespace signalbox::net
