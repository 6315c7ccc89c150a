#include "transports/net/peer_port.hpp"

#include "transports/codec/basp_guard.hpp"
#include "transports/net/stream.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <list>
#include <map>
#include <string_view>

namespace signalbox::net {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

namespace {

/// How long accepting rests when no descriptor is left, in milliseconds.
constexpr int64_t rest_time = 100;

/// For how long, in milliseconds, the same fault is not logged again, and how
/// many may be within that time: strangers can bring more.
constexpr int64_t note_time = 60000;
constexpr size_t most_noted = 64;

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

/// Returns the other end's address.
std::string address_of(int fd) {
  tcp::endpoint from;
  auto size = static_cast<socklen_t>(from.capacity());
  if (::getpeername(fd, from.data(), &size) != 0)
    return "?";
  from.resize(size);
  return from.address().to_string();
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
  std::list<std::shared_ptr<peer>> peers;
  /// Faults that were logged, and when they may be again.
  std::map<std::string, session::time_point> noted;
  bool closed = false;
};

/// A connection to a node, or to a process that has not proved to be one.
class peer_port::peer : public channel,
                        public std::enable_shared_from_this<peer> {
public:
  /// `name` is where it is, for the log.
  peer(peer_port& owner, int fd, bool accepted, std::string name)
    : owner_(owner), name_(std::move(name)), loop_(owner.loop_),
      socket_(owner.loop_, fd, nullptr), accepted_(accepted),
      guard_({accepted, owner.opts_.self, owner.opts_.max_message,
              owner.opts_.max_batch}),
      timer_(session::make_timer<&peer::on_timeout>(this)) {
    loop_.wheel().arm(timer_, owner_.opts_.patience.count());
  }

  /// The side that connects speaks first, in TLS as in BASP: until then a
  /// connection costs nothing but the socket.
  void accept() {
    socket_.wait_readable([self = shared_from_this()] {
      if (self->ended_)
        return;
      if (const auto& tls = self->owner_.opts_.tls)
        self->socket_.secure(*tls, {});
      self->hear();
    });
  }

  void connect(int fd, const tcp::endpoint& to, dialed done) {
    done_ = std::move(done);
    if (::connect(fd, to.data(), static_cast<socklen_t>(to.size())) != 0
        && errno != EINPROGRESS) {
      end(std::strerror(errno));
      return;
    }
    socket_.wait_connected([self = shared_from_this(), fd] {
      if (self->ended_)
        return;
      int error = 0;
      socklen_t size = sizeof(error);
      ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error != 0) {
        self->end(std::strerror(error));
        return;
      }
      if (const auto& tls = self->owner_.opts_.tls)
        self->socket_.secure(*tls, "peer");
      std::exchange(self->done_, nullptr)(self, {});
    });
  }

  /// Ends it from this side; the next read or write tells its holder.
  void end(const std::string& why) {
    if (std::exchange(ended_, true))
      return;
    auto self = shared_from_this();
    timer_.cancel();
    if (stranger())
      ++owner_.counters_.refused;
    socket_.close();
    owner_.forget(self);
    if (auto tell = std::exchange(done_, nullptr))
      tell(nullptr, why);
    for (auto& each : waiting_)
      if (each)
        loop_.post(std::exchange(each, nullptr));
  }

  /// Whether it came here and has not proved to be a node.
  bool stranger() const noexcept {
    return accepted_ && !guard_.opened();
  }

  // -- channel ----------------------------------------------------------------

  ssize_t read(char* data, size_t size) override {
    if (!early_.empty()) {
      auto n = early_.copy(data, size);
      early_.erase(0, n);
      return static_cast<ssize_t>(n);
    }
    if (ended_)
      return stream::gone;
    auto n = socket_.read(data, size);
    note_fault(n);
    if (n > 0 && !admit({data, static_cast<size_t>(n)}))
      return stream::gone;
    return n;
  }

  ssize_t write(const iovec* pieces, size_t count) override {
    return ended_ ? stream::gone : socket_.write(pieces, count);
  }

  void wait(bool readable, std::function<void()> fun) override {
    if (ended_ || (readable && !early_.empty())) {
      loop_.post(std::move(fun));
      return;
    }
    waiting_[readable] = std::move(fun);
    if (readable)
      socket_.wait_readable(
        callback::to<&peer::on_ready<true>>(shared_from_this()));
    else
      socket_.wait_writable(
        callback::to<&peer::on_ready<false>>(shared_from_this()));
  }

  void shutdown_write() override {
    socket_.shutdown_write();
  }

  void close() override {
    waiting_ = {};
    end("closed");
  }

