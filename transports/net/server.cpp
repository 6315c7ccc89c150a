#include "transports/net/server.hpp"

#include "transports/net/http_connection.hpp"
#include "transports/net/memory_guard.hpp"
#include "transports/net/proxy_opening.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <unordered_set>

namespace signalbox::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

/// How long accepting rests when the process has no descriptor left.
constexpr auto accept_pause = std::chrono::milliseconds{100};

/// Bytes the kernel may hold for a client. Left to itself it would take
/// megabytes from a client that does not read before the outbox noticed.
constexpr int send_buffer = 131072;

tcp::endpoint resolve(const std::string& address, std::string& error) {
  auto colon = address.rfind(':');
  auto host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  unsigned port = 0;
  if (colon != std::string::npos)
    std::from_chars(address.data() + colon + 1, address.data() + address.size(),
                    port);
  if (host == "localhost")
    host = "127.0.0.1";
  boost::system::error_code ec;
  auto ip = asio::ip::make_address(host, ec);
  if (ec)
    error = host + " is no IP address";
  return {ip, static_cast<uint16_t>(port)};
}

/// Opens a listening socket. Only siblings of one process share a port, so
/// the first one is opened without the option that allows sharing, as a test
/// that no other process has the port.
int open_listener(const tcp::endpoint& at, bool share, std::string& error) {
  auto fd = ::socket(at.protocol().family(),
                     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (share)
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (::bind(fd, at.data(), static_cast<socklen_t>(at.size())) == 0
      && ::listen(fd, 4096) == 0)
    return fd;
  error = std::strerror(errno);
  ::close(fd);
  return -1;
}

} // namespace

// -- addresses ----------------------------------------------------------------

address_limiter::entry* find_address(const shared_limits& limits,
                                     const std::string& address) {
  return address.empty() || limits.trusted_proxies.contains(address)
           ? nullptr
           : limits.addresses->find(address);
}

void release_address(const shared_limits& limits, address_limiter::entry* x) {
  --limits.counters->open;
  if (x != nullptr)
    limits.addresses->leave(*x);
}

void release_address(const shared_limits& limits, const std::string& address) {
  release_address(limits, find_address(limits, address));
}

// -- memory -------------------------------------------------------------------

bool short_of_memory(const shared_limits& limits) {
  auto* x = limits.memory;
  if (x == nullptr || !x->full.load(std::memory_order_relaxed))
    return false;
  ++x->refused;
  return true;
}

// -- server -------------------------------------------------------------------

struct server::slot {
  slot(loop& x) : home(x), acceptor(x.context()), pause(x.context()) {
    // nop
  }

  loop& home;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::unique_ptr<http_service> service;
  std::unordered_set<std::shared_ptr<http_connection>> connections;
  std::unordered_set<std::shared_ptr<proxy_opening>> openings;
};

server::server(std::vector<loop*> loops, const shared_limits& limits,
               service_factory make)
  : loops_(std::move(loops)), limits_(limits) {
  // Indexed by the loop's own number, which may have gaps for a listener that
  // does not use every loop.
  for (auto* each : loops_) {
    if (slots_.size() <= each->index())
      slots_.resize(each->index() + 1);
    auto& x = slots_[each->index()];
    x = std::make_unique<slot>(*each);
    x->service = make(*each);
  }
}

server::~server() = default;

std::string server::listen(const std::string& address,
                           std::shared_ptr<tls_context> tls) {
  tls_ = std::move(tls);
  std::string error;
  auto at = resolve(address, error);
  if (!error.empty())
    return error;
  auto share = loops_.size() > 1;
  if (share) {
    auto probe = open_listener(at, false, error);
    if (probe < 0)
      return error;
    if (at.port() == 0) {
      sockaddr_storage bound{};
      socklen_t size = sizeof(bound);
      ::getsockname(probe, reinterpret_cast<sockaddr*>(&bound), &size);
      at.port(ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port));
    }
    ::close(probe);
  }
  for (auto* each : loops_) {
    auto& x = *slots_[each->index()];
    auto fd = open_listener(at, share, error);
    if (fd < 0)
      return error;
    x.acceptor.assign(at.protocol(), fd);
    at = x.acceptor.local_endpoint();
  }
  address_ = at.address().is_v6() ? "[" + at.address().to_string() + "]"
                                  : at.address().to_string();
  address_ += ":" + std::to_string(at.port());
  for (auto* each : loops_)
    each->post([this, each] { accept(*slots_[each->index()]); });
  return {};
}

void server::set_tls(std::shared_ptr<tls_context> tls) {
  std::lock_guard guard{tls_mutex_};
  tls_ = std::move(tls);
}

