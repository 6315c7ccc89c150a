#pragma once

#include "transports/codec/dialect.hpp"
#include "transports/net/engine_service.hpp"
#include "transports/net/session_table.hpp"
#include "transports/session/legacy_session.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::net {

/// Serves Socket.IO 0.9 on one loop, below the path of an `engine_service`,
/// which has checked the Origin before.
class legacy_service {
public:
  legacy_service(loop& home, const engine_options& opts, const session_ids& ids,
                 session_gate& gate, engine_counters& counters,
                 session::acceptor& accept);
  ~legacy_service();

  /// Returns whether a script tag or a form makes this request.
  bool by_script(const http_request& x, const codec::legacy_path& path) const;

  /// See `http_service`; `stopping` refuses new sessions.
  size_t on_header(const std::shared_ptr<http_connection>& from,
                   const codec::legacy_path& path, bool stopping);
  void on_request(const std::shared_ptr<http_connection>& from);
  void on_abort(http_connection& from);

  /// Adds every session that lives.
  void collect(std::vector<std::weak_ptr<session::session_core>>& to) const;

  /// Drops every session.
  void close_all();

private:
  struct entry;
  struct exchange;
  struct params;

  void open(const std::shared_ptr<http_connection>& from, const params& query);
  void on_stranger(const std::shared_ptr<http_connection>& from,
                   const codec::legacy_path& path, const params& query);
  size_t on_session(const std::shared_ptr<http_connection>& from,
                    const std::shared_ptr<entry>& owner,
                    const codec::legacy_path& path, const params& query);
  void on_upgrade(const std::shared_ptr<http_connection>& from,
                  const std::shared_ptr<entry>& owner);
  void on_htmlfile(const std::shared_ptr<http_connection>& from,
                   const std::shared_ptr<entry>& owner);
  void count(entry& x, std::string_view transport, const http_request& by);
  poll_style style(const http_request& x, const params& query) const;
  void answer(http_connection& from, unsigned status, std::string body);

  loop& home_;
  const engine_options& opts_;
  const session_ids& ids_;
  session_gate& gate_;
  engine_counters& counters_;
  session::acceptor& accept_;
  session_table<entry> sessions_;
};

} // namespace signalbox::net
