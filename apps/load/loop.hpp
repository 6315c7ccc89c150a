#pragma once

#include <sys/socket.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// The one thread's event loop and its non-blocking TCP connections.

namespace signalbox::load {

/// Returns CLOCK_MONOTONIC in nanoseconds.
int64_t now_ns();

/// Where connections go to.
struct endpoint {
  sockaddr_storage address{};
  socklen_t length = 0;
  /// Value of the Host header.
  std::string host;
};

/// Resolves a host name or address; the first address counts. Returns whether
/// there is one, and otherwise says in `error` what to do.
bool resolve(const std::string& host, uint16_t port, endpoint& out,
             std::string& error);

/// Wants to know when a file descriptor is ready.
class watcher {
public:
  virtual ~watcher();

  /// Is called with the epoll events. May come once more after the descriptor
  /// was closed, so a watcher must live as long as its loop runs.
  virtual void on_ready(uint32_t events) = 0;
};

/// An epoll instance and the buffer that all its connections read into.
class loop {
public:
  loop();

  loop(const loop&) = delete;

  loop& operator=(const loop&) = delete;

  ~loop();

  /// Starts or changes the watching of a descriptor: always for input, for
  /// output if asked. Returns whether the kernel took it.
  bool watch(int fd, watcher& who, bool output, bool first);

  /// Waits up to `most` for events and hands them out once.
  void poll(std::chrono::nanoseconds most);

  /// Returns the read buffer; valid until a handler returns.
  std::span<char> buffer() noexcept;

private:
  static constexpr size_t buffer_size = 256 * 1024;

  int fd_;
  std::unique_ptr<char[]> buffer_;
};

/// A TCP connection of a loop. Output that the kernel does not take at once is
/// queued.
class tcp_connection : public watcher {
public:
  explicit tcp_connection(loop& parent);

  ~tcp_connection() override;

  /// Returns whether it is connecting or connected.
  bool is_open() const noexcept;

  /// Closes without calling `on_end`.
  void close();

  void on_ready(uint32_t events) override;

protected:
  /// Starts to connect; what is sent meanwhile is queued. Returns false after
  /// `on_end` if that is impossible.
  bool open(const endpoint& where);

  /// Sends bytes.
  void send(std::string_view bytes);

  /// Learns that the connection is there.
  virtual void on_established();

  /// Takes what came; `bytes` may be changed.
  virtual void on_bytes(std::span<char> bytes) = 0;

  /// Learns that the connection is gone, and why.
  virtual void on_end(const std::string& why) = 0;

private:
  void end(const std::string& why);

  void flush();

  void receive();

  loop& loop_;
  int fd_ = -1;
  bool connecting_ = false;
  bool output_watched_ = false;
  std::string queue_;
};

} // namespace signalbox::load
