#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace signalbox::net {

/// How long a test waits for what must happen.
constexpr int longest_seconds = 10;

/// A descriptor whose reads and writes end at some time.
class socket_end {
public:
  socket_end() = default;

  explicit socket_end(int fd) : fd_(fd) {
    if (fd_ < 0)
      return;
    timeval most{longest_seconds, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most));
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
  }

  socket_end(socket_end&& x) noexcept : fd_(std::exchange(x.fd_, -1)) {
    // nop
  }

  socket_end& operator=(socket_end&& x) noexcept {
    std::swap(fd_, x.fd_);
    return *this;
  }

  ~socket_end() {
    close();
  }

  void close() {
    if (fd_ >= 0)
      ::close(std::exchange(fd_, -1));
  }

  bool open() const noexcept {
    return fd_ >= 0;
  }

  int fd() const noexcept {
    return fd_;
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  /// Reads exactly so many bytes, fewer if the stream ends.
  std::string read(size_t size) {
    std::string out(size, '\0');
    size_t have = 0;
    while (have < size) {
      auto n = ::recv(fd_, out.data() + have, size - have, 0);
      if (n <= 0)
        break;
      have += static_cast<size_t>(n);
    }
    out.resize(have);
    return out;
  }

  /// Returns whether the stream ends, reading what comes before.
  bool ends() {
    char buffer[4096];
    for (;;) {
      auto n = ::recv(fd_, buffer, sizeof(buffer), 0);
      if (n == 0 || (n < 0 && errno != EAGAIN))
        return true;
      if (n < 0)
        return false;
    }
  }

  /// Returns whether nothing has come and the stream is open.
  bool quiet() const {
    char byte = 0;
    return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0
           && errno == EAGAIN;
  }

private:
  int fd_ = -1;
};

/// What comes on another thread.
template <class T>
class mailbox {
public:
  void put(T x) {
    std::lock_guard guard{mutex_};
    all_.push_back(std::move(x));
    came_.notify_all();
  }

  T take() {
    std::unique_lock guard{mutex_};
    if (!came_.wait_for(guard, std::chrono::seconds{longest_seconds},
                        [this] { return !all_.empty(); }))
      return T{};
    auto out = std::move(all_.front());
    all_.pop_front();
    return out;
  }

  bool empty() {
    std::lock_guard guard{mutex_};
    return all_.empty();
  }

private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<T> all_;
};

/// A peer at a port.
inline socket_end knock(uint16_t number) {
  auto fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(number);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0)
    std::abort();
  return socket_end{fd};
}

} // namespace signalbox::net
