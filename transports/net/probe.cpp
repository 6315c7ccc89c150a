#include "transports/net/probe.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace signalbox::net {

namespace asio = boost::asio;

namespace {

struct attempt {
  attempt(asio::io_context& context, std::function<void(std::string)> fun)
    : resolver(context), socket(context), deadline(context),
      done(std::move(fun)) {
    // nop
  }

  void finish(std::string error) {
    boost::system::error_code ec;
    resolver.cancel();
    deadline.cancel();
    socket.close(ec);
    if (auto tell = std::exchange(done, nullptr))
      tell(std::move(error));
  }

  asio::ip::tcp::resolver resolver;
  asio::ip::tcp::socket socket;
  asio::steady_timer deadline;
  std::function<void(std::string)> done;
};

} // namespace

bool split_address(const std::string& address, std::string& host,
                   std::string& port) {
  auto colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return false;
  host = address.substr(0, colon);
  port = address.substr(colon + 1);
  if (host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return !host.empty() && !port.empty();
}

void probe(loop& home, const std::string& address,
           std::chrono::milliseconds timeout,
           std::function<void(std::string error)> done) {
  std::string host;
  std::string port;
  if (!split_address(address, host, port)) {
    done("no address");
    return;
  }
  auto x = std::make_shared<attempt>(home.context(), std::move(done));
  x->deadline.expires_after(timeout);
  x->deadline.async_wait([x](boost::system::error_code ec) {
    if (!ec)
      x->finish("timed out");
  });
  x->resolver.async_resolve(
    host, port, [x](boost::system::error_code ec, const auto& found) {
      if (ec || !x->done) {
        x->finish(ec.message());
        return;
      }
      asio::async_connect(
        x->socket, found,
        [x](boost::system::error_code failed, const asio::ip::tcp::endpoint&) {
          x->finish(failed ? failed.message() : std::string{});
        });
    });
}

} // namespace signalbox::net
