#include "transports/net/send_batch.hpp"

#include "transports/log/line_limit.hpp"
#include "transports/net/stream.hpp"

#include <liburing.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <utility>

namespace signalbox::net {

namespace {

/// Most writes of one system call.
constexpr unsigned most = 512;

constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;

ssize_t result_of(ssize_t n) {
  if (n >= 0)
    return n;
  return n == -EAGAIN || n == -EINTR ? stream::again : stream::gone;
}

} // namespace

struct send_batch::ring {
  ~ring() {
    if (open)
      ::io_uring_queue_exit(&kernel);
  }

  io_uring kernel{};
  bool open = false;
  std::array<msghdr, most> headers{};
};

send_batch::send_batch() = default;

send_batch::~send_batch() = default;

std::string send_batch::open_ring() {
  auto x = std::make_unique<ring>();
  auto error =
    ::io_uring_queue_init(most, &x->kernel, IORING_SETUP_SINGLE_ISSUER);
  if (error == -EINVAL) // before Linux 6.0
    error = ::io_uring_queue_init(most, &x->kernel, 0);
  if (error < 0)
    return std::strerror(-error);
  x->open = true;
  // Without this feature every write would be reported.
  if ((x->kernel.features & IORING_FEAT_CQE_SKIP) == 0)
    return "the kernel's io_uring is too old";
  ring_ = std::move(x);
  return {};
}

void send_batch::add(int fd, const iovec* pieces, size_t count, writer& to) {
  item x;
  x.fd = fd;
  x.first = pieces_.size();
  x.count = count;
  x.to = &to;
  for (size_t i = 0; i < count; ++i) {
    x.bytes += pieces[i].iov_len;
    pieces_.push_back(pieces[i]);
  }
  items_.push_back(x);
  if (items_.size() == most)
    submit();
}

void send_batch::submit() {
  if (items_.empty())
    return;
  // A writer that is told may add more.
  auto items = std::move(items_);
  auto pieces = std::move(pieces_);
  items_.clear();
  pieces_.clear();
  // Writes that the ring does not take go one by one.
  for (auto i = ring_ == nullptr ? 0 : submit(items, pieces); i < items.size();
       ++i)
    send(items[i], pieces.data() + items[i].first);
  for (auto& x : items)
    try {
      x.to->wrote(x.result);
    } catch (const std::exception& e) {
      if (auto turn = log_turn(log_cause::exception))
        spdlog::error("exception after a write: {}{}", e.what(), *turn);
    }
  // The memory serves the next batch.
  if (items_.empty()) {
    items.clear();
    pieces.clear();
    items_.swap(items);
    pieces_.swap(pieces);
  }
}

/// Returns how many of them the ring took; all of these are done.
size_t send_batch::submit(std::vector<item>& items,
                          std::vector<iovec>& pieces) {
  auto& kernel = ring_->kernel;
  for (size_t i = 0; i < items.size(); ++i) {
    auto& x = items[i];
    auto* entry = ::io_uring_get_sqe(&kernel);
    auto* from = pieces.data() + x.first;
    if (x.count == 1) {
      ::io_uring_prep_send(entry, x.fd, from->iov_base, from->iov_len,
                           flags | MSG_WAITALL);
    } else {
      auto& header = ring_->headers[i];
      header.msg_iov = from;
      header.msg_iovlen = x.count;
      ::io_uring_prep_sendmsg(entry, x.fd, &header, flags | MSG_WAITALL);
    }
    entry->flags |= IOSQE_CQE_SKIP_SUCCESS;
    entry->user_data = i;
    // Writes that are not reported have gone out whole.
    x.result = static_cast<ssize_t>(x.bytes);
  }
  size_t taken = 0;
  while (taken < items.size()) {
    auto n = ::io_uring_submit(&kernel);
    if (n > 0)
      taken += static_cast<size_t>(n);
    else if (n != -EINTR)
      break;
  }
  unsigned head = 0;
  unsigned seen = 0;
  io_uring_cqe* entry = nullptr;
  io_uring_for_each_cqe(&kernel, head, entry) {
    items[entry->user_data].result = result_of(entry->res);
    ++seen;
  }
  ::io_uring_cq_advance(&kernel, seen);
  if (taken < items.size()) {
    spdlog::warn("io_uring takes no more writes; they go one by one from now");
    ring_.reset();
  }
  return taken;
}

void send_batch::send(item& x, iovec* pieces) {
  // One piece goes without a list of pieces, which is cheaper.
  ssize_t n = 0;
  if (x.count == 1) {
    n = ::send(x.fd, pieces->iov_base, pieces->iov_len, flags);
  } else {
    msghdr header{};
    header.msg_iov = pieces;
    header.msg_iovlen = x.count;
    n = ::sendmsg(x.fd, &header, flags);
  }
  x.result = result_of(n < 0 ? -errno : n);
}

} // namespace signalbox::net
