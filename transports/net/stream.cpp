#include "transports/net/stream.hpp"

#include "transports/net/ip_address.hpp"
#include "transports/net/tls.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

namespace signalbox::net {

stream::stream(loop& home, int fd, std::shared_ptr<tls_context> tls,
               const std::string& host)
  : fd_(fd) {
  resume(home);
  if (tls)
    secure(*tls, host);
}

uint64_t stream::next_id() noexcept {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

void stream::secure(const tls_context& tls, const std::string& host) {
  ssl_ = tls.open(fd_, host);
}

stream::stream(std::shared_ptr<channel> via) : channel_(std::move(via)) {
  // nop
}

stream::~stream() {
  close();
}

void stream::resume(loop& home) {
  home_ = &home;
  home.sockets().add(fd_, *this);
}

void stream::leave() {
  home_->sockets().remove(fd_);
  home_ = nullptr;
}

bool stream::is_open() const noexcept {
  return channel_ != nullptr || home_ != nullptr;
}

ssize_t stream::read(char* data, size_t size) {
  if (!is_open())
    return gone;
  if (channel_ != nullptr)
    return channel_->read(data, size);
  if (ssl_ == nullptr) {
    auto n = ::recv(fd_, data, size, 0);
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

ssize_t stream::peek(char* data, size_t size) {
  if (!is_open() || channel_ != nullptr)
    return gone;
  auto n = ::recv(fd_, data, size, MSG_PEEK);
  if (n >= 0)
    return n;
  return errno == EAGAIN || errno == EINTR ? again : gone;
}

ssize_t stream::write(const iovec* pieces, size_t count) {
  if (!is_open())
    return gone;
  if (channel_ != nullptr)
    return channel_->write(pieces, count);
  if (ssl_ == nullptr) {
    ssize_t n = 0;
    if (count == 1) {
      n = ::send(fd_, pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL);
    } else {
      msghdr msg{};
      msg.msg_iov = const_cast<iovec*>(pieces);
      msg.msg_iovlen = count;
      n = ::sendmsg(fd_, &msg, MSG_NOSIGNAL);
    }
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

void stream::wait(uint8_t what, bool to_read, callback fun) {
  if (!is_open())
    return;
  if (channel_ != nullptr) {
    channel_->wait(what == poller::readable, std::move(fun));
    return;
  }
  // What TLS has decrypted already no longer shows on the socket.
  if (what == poller::readable && ssl_ != nullptr && SSL_pending(ssl_) > 0) {
    home_->post(std::move(fun));
    return;
  }
  if (to_read) {
    reader_ = std::move(fun);
    reads_when_ = what;
  } else {
    writer_ = std::make_unique<callback>(std::move(fun));
    writes_when_ = what;
  }
  home_->sockets().watch(fd_, what);
}

void stream::wait_readable(callback fun) {
  wait(read_wants_write_ ? poller::writable : poller::readable, true,
       std::move(fun));
}

void stream::wait_writable(callback fun) {
  wait(write_wants_read_ ? poller::readable : poller::writable, false,
       std::move(fun));
}

void stream::wait_connected(callback fun) {
  wait(poller::writable, false, std::move(fun));
}

bool stream::on_ready(uint8_t what) {
  // Under TLS both may wait for the same: what one takes off the socket, the
  // other would not be told of again.
  auto& sockets = home_->sockets();
  auto fd = fd_;
  auto told = reader_ && reads_when_ == what;
  if (told)
    std::exchange(reader_, {})();
  // The call may have been the end of this stream.
  if (told && !sockets.watches(fd, *this))
    return true;
  if (writer_ == nullptr || writes_when_ != what)
    return told;
  auto fun = std::move(writer_);
  (*fun)();
  return true;
}

void stream::abandon() {
  home_ = nullptr;
  // They may own the owner of this stream.
  auto reader = std::exchange(reader_, {});
  auto writer = std::move(writer_);
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
  ::shutdown(fd_, SHUT_WR);
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
  if (home_ != nullptr) {
    home_->sockets().remove(fd_);
    // The callbacks may own the caller.
    if (reader_ || writer_ != nullptr)
      home_->post([reader = std::exchange(reader_, {}),
                   writer = std::shared_ptr{std::move(writer_)}] {});
    home_ = nullptr;
  }
  if (auto fd = std::exchange(fd_, -1); fd >= 0)
    ::close(fd);
}

bool stream::secured() const noexcept {
  return ssl_ == nullptr || SSL_is_init_finished(ssl_) == 1;
}

std::string stream::tls_fault() const {
  return ssl_ == nullptr ? std::string{} : net::tls_fault(ssl_);
}

int64_t stream::unacknowledged() const {
  int bytes = 0;
  if (channel_ != nullptr || fd_ < 0 || ::ioctl(fd_, TIOCOUTQ, &bytes) != 0)
    return 0;
  return bytes;
}

std::string stream::peer_fault(const std::string& mine) const {
  return ssl_ == nullptr ? std::string{} : net::peer_fault(ssl_, mine);
}

int stream::plain_socket() const {
  return channel_ != nullptr || ssl_ != nullptr || home_ == nullptr ? -1 : fd_;
}

bool stream::encrypted() const {
  return channel_ != nullptr ? channel_->encrypted() : tls();
}

std::string stream::peer_address() const {
  sockaddr_storage at{};
  socklen_t size = sizeof(at);
  if (::getpeername(fd_, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return {};
  char text[INET6_ADDRSTRLEN];
  const void* raw = &reinterpret_cast<const sockaddr_in&>(at).sin_addr;
  if (at.ss_family == AF_INET6)
    raw = &reinterpret_cast<const sockaddr_in6&>(at).sin6_addr;
  if (::inet_ntop(at.ss_family, raw, text, sizeof(text)) == nullptr)
    return {};
  // A dual-stack listener reports IPv4 peers in their mapped form. Without its
  // zone an address means the same everywhere.
  auto address = ip_address::parse(text);
  return address ? address->text() : std::string{};
}

} // namespace signalbox::net
