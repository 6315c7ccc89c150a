#include "transports/net/stream.hpp"

#include "transports/net/tls.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace signalbox::net {

namespace asio = boost::asio;

namespace {

using socket_type =
  asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;

} // namespace

struct stream::impl {
  explicit impl(asio::io_context& context) : socket(context.get_executor()) {
    // nop
  }

  socket_type socket;
};

stream::stream(loop& home, int fd, std::shared_ptr<tls_context> tls,
               const std::string& host)
  : parked_(fd) {
  resume(home);
  if (tls)
    secure(*tls, host);
}

void stream::secure(const tls_context& tls, const std::string& host) {
  ssl_ = tls.open(impl_->socket.native_handle(), host);
}

stream::stream(std::shared_ptr<channel> via) : channel_(std::move(via)) {
  // nop
}

stream::~stream() {
  close();
}

void stream::resume(loop& home) {
  impl_ = std::make_unique<impl>(home.context());
  sockaddr_storage local{};
  socklen_t size = sizeof(local);
  ::getsockname(parked_, reinterpret_cast<sockaddr*>(&local), &size);
  auto protocol =
    local.ss_family == AF_INET6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4();
  boost::system::error_code ec;
  impl_->socket.assign(protocol, parked_, ec);
  impl_->socket.native_non_blocking(true, ec);
  parked_ = -1;
}

void stream::leave() {
  parked_ = impl_->socket.release();
  impl_.reset();
}

bool stream::is_open() const noexcept {
  return channel_ != nullptr || (impl_ != nullptr && impl_->socket.is_open());
}

ssize_t stream::read(char* data, size_t size) {
  if (!is_open())
    return gone;
  if (channel_ != nullptr)
    return channel_->read(data, size);
  if (ssl_ == nullptr) {
    auto n = ::recv(impl_->socket.native_handle(), data, size, 0);
    if (n >= 0)
      return n;
    return errno == EAGAIN || errno == EINTR ? again : gone;
  }
  ERR_clear_error();
  read_wants_write_ = false;
  auto n =
    SSL_read(ssl_, data, static_cast<int>(std::min<size_t>(size, 1 << 20)));
  if (n > 0)
    return n;
  switch (SSL_get_error(ssl_, n)) {
  case SSL_ERROR_WANT_READ:
    return again;
  case SSL_ERROR_WANT_WRITE:
    read_wants_write_ = true;
    return again;
  case SSL_ERROR_ZERO_RETURN:
    return 0;
  default:
    return gone;
  }
}

ssize_t stream::write(const iovec* pieces, size_t count) {
  if (!is_open())
    return gone;
  if (channel_ != nullptr)
    return channel_->write(pieces, count);
  if (ssl_ == nullptr) {
    msghdr msg{};
    msg.msg_iov = const_cast<iovec*>(pieces);
    msg.msg_iovlen = count;
    auto n = ::sendmsg(impl_->socket.native_handle(), &msg, MSG_NOSIGNAL);
    if (n >= 0)
      return n;
    return errno == EAGAIN || errno == EINTR ? again : gone;
  }
  // One record holds at most 16 KiB: gather small pieces into one.
  char record[16384];
  size_t size = 0;
  for (size_t i = 0; i < count && size < sizeof(record); ++i) {
    auto n = std::min(pieces[i].iov_len, sizeof(record) - size);
    std::memcpy(record + size, pieces[i].iov_base, n);
    size += n;
  }
  ERR_clear_error();
  write_wants_read_ = false;
  auto n = SSL_write(ssl_, record, static_cast<int>(size));
  if (n > 0)
    return n;
  switch (SSL_get_error(ssl_, n)) {
  case SSL_ERROR_WANT_WRITE:
    return again;
  case SSL_ERROR_WANT_READ:
    write_wants_read_ = true;
    return again;
  default:
    return gone;
  }
}

void stream::wait(bool readable, std::function<void()> fun) {
  if (!is_open())
    return;
  if (channel_ != nullptr) {
    channel_->wait(readable, std::move(fun));
    return;
  }
  // What TLS has decrypted already no longer shows on the socket.
  if (readable && ssl_ != nullptr && SSL_pending(ssl_) > 0) {
    asio::post(impl_->socket.get_executor(), std::move(fun));
    return;
  }
  auto done = [fun = std::move(fun)](boost::system::error_code ec) {
    if (ec != asio::error::operation_aborted)
      fun();
  };
  if (readable)
    impl_->socket.async_wait(socket_type::wait_read, std::move(done));
  else
    impl_->socket.async_wait(socket_type::wait_write, std::move(done));
}

void stream::wait_readable(std::function<void()> fun) {
  wait(!read_wants_write_, std::move(fun));
}

void stream::wait_writable(std::function<void()> fun) {
  wait(write_wants_read_, std::move(fun));
}

void stream::wait_connected(std::function<void()> fun) {
  wait(false, std::move(fun));
}

void stream::shutdown_write() {
  if (!is_open())
    return;
  if (channel_ != nullptr) {
    channel_->shutdown_write();
    return;
  }
  if (ssl_ != nullptr) {
    ERR_clear_error();
    SSL_shutdown(ssl_);
  }
  boost::system::error_code ec;
  impl_->socket.shutdown(socket_type::shutdown_send, ec);
}

void stream::close() {
  if (auto last = std::exchange(channel_, nullptr)) {
    last->close();
    return;
  }
  if (ssl_ != nullptr) {
    SSL_free(ssl_);
    ssl_ = nullptr;
  }
  if (parked_ >= 0) {
    ::close(parked_);
    parked_ = -1;
  }
  if (is_open()) {
    boost::system::error_code ec;
    impl_->socket.close(ec);
  }
}

int stream::plain_socket() const {
  return channel_ != nullptr || ssl_ != nullptr || !is_open()
           ? -1
           : impl_->socket.native_handle();
}

bool stream::encrypted() const {
  return channel_ != nullptr ? channel_->encrypted() : tls();
}

std::string stream::peer_address() const {
  if (impl_ == nullptr || !impl_->socket.is_open())
    return {};
  boost::system::error_code ec;
  auto at = impl_->socket.remote_endpoint(ec).address();
  // A dual-stack listener reports IPv4 peers in their mapped form.
  if (at.is_v6() && at.to_v6().is_v4_mapped())
    at = asio::ip::make_address_v4(asio::ip::v4_mapped, at.to_v6());
  return ec ? std::string{} : at.to_string();
}

} // namespace signalbox::net
