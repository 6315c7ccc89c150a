#pragma once

#include "transports/codec/dialect.hpp"
#include "transports/net/client_files.hpp"
#include "transports/net/engine_options.hpp"
#include "transports/net/engine_query.hpp"
#include "transports/net/held_poll.hpp"
#include "transports/net/http.hpp"
#include "transports/net/http_connection.hpp"
#include "transports/net/origin_policy.hpp"
#include "transports/net/session_gate.hpp"
#include "transports/net/session_ids.hpp"
#include "transports/net/session_table.hpp"
#include "transports/net/spread.hpp"
#include "transports/net/websocket_connection.hpp"
#include "transports/session/engine_session.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

class legacy_service;

/// Serves Engine.IO below `options.path`: handshakes, polling, upgrades, and
/// the official client's files. What speaks 0.9 there goes to a
/// `legacy_service`.
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

  /// Adds every session that lives. On the loop's thread.
  void collect(session_list& to) const;

  /// Drops every session. On the loop's thread.
  void close_all();

private:
  struct entry;
  struct exchange;

  std::optional<std::string_view> below(const http_request& x) const;

  /// Returns the path below the prefix if it is one of 0.9.
  std::optional<codec::legacy_path> legacy_path(const http_request& x) const;
  void refuse_revision(http_connection& from, const engine_query& query,
                       bool upgrade);
  void note_poll(entry& x, const http_connection& from);
  void open(const std::shared_ptr<http_connection>& from,
            const engine_query& query, bool upgrade);
  void on_session(const std::shared_ptr<http_connection>& from,
                  const std::shared_ptr<entry>& owner,
                  const engine_query& query);
  void on_upgrade(const std::shared_ptr<http_connection>& from,
                  const engine_query& query);
  std::shared_ptr<entry> insert(http_connection& from,
                                const engine_query& query, refusal_form form);
  poll_style style(const http_request& x, const engine_query& query) const;
  void answer_error(http_connection& from, int code, bool raw);
  http_response make_answer(const http_request& to, unsigned status,
                            std::string body, std::string_view type) const;
  void answer(http_connection& from, unsigned status, std::string body,
              std::string_view type);

  loop& home_;
  const engine_options& opts_;
  const session_ids& ids_;
  const origin_policy& origins_;
  const client_files& files_;
  engine_counters& counters_;
  session::acceptor& accept_;
  bool stopping_ = false;
  spread drain_;
  session_gate gate_;
  session_table<entry> sessions_;
  std::unique_ptr<legacy_service> legacy_;
};

} // namespace signalbox::net
