#pragma once

#include "transports/net/http.hpp"

#include <string>
#include <string_view>

namespace signalbox::net {

class http_connection;

/// Returns whether a request asks to become something else than HTTP.
bool wants_upgrade(const http_request& x);

/// How a request to become a WebSocket is judged.
struct upgrade_options {
  /// Whether permessage-deflate may be agreed on.
  bool deflate = false;
  /// Whether the 28 characters that some old clients send as their key will
  /// do (see `ws::valid_old_key`).
  bool old_key = false;
  /// Header lines for any answer.
  std::string headers;
};

/// The answer to a request to become a WebSocket.
struct upgrade_answer {
  /// The whole 101 response; empty if the request is refused.
  std::string accepted;
  /// Whether permessage-deflate was agreed on.
  bool deflate = false;
  /// Otherwise: the text of the refusal.
  std::string_view refusal;
  /// Header lines that belong to the refusal.
  std::string_view refusal_headers;
};

/// Judges a request by RFC 6455 section 4.2, in the order and with the texts of
/// the official server.
upgrade_answer judge_upgrade(const http_request& x,
                             const upgrade_options& opts);

/// Refuses an upgrade as the official server does: status 400, the bare text,
/// and the end of the connection.
void refuse_upgrade(http_connection& from, std::string_view text,
                    std::string headers);

} // namespace signalbox::net
