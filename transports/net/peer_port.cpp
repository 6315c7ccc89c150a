#include "transports/net/peer_port.hpp"

#include "transports/codec/basp_guard.hpp"
#include "transports/net/stream.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <list>
#include <vector>

namespace signalbox::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

/// Bytes moved at a time, and how often before others get their turn.
constexpr size_t piece = 65536;
constexpr int turn = 16;

/// How long accepting rests when no descriptor is left, in milliseconds.
constexpr int64_t rest_time = 100;

/// A node that can no longer be reached is noticed by its silence, long before
/// the kernel would.
void tune(int fd) {
  int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool resolve(const std::string& address, tcp::endpoint& out,
             std::string& error) {
  auto colon = address.rfind(':');
  auto host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  boost::system::error_code ec;
  auto ip = asio::ip::make_address(host, ec);
  auto port = colon == std::string::npos
                ? 0ul
                : std::strtoul(address.c_str() + colon + 1, nullptr, 10);
  if (ec || port > 65535) {
    error = address + " is no address with a port";
    return false;
  }
  out = {ip, static_cast<uint16_t>(port)};
  return true;
}

} // namespace

struct peer_port::impl {
  impl(peer_port& owner, asio::io_context& context)
    : acceptor(context), rest(session::make_timer<&peer_port::accept>(&owner)) {
    // nop
  }

  tcp::acceptor acceptor;
  /// Until when accepting rests.
  session::timer rest;
  taker take;
  /// In the order of their coming.
  std::list<std::shared_ptr<pipe>> pipes;
};

/// A connection to a node, and the socket pair that joins it with CAF.
class peer_port::pipe : public std::enable_shared_from_this<pipe> {
public:
  pipe(peer_port& owner, int fd, bool accepted)
    : owner_(owner), fd_(fd), accepted_(accepted),
      guard_(owner.opts_.max_handshake, owner.opts_.max_payload),
      timer_(session::make_timer<&pipe::on_timeout>(this)) {
    owner_.loop_.wheel().arm(timer_, owner_.opts_.patience.count());
  }

  /// Whoever connects speaks first, in TLS as in BASP: until then it costs
  /// nothing but the socket.
  void accept() {
    outer_ = std::make_unique<stream>(owner_.loop_, fd_, nullptr);
    auto self = shared_from_this();
    if (owner_.opts_.tls == nullptr) {
      move(in_);
      return;
    }
    outer_->wait_readable([self] { self->secure({}); });
  }

  void connect(const tcp::endpoint& to, dialed done) {
    done_ = std::move(done);
    if (::connect(fd_, to.data(), static_cast<socklen_t>(to.size())) != 0
        && errno != EINPROGRESS) {
      end(std::strerror(errno));
      return;
    }
    outer_ = std::make_unique<stream>(owner_.loop_, fd_, nullptr);
    outer_->wait_connected([self = shared_from_this()] {
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(self->fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0)
        self->end(std::strerror(error));
      else if (self->owner_.opts_.tls != nullptr)
        self->secure("peer");
      else
        self->join();
    });
  }

  void end(const std::string& why) {
    if (std::exchange(ended_, true))
      return;
    auto self = shared_from_this();
    timer_.cancel();
    if (stranger())
      ++owner_.counters_.refused;
    if (outer_)
      outer_->close();
    else
      ::close(fd_);
    if (inner_)
      inner_->close();
    owner_.forget(self);
    if (auto tell = std::exchange(done_, nullptr))
      tell(-1, why);
  }

  /// Whether it came here and has not proved to be a node.
  bool stranger() const noexcept {
    return accepted_ && !guard_.greeted();
  }

private:
  /// One direction.
  struct half {
    std::vector<char> bytes;
    size_t from = 0;
    size_t to = 0;
    bool waiting = false;
  };

  void secure(const std::string& host) {
    if (ended_)
      return;
    outer_->secure(*owner_.opts_.tls, host);
    if (accepted_)
      move(in_);
    else
      join();
  }