  bool encrypted() const override {
    return socket_.encrypted();
  }

private:
  template <bool Readable>
  void on_ready() {
    if (auto next = std::exchange(waiting_[Readable], nullptr))
      next();
  }

  /// Listens until a whole handshake is there.
  void hear() {
    while (!ended_ && !guard_.greeted()) {
      auto into = loop_.scratch();
      auto n = socket_.read(into.data(), into.size());
      note_fault(n);
      if (n == stream::again) {
        socket_.wait_readable([self = shared_from_this()] { self->hear(); });
        return;
      }
      if (n <= 0) {
        end("the connection ended");
        return;
      }
      if (admit({into.data(), static_cast<size_t>(n)}))
        early_.append(into.data(), static_cast<size_t>(n));
    }
    if (!ended_)
      owner_.impl_->take(shared_from_this());
  }

  /// Looks at the bytes of the peer. One that came is a node when it has asked
  /// for a link, one that was dialed when its handshake is whole.
  bool admit(std::string_view bytes) {
    if (!guard_.take(bytes)) {
      ++owner_.counters_.broken;
      // Others knock at any port; a node has a certificate.
      if (guard_.greeted())
        spdlog::warn("cut off the node at {}: it sent {}", name_,
                     guard_.trouble());
      end(std::string{"it sent "} + guard_.trouble());
      return false;
    }
    if (!stranger() && guard_.greeted())
      timer_.cancel();
    return true;
  }

  /// Tells of a certificate that was refused, on this side or the other.
  void note_fault(ssize_t result) {
    if (result == stream::gone && !guard_.greeted())
      owner_.note(name_, socket_.peer_fault(owner_.opts_.certificate));
  }

  void on_timeout() {
    end("timed out");
  }

  /// Not after `end`.
  peer_port& owner_;
  std::string name_;
  loop& loop_;
  stream socket_;
  bool accepted_;
  codec::basp_guard guard_;
  session::timer timer_;
  dialed done_;
  /// Bytes of a node from before the broker listened.
  std::string early_;
  /// The callbacks that wait to write and to read.
  std::array<std::function<void()>, 2> waiting_;
  bool ended_ = false;
};

peer_port::peer_port(loop& home, const options& opts)
  : opts_(opts), loop_(home),
    impl_(std::make_unique<impl>(*this, loop_.context())) {
  // nop
}

peer_port::~peer_port() = default;

void peer_port::close() {
  loop_.post([this] {
    impl_->closed = true;
    impl_->rest.cancel();
    boost::system::error_code ec;
    impl_->acceptor.close(ec);
    auto all = impl_->peers;
    for (auto& each : all)
      each->end("this node ends");
  });
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

void peer_port::forget(const std::shared_ptr<peer>& x) {
  impl_->peers.remove(x);
}

void peer_port::note(const std::string& who, const std::string& fault) {
  auto now = loop_.wheel().now();
  std::erase_if(impl_->noted, [now](const auto& x) { return now >= x.second; });
  if (fault.empty() || impl_->noted.size() >= most_noted
      || !impl_->noted.emplace(who + fault, now + note_time).second)
    return;
  spdlog::error("cannot link to the node at {}: {}", who, fault);
}

void peer_port::accept() {
  impl_->acceptor.async_accept(
    [this](boost::system::error_code ec, tcp::socket socket) {
      if (ec == asio::error::operation_aborted || impl_->closed)
        return;
      if (ec) {
        loop_.wheel().arm(impl_->rest, rest_time);
        return;
      }
      socket.native_non_blocking(true, ec);
      admit(socket.release(ec));
      accept();
    });
}

void peer_port::admit(int fd) {
  ++counters_.accepted;
  tune(fd);
  size_t strangers = 0;
  std::shared_ptr<peer> oldest;
  for (auto& each : impl_->peers)
    if (each->stranger() && ++strangers == 1)
      oldest = each;
  if (strangers >= opts_.strangers)
    oldest->end("too many strangers");
  auto x = std::make_shared<peer>(*this, fd, true, address_of(fd));
  impl_->peers.push_back(x);
  x->accept();
}

void peer_port::dial(const std::string& address, dialed done) {
  loop_.post([this, address, done = std::move(done)]() mutable {
    tcp::endpoint to;
    std::string error;
    if (!resolve(address, to, error)) {
      done(nullptr, error);
      return;
    }
    if (impl_->closed) {
      done(nullptr, "this node ends");
      return;
    }
    auto fd = ::socket(to.protocol().family(),
                       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      done(nullptr, std::strerror(errno));
      return;
    }
    tune(fd);
    auto x = std::make_shared<peer>(*this, fd, false, address);
    impl_->peers.push_back(x);
    x->connect(fd, to, std::move(done));
  });
}

} // namespace signalbox::net