void server::accept(slot& at) {
  if (!at.acceptor.is_open())
    return;
  at.acceptor.async_wait(tcp::acceptor::wait_read, [this, &at](auto ec) {
    if (ec)
      return;
    // Several at a time, so that a burst does not cost a turn each.
    for (auto i = 0; i < 64; ++i) {
      auto fd = ::accept4(at.acceptor.native_handle(), nullptr, nullptr,
                          SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd >= 0) {
        on_accept(at, fd);
        continue;
      }
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM
          || errno == ENOBUFS) {
        ++limits_.counters->accept_paused;
        at.pause.expires_after(accept_pause);
        at.pause.async_wait([this, &at](auto failed) {
          if (!failed)
            accept(at);
        });
        return;
      }
      if (errno != EINTR && errno != ECONNABORTED)
        break;
    }
    accept(at);
  });
}

void server::on_accept(slot& at, int fd) {
  auto& counters = *limits_.counters;
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_buffer, sizeof(send_buffer));
  std::shared_ptr<tls_context> tls;
  {
    std::lock_guard guard{tls_mutex_};
    tls = tls_;
  }
  auto io = std::make_unique<stream>(at.home, fd, nullptr);
  if (counters.open.load(std::memory_order_relaxed)
      >= static_cast<int64_t>(limits_.connections)) {
    ++counters.refused_limit;
    if (limits_.on_notice)
      limits_.on_notice(notice::connections, io->peer_address());
    return;
  }
  auto peer = io->peer_address();
  if (peer.empty() || !admit(peer))
    return;
  ++counters.accepted;
  ++counters.open;
  if (limits_.proxy_protocol && limits_.trusted_proxies.contains(peer)) {
    std::make_shared<proxy_opening>(*this, at.home, std::move(io),
                                    std::move(peer), std::move(tls))
      ->start();
    return;
  }
  if (tls != nullptr)
    io->secure(*tls, {});
  std::make_shared<http_connection>(*this, at.home, std::move(io),
                                    std::move(peer))
    ->start();
}

bool server::admit(const std::string& peer) {
  // All clients behind a trusted proxy would count as one.
  if (limits_.trusted_proxies.contains(peer))
    return true;
  auto tell = [&](notice what) {
    if (limits_.on_notice)
      limits_.on_notice(what, peer);
  };
  switch (limits_.addresses->enter(peer, loop::clock() / 1000)) {
  case address_limiter::verdict::too_many:
    ++limits_.counters->refused_address;
    tell(notice::per_ip);
    return false;
  case address_limiter::verdict::too_fast:
    ++limits_.counters->refused_rate;
    tell(notice::per_ip_rate);
    return false;
  default:
    return true;
  }
}

void server::collect(const loop& home, std::vector<memory_holder>& to) const {
  if (home.index() >= slots_.size() || slots_[home.index()] == nullptr)
    return;
  for (const auto& x : slots_[home.index()]->connections)
    if (auto bytes = x->unsent(); bytes > 0)
      to.push_back({bytes, [weak = std::weak_ptr{x}] {
                      if (auto self = weak.lock(); self && self->unsent() > 0)
                        self->abort();
                    }});
}

http_service& server::service(const loop& home) noexcept {
  return *slots_[home.index()]->service;
}

void server::enter(const loop& home, std::shared_ptr<http_connection> x) {
  if (slots_[home.index()]->connections.insert(std::move(x)).second)
    open_.fetch_add(1, std::memory_order_relaxed);
}

void server::leave(const loop& home,
                   const std::shared_ptr<http_connection>& x) {
  if (slots_[home.index()]->connections.erase(x) > 0)
    open_.fetch_sub(1, std::memory_order_relaxed);
}

void server::enter(const loop& home, std::shared_ptr<proxy_opening> x) {
  slots_[home.index()]->openings.insert(std::move(x));
}

void server::leave(const loop& home, const std::shared_ptr<proxy_opening>& x) {
  slots_[home.index()]->openings.erase(x);
}

void server::stop_accepting() {
  for (auto* each : loops_) {
    each->post([this, each] {
      auto& x = *slots_[each->index()];
      // Whose connection is established already may have sent its request.
      while (x.acceptor.is_open()) {
        auto fd = ::accept4(x.acceptor.native_handle(), nullptr, nullptr,
                            SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
          break;
        on_accept(x, fd);
      }
      boost::system::error_code ec;
      x.acceptor.close(ec);
      x.pause.cancel();
    });
  }
}

void server::drain() {
  draining_ = true;
  for (auto* each : loops_) {
    each->post([this, each] {
      auto all = slots_[each->index()]->connections;
      for (const auto& x : all)
        x->drain();
    });
  }
}

void server::close_all() {
  for (auto* each : loops_) {
    each->post([this, each] {
      auto begun = slots_[each->index()]->openings;
      for (const auto& x : begun)
        x->die();
      auto all = slots_[each->index()]->connections;
      for (const auto& x : all)
        x->abort();
    });
  }
}

} // namespace signalbox::net
