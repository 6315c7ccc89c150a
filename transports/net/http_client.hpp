#pragma once

#include "transports/codec/uri.hpp"
#include "transports/net/dialer.hpp"
#include "transports/net/kept_links.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/tls.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace signalbox::net {

/// A request of ours.
struct client_request {
  std::string_view method = "GET";
  codec::url url;
  /// Header names and values; checked for bytes that would break the request.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

/// The outcome of a call.
struct client_reply {
  /// Why there is no answer: "timeout", "Connection refused" …; empty if there
  /// is one.
  std::string error;
  unsigned status = 0;
  /// Without parameters, in lower case.
  std::string content_type;
  /// Without its content coding.
  std::string body;
};

/// Calls HTTP/1.1 servers over kept connections. Follows no redirects, and
/// bounds time and size of a call. A reply over a connection that any byte of
/// the server made doubtful is no answer: a GET is asked again over a
/// connection of its own, once; another request is repeated only if nothing of
/// it can have left. Lives on one loop.
class http_client {
public:
  /// Bounds of all calls.
  struct options {
    /// Until a connection is there, TLS included.
    std::chrono::milliseconds connect_timeout{1000};
    /// The whole call.
    std::chrono::milliseconds timeout{3000};
    /// How long a connection may idle; 0 for a connection of its own for each
    /// call.
    std::chrono::milliseconds keep_alive{4000};
    /// Most idle connections.
    size_t kept = 28;
    /// Largest body of a reply, with and without its content coding.
    size_t max_reply = 65536;
  };

  using callback = std::function<void(client_reply)>;

  /// `tls` may be null if no URL is https.
  http_client(loop& home, const options& opts,
              std::shared_ptr<tls_context> tls);
  ~http_client();

  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Makes a call at once; `done` runs once, on the loop and not from within,
  /// unless the client is destroyed before. `within` is the time for the whole
  /// call, 0 for `timeout`.
  void call(client_request x, callback done,
            std::chrono::milliseconds within = {});

  /// Returns how many calls are under way.
  size_t active() const noexcept {
    return active_.size();
  }

private:
  class exchange;

  loop& home_;
  options opts_;
  std::shared_ptr<tls_context> tls_;
  dialer dialer_;
  kept_links links_;
  std::list<std::shared_ptr<exchange>> active_;
};

} // namespace signalbox::net
