#include "transports/net/poller.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace signalbox::net {

namespace {

int open_epoll() {
  auto fd = ::epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0)
    throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return fd;
}

} // namespace

poller::poller(boost::asio::io_context& context)
  : epoll_(open_epoll()), ready_(context.get_executor(), epoll_) {
  wait();
}

poller::~poller() {
  for (size_t fd = 0; fd < entries_.size(); ++fd)
    if (auto* owner = entries_[fd].owner) {
      entries_[fd] = {};
      owner->abandon();
    }
}

void poller::add(int fd, watched& owner) {
  auto index = static_cast<size_t>(fd);
  if (index >= entries_.size())
    entries_.resize(index + 1);
  entries_[index] = {&owner, 0};
}

void poller::watch(int fd, uint8_t what) {
  change(fd, entries_[static_cast<size_t>(fd)].watching | what);
}

void poller::remove(int fd) {
  change(fd, 0);
  entries_[static_cast<size_t>(fd)] = {};
  for (size_t i = 0; i < count_; ++i)
    if (events_[i].data.fd == fd)
      events_[i].data.fd = -1;
}

void poller::change(int fd, uint8_t watching) {
  auto& x = entries_[static_cast<size_t>(fd)];
  if (watching == x.watching)
    return;
  auto operation = x.watching == 0 ? EPOLL_CTL_ADD
                   : watching == 0 ? EPOLL_CTL_DEL
                                   : EPOLL_CTL_MOD;
  x.watching = watching;
  epoll_event event{};
  event.events = ((watching & readable) != 0 ? EPOLLIN : 0u)
                 | ((watching & writable) != 0 ? EPOLLOUT : 0u);
  event.data.fd = fd;
  if (::epoll_ctl(epoll_, operation, fd, &event) == 0
      || operation == EPOLL_CTL_DEL || std::exchange(told_, true))
    return;
  spdlog::error("cannot watch a connection: {}; see "
                "fs.epoll.max_user_watches",
                std::strerror(errno));
}

void poller::wait() {
  ready_.async_wait(descriptor::wait_read, [this](auto ec) {
    if (ec)
      return;
    wait();
    dispatch();
  });
}

void poller::dispatch() {
  auto n = ::epoll_wait(epoll_, events_.data(), batch, 0);
  count_ = n > 0 ? static_cast<size_t>(n) : 0;
  // An exception of a handler must not cost the others their turn: the next
  // dispatch tells them again.
  for (size_t i = 0; i < count_; ++i) {
    auto happened = events_[i].events;
    auto over = (happened & (EPOLLERR | EPOLLHUP)) != 0;
    if (over || (happened & EPOLLIN) != 0)
      offer(events_[i].data.fd, readable);
    if (over || (happened & EPOLLOUT) != 0)
      offer(events_[i].data.fd, writable);
  }
  count_ = 0;
}

void poller::offer(int fd, uint8_t what) {
  if (fd < 0)
    return;
  auto& x = entries_[static_cast<size_t>(fd)];
  // Nobody waits: watched on, it would be ready again at once.
  if (x.owner != nullptr && (x.watching & what) != 0
      && !x.owner->on_ready(what))
    change(fd, x.watching & ~what);
}

} // namespace signalbox::net
