#pragma once

#include "transports/codec/uri.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/tls.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
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

/// What came of it.
struct client_reply {
  /// Why there is no answer: "timeout", "queue full", "connection refused" …;
  /// empty if there is one.
  std::string error;
  unsigned status = 0;
  /// Without parameters, in lower case.
  std::string content_type;
  std::string body;
};

/// Calls HTTP/1.1 servers over kept connections. Follows no redirects, asks for
/// no compression, and bounds everything: calls at a time, calls that wait,
/// time, and size. Lives on one loop.
class http_client {
public:
  /// Bounds of all calls.
  struct options {
    std::chrono::milliseconds connect_timeout{1000};
    std::chrono::milliseconds timeout{3000};
    size_t concurrency = 28;
    size_t queue = 1000;
    size_t max_reply = 65536;
  };

  using callback = std::function<void(client_reply)>;

  /// `tls` may be null if no URL is https.
  http_client(loop& home, options opts, std::shared_ptr<tls_context> tls);
  ~http_client();

  /// Makes a call; `done` runs once, on the loop, unless the client is
  /// destroyed before. Time spent waiting counts.
  void call(client_request x, callback done);

  size_t active() const noexcept {
    return active_.size();
  }

  size_t waiting() const noexcept {
    return waiting_.size();
  }

private:
  class exchange;
  struct kept;
  struct resolver;

  void start_next();
  void finish(exchange& x);
  std::unique_ptr<kept> take(const codec::url& to);
  void keep(std::unique_ptr<kept> x);

  loop& home_;
  options opts_;
  std::shared_ptr<tls_context> tls_;
  std::unique_ptr<resolver> resolver_;
  std::deque<std::shared_ptr<exchange>> waiting_;
  std::list<std::shared_ptr<exchange>> active_;
  std::list<std::unique_ptr<kept>> idle_;
  /// Ends with this object, which what was posted may outlive.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};

} // namespace signalbox::net