  /// Makes the socket pair and gives its other end to whoever waits.
  bool join() {
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                     pair)
        != 0) {
      end(std::strerror(errno));
      return false;
    }
    inner_ = std::make_unique<stream>(owner_.loop_, pair[0], nullptr);
    if (auto tell = std::exchange(done_, nullptr))
      tell(pair[1], {});
    else
      owner_.impl_->take(pair[1]);
    move(out_);
    if (!accepted_)
      move(in_);
    return true;
  }

  bool is_in(const half& x) const noexcept {
    return &x == &in_;
  }

  void move(half& x) {
    auto keep = shared_from_this();
    for (int i = 0; i < turn && !ended_; ++i) {
      auto& from = is_in(x) ? *outer_ : *inner_;
      if (x.from == x.to) {
        x.bytes.resize(piece);
        auto n = from.read(x.bytes.data(), piece);
        if (n == stream::again) {
          wait(x, from, true);
          return;
        }
        if (n <= 0) {
          end("the connection ended");
          return;
        }
        x.from = 0;
        x.to = static_cast<size_t>(n);
        if (is_in(x) && !admit({x.bytes.data(), x.to}))
          return;
      }
      auto& to = is_in(x) ? *inner_ : *outer_;
      iovec part{x.bytes.data() + x.from, x.to - x.from};
      auto n = to.write(&part, 1);
      if (n == stream::again) {
        wait(x, to, false);
        return;
      }
      if (n < 0) {
        end("the connection is gone");
        return;
      }
      x.from += static_cast<size_t>(n);
    }
    if (!ended_)
      owner_.loop_.post([keep, &x] { keep->move(x); });
  }

  /// Looks at what the node says; a whole handshake makes it one.
  bool admit(std::string_view bytes) {
    if (!guard_.take(bytes)) {
      ++owner_.counters_.broken;
      end("it does not speak BASP");
      return false;
    }
    if (guard_.greeted())
      timer_.cancel();
    return inner_ != nullptr || join();
  }

  void wait(half& x, stream& on, bool readable) {
    auto again = [self = shared_from_this(), &x] {
      if (!self->ended_)
        self->move(x);
    };
    if (readable)
      on.wait_readable(std::move(again));
    else
      on.wait_writable(std::move(again));
  }

  void on_timeout() {
    end("timed out");
  }

  peer_port& owner_;
  int fd_;
  bool accepted_;
  codec::basp_guard guard_;
  session::timer timer_;
  std::unique_ptr<stream> outer_;
  std::unique_ptr<stream> inner_;
  dialed done_;
  half in_;
  half out_;
  bool ended_ = false;
};

peer_port::peer_port(const options& opts)
  : opts_(opts), impl_(std::make_unique<impl>(*this, loop_.context())) {
  thread_ = std::thread{[this] { loop_.run(); }};
  pthread_setname_np(thread_.native_handle(), "peers");
}

peer_port::~peer_port() {
  loop_.post([this] {
    boost::system::error_code ec;
    impl_->acceptor.close(ec);
    auto all = impl_->pipes;
    for (auto& each : all)
      each->end("this node ends");
    loop_.stop();
  });
  thread_.join();
}

std::string peer_port::listen(std::string& address, taker take) {
  tcp::endpoint at;
  std::string error;
  if (!resolve(address, at, error))
    return error;
  boost::system::error_code ec;
  auto& x = impl_->acceptor;
  x.open(at.protocol(), ec);
  if (!ec)
    x.set_option(tcp::acceptor::reuse_address{true}, ec);
  if (!ec)
    x.bind(at, ec);
  if (!ec)
    x.listen(128, ec);
  if (ec)
    return ec.message();
  address = address.substr(0, address.rfind(':') + 1)
            + std::to_string(x.local_endpoint(ec).port());
  impl_->take = std::move(take);
  loop_.post([this] { accept(); });
  return {};
}

void peer_port::forget(const std::shared_ptr<pipe>& x) {
  impl_->pipes.remove(x);
}

void peer_port::accept() {
  impl_->acceptor.async_accept(
    [this](boost::system::error_code ec, tcp::socket socket) {
      if (ec == asio::error::operation_aborted)
        return;
      if (ec) {
        loop_.wheel().arm(impl_->rest, rest_time);
        return;
      }
      admit(socket.release(ec));
      accept();
    });
}

void peer_port::admit(int fd) {
  ++counters_.accepted;
  tune(fd);
  size_t strangers = 0;
  std::shared_ptr<pipe> oldest;
  for (auto& each : impl_->pipes)
    if (each->stranger() && ++strangers == 1)
      oldest = each;
  if (strangers >= opts_.strangers)
    oldest->end("too many strangers");
  auto x = std::make_shared<pipe>(*this, fd, true);
  impl_->pipes.push_back(x);
  x->accept();
}

void peer_port::dial(const std::string& address, dialed done) {
  loop_.post([this, address, done = std::move(done)]() mutable {
    tcp::endpoint to;
    std::string error;
    if (!resolve(address, to, error)) {
      done(-1, error);
      return;
    }
    auto fd = ::socket(to.protocol().family(),
                       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      done(-1, std::strerror(errno));
      return;
    }
    tune(fd);
    auto x = std::make_shared<pipe>(*this, fd, false);
    impl_->pipes.push_back(x);
    x->connect(to, std::move(done));
  });
}

} // namespace signalbox::net
