#pragma once

#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace signalbox::net {

/// Writes to many sockets in few system calls: through a ring of the kernel's
/// (io_uring) where there is one, otherwise one by one. Belongs to one loop.
class send_batch {
public:
  /// The object whose bytes are written.
  class writer {
  public:
    virtual ~writer() = default;

    /// So many bytes went out, or `stream::again` or `stream::gone`.
    virtual void wrote(ssize_t n) = 0;
  };

  send_batch();
  ~send_batch();

  send_batch(const send_batch&) = delete;
  send_batch& operator=(const send_batch&) = delete;

  /// Asks the kernel for a ring; on the loop's thread. Returns an empty string
  /// or why there is none.
  std::string open_ring();

  /// Adds a write. The bytes and `to` stay until it is told, which may be
  /// within this call: a batch has an end.
  void add(int fd, const iovec* pieces, size_t count, writer& to);

  /// Makes the added writes and tells their writers.
  void submit();

private:
  struct item {
    int fd = -1;
    size_t first = 0;
    size_t count = 0;
    size_t bytes = 0;
    ssize_t result = 0;
    writer* to = nullptr;
  };
  struct ring;

  size_t submit(std::vector<item>& items, std::vector<iovec>& pieces);
  static void send(item& x, iovec* pieces);

  std::vector<item> items_;
  std::vector<iovec> pieces_;
  std::unique_ptr<ring> ring_;
};

} // namespace signalbox::net
