#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox::net {

class http_connection;

/// One HTTP request. The views belong to the connection and are valid until
/// the request is answered or handed on.
struct http_request {
  std::string_view method;
  /// Target as it came, path and query.
  std::string_view target;
  std::string_view path;
  std::string_view query;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  std::string body;
  /// Address of the client, behind trusted proxies the one they report.
  std::string address;
  /// Host the client asked for, behind trusted proxies the one they report.
  std::string host;
  /// Port the client asked for where a trusted proxy reports one; its own as
  /// often as not.
  std::string_view port;
  /// Whether the client's own connection is encrypted.
  bool secure = false;
  /// Whether it came by a trusted proxy, whose connections are not counted.
  bool proxied = false;

  /// Returns the value of the first line of a header (any case), empty if it is
  /// missing. For those that are a list see `header_list.hpp`.
  std::string_view header(std::string_view name) const noexcept;
};

/// What answers a request.
struct http_response {
  unsigned status = 200;
  std::string body;
  /// Stands for `body` if it is set, and may answer others too.
  std::shared_ptr<const std::string> shared;
  std::string_view content_type = "text/plain; charset=UTF-8";
  /// Further header lines, complete with their CRLF.
  std::string headers;
  /// Whether the connection ends with this response.
  bool close = false;

  std::string_view content() const noexcept {
    return shared == nullptr ? std::string_view{body}
                             : std::string_view{*shared};
  }
};

/// Decides what happens with requests; one per listener and loop.
class http_service {
public:
  virtual ~http_service() = default;

  /// The header is complete. Returns the largest body this request may have.
  /// May answer or hand the connection on at once; then `on_request` is not
  /// called.
  virtual size_t on_header(const std::shared_ptr<http_connection>& from) = 0;

  /// Returns whether a request is answered soon and by this connection, so that
  /// answers to earlier ones may wait for its own.
  virtual bool answers_soon(const http_request&) const {
    return false;
  }

  /// Returns whether a client that closes its side behind its request is still
  /// answered; otherwise it has gone.
  virtual bool answers_ended(const http_request&) const {
    return false;
  }

  /// The request is complete.
  virtual void on_request(const std::shared_ptr<http_connection>& from) = 0;

  /// The body is larger than allowed. Answered with a bare 413 if it is not
  /// answered here; the connection ends in any case.
  virtual void on_too_large(http_connection&) {
    // nop
  }

  /// The client went away before its request was answered.
  virtual void on_abort(http_connection&) {
    // nop
  }

  /// Returns header lines to add to an answer the connection gives by itself.
  virtual std::string error_headers(const http_request&) {
    return {};
  }
};

/// Appends everything of an answer that stands before its body. `close` says
/// that the connection ends, `old` that the client speaks HTTP/1.0.
void append_head(const http_response& x, bool close, bool old,
                 std::string& out);

/// Returns whether two header names or tokens are equal, ignoring case.
bool same_token(std::string_view x, std::string_view y) noexcept;

} // namespace signalbox::net
