#pragma once

#include "transports/net/client_files.hpp"
#include "transports/net/http.hpp"
#include "transports/net/http_connection.hpp"
#include "transports/net/origin_policy.hpp"
#include "transports/net/session_ids.hpp"
#include "transports/net/websocket_connection.hpp"
#include "transports/session/engine_session.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace signalbox::net {

/// What the public listener counts beside `net_counters`.
struct engine_counters {
  /// Sessions that are known, those included whose clients have yet to fetch
  /// their last packets or to answer a close frame.
  std::atomic<int64_t> sessions{0};
  std::atomic<uint64_t> probes_refused{0};
  std::atomic<uint64_t> origins_refused{0};
  std::atomic<uint64_t> unknown_sids{0};
};

/// What the engine services of all loops share.
struct engine_options {
  std::string path = "/socket.io/";
  session::options session;
  websocket_connection::options websocket;
  /// Request headers kept for the life of a session, in lower case.
  std::vector<std::string> keep_headers;
  /// Cookies whose change makes a sid unknown.
  std::vector<std::string> bind_cookies;
  bool compression = true;
  /// Where a refused Origin is reported, with the request's Origin.
  std::function<void(std::string_view origin, std::string_view host)>
    on_origin_refused;
};

/// Serves Engine.IO 4 below `options.path`: handshakes, polling, upgrades, and
/// the official client's files.
class engine_service : public http_service {
public:
  engine_service(loop& home, const engine_options& opts, const session_ids& ids,
                 const origin_policy& origins, const client_files& files,
                 engine_counters& counters, session::acceptor& accept);
  ~engine_service() override;

  size_t on_header(const std::shared_ptr<http_connection>& from) override;
  void on_request(const std::shared_ptr<http_connection>& from) override;
  void on_too_large(http_connection& from) override;
  void on_abort(http_connection& from) override;
  std::string error_headers(const http_request& x) override;

  /// Refuses new sessions from now on, and closes those there are, spread
  /// evenly over `spread_ms`. On the loop's thread.
  void drain(int64_t spread_ms);

  /// Drops every session. On the loop's thread.
  void close_all();

private:
  struct entry;
  struct exchange;
  class held_poll;
  struct params;

  void drain_some();
  void open(const std::shared_ptr<http_connection>& from, bool upgrade);
  void on_upgrade(const std::shared_ptr<http_connection>& from,
                  const params& query);
  std::shared_ptr<entry> insert(const http_request& x);
  void answer_error(http_connection& from, int code, bool raw);
  void answer(http_connection& from, unsigned status, std::string body,
              std::string_view type);
  uint64_t cookie_hash(const http_request& x) const;
  static void forget(void* self, session::engine_session& x);

  loop& home_;
  const engine_options& opts_;
  const session_ids& ids_;
  const origin_policy& origins_;
  const client_files& files_;
  engine_counters& counters_;
  session::acceptor& accept_;
  bool stopping_ = false;
  session::timer drain_timer_;
  int64_t drain_from_ = 0;
  int64_t drain_for_ = 0;
  size_t drained_ = 0;
  std::vector<std::weak_ptr<entry>> to_drain_;
  std::unordered_map<std::string_view, std::shared_ptr<entry>> sessions_;
};

} // namespace signalbox::net
