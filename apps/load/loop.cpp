#include "apps/load/loop.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>

namespace signalbox::load {

int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

bool resolve(const std::string& host, uint16_t port, endpoint& out,
             std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto text = std::to_string(port);
  auto code = getaddrinfo(host.c_str(), text.c_str(), &hints, &found);
  if (code != 0) {
    error = host + " cannot be resolved (" + gai_strerror(code)
            + "); give an address such as 127.0.0.1:8400";
    return false;
  }
  std::memcpy(&out.address, found->ai_addr, found->ai_addrlen);
  out.length = found->ai_addrlen;
  auto v6 = host.find(':') != std::string::npos;
  out.host = (v6 ? "[" + host + "]" : host) + ":" + text;
  freeaddrinfo(found);
  return true;
}

watcher::~watcher() {
  // nop
}

// -- loop ---------------------------------------------------------------------

loop::loop()
  : fd_(epoll_create1(EPOLL_CLOEXEC)), buffer_(new char[buffer_size]) {
  if (fd_ < 0)
    throw std::runtime_error(std::string{"epoll_create1: "}
                             + std::strerror(errno));
}

loop::~loop() {
  ::close(fd_);
}

bool loop::watch(int fd, watcher& who, bool output, bool first) {
  epoll_event event{};
  event.events = output ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.ptr = &who;
  return epoll_ctl(fd_, first ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) == 0;
}

void loop::poll(std::chrono::nanoseconds most) {
  std::array<epoll_event, 512> events;
  // Milliseconds would be too coarse for a paced run.
  timespec patience{most.count() / 1'000'000'000, most.count() % 1'000'000'000};
  auto count =
    epoll_pwait2(fd_, events.data(), int(events.size()), &patience, nullptr);
  for (int i = 0; i < count; ++i)
    static_cast<watcher*>(events[size_t(i)].data.ptr)
      ->on_ready(events[size_t(i)].events);
}

std::span<char> loop::buffer() noexcept {
  return {buffer_.get(), buffer_size};
}

// -- tcp_connection -----------------------------------------------------------

tcp_connection::tcp_connection(loop& parent) : loop_(parent) {
  // nop
}

tcp_connection::~tcp_connection() {
  close();
}

bool tcp_connection::is_open() const noexcept {
  return fd_ >= 0;
}

void tcp_connection::close() {
  if (fd_ >= 0)
    ::close(fd_);
  fd_ = -1;
  connecting_ = false;
  output_watched_ = false;
  queue_ = {};
}

bool tcp_connection::open(const endpoint& where) {
  close();
  fd_ = socket(where.address.ss_family,
               SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) {
    end(std::string{"socket: "} + std::strerror(errno));
    return false;
  }
  int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const auto* address = reinterpret_cast<const sockaddr*>(&where.address);
  connecting_ = true;
  output_watched_ = true;
  if (connect(fd_, address, where.length) != 0 && errno != EINPROGRESS) {
    end(std::string{"connect: "} + std::strerror(errno));
    return false;
  }
  if (!loop_.watch(fd_, *this, true, true)) {
    end(std::string{"epoll: "} + std::strerror(errno));
    return false;
  }
  return true;
}

void tcp_connection::on_established() {
  // nop
}

void tcp_connection::send(std::string_view bytes) {
  if (fd_ < 0)
    return;
  if (!connecting_ && queue_.empty()) {
    auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0)
      bytes.remove_prefix(size_t(sent));
    // An error shows again in receive(), which may end this connection; here
    // the caller is still at work with it.
    if (bytes.empty())
      return;
  }
  queue_ += bytes;
  if (!output_watched_)
    output_watched_ = loop_.watch(fd_, *this, true, false);
}

void tcp_connection::on_ready(uint32_t events) {
  if (fd_ < 0)
    return;
  if (connecting_) {
    int code = 0;
    socklen_t length = sizeof(code);
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &code, &length);
    if (code != 0)
      return end(std::string{"connect: "} + std::strerror(code));
    if ((events & EPOLLOUT) == 0)
      return;
    connecting_ = false;
    on_established();
  }
  if (fd_ >= 0 && (events & EPOLLOUT) != 0)
    flush();
  if (fd_ >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    receive();
}

void tcp_connection::end(const std::string& why) {
  close();
  on_end(why);
}

void tcp_connection::flush() {
  if (!queue_.empty()) {
    auto sent = ::send(fd_, queue_.data(), queue_.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      return end(std::string{"send: "} + std::strerror(errno));
    if (sent > 0)
      queue_.erase(0, size_t(sent));
  }
  if (queue_.empty()) {
    queue_ = {};
    output_watched_ = !loop_.watch(fd_, *this, false, false);
  }
}

void tcp_connection::receive() {
  auto space = loop_.buffer();
  // One read a turn: with many connections a second one that finds nothing
  // would cost as much as the first.
  auto count = recv(fd_, space.data(), space.size(), 0);
  if (count > 0)
    return on_bytes(space.first(size_t(count)));
  if (count == 0)
    return end("the server closed the connection");
  if (errno != EAGAIN && errno != EINTR)
    end(std::string{"recv: "} + std::strerror(errno));
}

} // namespace signalbox::load
