#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace signalbox::net {

/// Which sockets of one loop are ready. Asio's reactor takes some 350 bytes for
/// each socket that waits and a system call for each wait; this takes a pointer
/// and, as long as the owner waits again and again, none.
class poller {
public:
  /// What a socket waits for; bits.
  static constexpr uint8_t readable = 1;
  static constexpr uint8_t writable = 2;

  /// The owner of a socket.
  class watched {
  public:
    /// The socket is ready. Returns false if no callback waits for that; it is
    /// watched no longer then.
    virtual bool on_ready(uint8_t what) = 0;

    /// The loop ends; nothing will be ready any more. May be the last call.
    virtual void abandon() = 0;

  protected:
    ~watched() = default;
  };

  explicit poller(boost::asio::io_context& context);
  ~poller();

  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Takes note of a socket, which waits for nothing yet.
  void add(int fd, watched& owner);

  /// Watches a socket for `what` too.
  void watch(int fd, uint8_t what);

  /// Returns whether a socket is still that of `owner`.
  bool watches(int fd, const watched& owner) const noexcept {
    return entries_[static_cast<size_t>(fd)].owner == &owner;
  }

  /// Forgets a socket. Before it is closed.
  void remove(int fd);

private:
  struct entry {
    watched* owner = nullptr;
    uint8_t watching = 0;
  };

  void wait();
  void dispatch();
  void offer(int fd, uint8_t what);
  void change(int fd, uint8_t watching);

  using descriptor = boost::asio::posix::basic_stream_descriptor<
    boost::asio::io_context::executor_type>;

  static constexpr size_t batch = 128;

  int epoll_;
  descriptor ready_;
  /// By descriptor.
  std::vector<entry> entries_;
  /// The events being dispatched; -1 for sockets that have gone meanwhile.
  std::array<epoll_event, batch> events_{};
  size_t count_ = 0;
  /// Whether it was said that no more sockets can be watched.
  bool told_ = false;
};

} // namespace signalbox::net
