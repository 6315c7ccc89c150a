#pragma once

#include "transports/net/loop.hpp"
#include "transports/net/stream.hpp"
#include "transports/net/tls.hpp"
#include "transports/session/timer_wheel.hpp"

#include <memory>
#include <string>

namespace signalbox::net {

class server;

/// A connection of a trusted proxy before its first request: reads the PROXY
/// header with which it may begin, and then begins TLS or HTTP. The header is
/// expected in `limits.header-timeout`.
class proxy_opening : public std::enable_shared_from_this<proxy_opening> {
public:
  /// `peer` is the address of the proxy, `io` its socket without TLS, which the
  /// listener counts as open; `tls` is null for plain HTTP.
  proxy_opening(server& owner, loop& home, std::unique_ptr<stream> io,
                std::string peer, std::shared_ptr<tls_context> tls);
  ~proxy_opening();

  /// Begins to read. Once, on the home loop.
  void start();

  /// Drops the connection.
  void die();

private:
  void read();
  void on_readable();
  void go_on(bool secure);
  void on_timeout();

  server& owner_;
  loop& home_;
  std::unique_ptr<stream> io_;
  std::string peer_;
  std::shared_ptr<tls_context> tls_;
  session::timer timer_;
  /// The bytes read of the header; in the end those behind it.
  std::string in_;
};

} // namespace signalbox::net
