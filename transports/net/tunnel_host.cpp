#include "transports/net/tunnel_host.hpp"

#include "transports/net/stream.hpp"

#include <algorithm>
#include <cstring>

namespace signalbox::net {

namespace {

/// Most bytes of one frame.
constexpr size_t piece_limit = 65536;

} // namespace

tunnel_host::tunnel_host(std::shared_ptr<tunnel_board> board, loop& home,
                         tunnel_key key, bool secure)
  : board_(std::move(board)), home_(home), key_(key),
    flow_(board_->flow(key.node)), secure_(secure) {
  ++board_->count.hosted;
}

tunnel_host::~tunnel_host() {
  --board_->count.hosted;
}

// -- frames -------------------------------------------------------------------

bool tunnel_host::begin(size_t request) {
  if (!flow_.came(request))
    return false;
  pass(request);
  return true;
}

void tunnel_host::on_frame(tunnel_frame&& x) {
  if (over_)
    return;
  switch (x.what) {
  case tunnel_frame::kind::data:
    if (!flow_.came(x.bytes.size())) {
      send(tunnel_frame::kind::close);
      lost();
      return;
    }
    if (taken_ == in_.size()) {
      in_ = std::move(x.bytes);
      taken_ = 0;
    } else {
      in_.erase(0, std::exchange(taken_, 0));
      in_ += x.bytes;
    }
    break;
  case tunnel_frame::kind::credit:
    flow_.granted(x.credit);
    break;
  case tunnel_frame::kind::release:
    released_ = true;
    if (on_release_)
      std::exchange(on_release_, nullptr)();
    return;
  default:
    over_ = true;
  }
  wake();
}

void tunnel_host::lost() {
  over_ = true;
  wake();
}

bool tunnel_host::send(tunnel_frame::kind what, std::string bytes,
                       uint32_t credit) {
  tunnel_frame x;
  x.what = what;
  x.id = key_.id;
  x.bytes = std::move(bytes);
  x.credit = credit;
  return board_->send(key_.node, std::move(x));
}

// -- channel ------------------------------------------------------------------

ssize_t tunnel_host::read(char* data, size_t size) {
  auto n = std::min(size, in_.size() - taken_);
  if (n == 0)
    return over_ ? 0 : stream::again;
  std::memcpy(data, in_.data() + taken_, n);
  taken_ += n;
  if (taken_ == in_.size()) {
    // A silent connection should hold nothing.
    in_ = {};
    taken_ = 0;
  }
  pass(n);
  return static_cast<ssize_t>(n);
}

void tunnel_host::pass(size_t n) {
  if (auto more = flow_.passed(n); more > 0 && !over_)
    send(tunnel_frame::kind::credit, {}, more);
}

ssize_t tunnel_host::write(const iovec* pieces, size_t count) {
  if (over_)
    return stream::gone;
  size_t all = 0;
  for (size_t i = 0; i < count; ++i)
    all += pieces[i].iov_len;
  auto most = std::min({all, flow_.room(), piece_limit});
  if (most == 0)
    return all == 0 ? 0 : stream::again;
  std::string bytes;
  bytes.reserve(most);
  for (size_t i = 0; bytes.size() < most; ++i)
    bytes.append(static_cast<const char*>(pieces[i].iov_base),
                 std::min(pieces[i].iov_len, most - bytes.size()));
  flow_.sent(most);
  if (!send(tunnel_frame::kind::data, std::move(bytes)))
    return stream::gone;
  return static_cast<ssize_t>(most);
}

void tunnel_host::wait(bool for_read, std::function<void()> fun) {
  (for_read ? on_readable_ : on_writable_) = std::move(fun);
  if (for_read ? readable() : writable())
    home_.post([self = shared_from_this()] { self->wake(); });
}

/// Calls the callbacks whose waits are over.
void tunnel_host::wake() {
  auto self = shared_from_this();
  if (on_readable_ && readable())
    std::exchange(on_readable_, nullptr)();
  if (on_writable_ && writable())
    std::exchange(on_writable_, nullptr)();
}

void tunnel_host::on_release(std::function<void()> fun) {
  on_release_ = std::move(fun);
  if (released_)
    home_.post([self = shared_from_this()] {
      if (self->on_release_)
        std::exchange(self->on_release_, nullptr)();
    });
}

void tunnel_host::shutdown_write() {
  if (!over_)
    send(tunnel_frame::kind::finish);
}

void tunnel_host::close() {
  if (std::exchange(closed_, true))
    return;
  auto self = shared_from_this();
  on_release_ = nullptr;
  // The waits keep the connection, which is about to end and may still be
  // inside a call.
  if (on_readable_ || on_writable_)
    home_.post([first = std::exchange(on_readable_, nullptr),
                second = std::exchange(on_writable_, nullptr)] {});
  if (!std::exchange(over_, true))
    send(tunnel_frame::kind::close);
  board_->forget_route(key_);
  board_->desks[home_.index()].hosts.erase(key_);
}

} // namespace signalbox::net
