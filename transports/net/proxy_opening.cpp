#include "transports/net/proxy_opening.hpp"

#include "transports/codec/proxy_header.hpp"
#include "transports/net/http_connection.hpp"
#include "transports/net/ip_address.hpp"
#include "transports/net/server.hpp"

#include <utility>

namespace signalbox::net {

proxy_opening::proxy_opening(server& owner, loop& home,
                             std::unique_ptr<stream> io, std::string peer,
                             std::shared_ptr<tls_context> tls)
  : owner_(owner), home_(home), io_(std::move(io)), peer_(std::move(peer)),
    tls_(std::move(tls)),
    timer_(session::make_timer<&proxy_opening::on_timeout>(this)) {
  // nop
}

proxy_opening::~proxy_opening() {
  if (io_)
    release_address(owner_.limits(), nullptr);
}

void proxy_opening::start() {
  owner_.enter(home_, shared_from_this());
  home_.wheel().arm(timer_, owner_.limits().http.header_timeout.count());
  read();
}

void proxy_opening::read() {
  io_->wait_readable(
    callback::to<&proxy_opening::on_readable>(shared_from_this()));
}

void proxy_opening::on_readable() {
  using state = codec::proxy_reading::state;
  if (!io_)
    return;
  // Where TLS comes next, no byte of it may be taken off the socket.
  char first = 0;
  if (tls_ && in_.empty() && io_->peek(&first, 1) == 1
      && codec::read_proxy_header({&first, 1}).at == state::absent) {
    go_on(false);
    return;
  }
  auto now = codec::read_proxy_header(in_);
  while (now.at == state::incomplete) {
    auto buffer = home_.scratch();
    auto most = tls_ ? now.size - in_.size() : buffer.size();
    auto n = io_->read(buffer.data(), most);
    if (n == stream::again) {
      read();
      return;
    }
    if (n <= 0) {
      die();
      return;
    }
    in_.append(buffer.data(), static_cast<size_t>(n));
    now = codec::read_proxy_header(in_);
  }
  auto client = ip_address::parse(now.header.address);
  if (now.at == state::bad || (now.at == state::absent && tls_)
      || (!now.header.address.empty() && !client)) {
    ++owner_.limits().counters->bad_requests;
    die();
    return;
  }
  if (now.at == state::done)
    in_.erase(0, now.size);
  if (client)
    peer_ = client->text();
  go_on(now.header.secure);
}

/// The connection is that of the address in `peer_` from now on.
void proxy_opening::go_on(bool secure) {
  auto self = shared_from_this();
  timer_.cancel();
  owner_.leave(home_, self);
  if (!owner_.admit(peer_)) {
    die();
    return;
  }
  auto io = std::move(io_);
  if (tls_)
    io->secure(*tls_, {});
  auto next = std::make_shared<http_connection>(owner_, home_, std::move(io),
                                                std::move(peer_), secure);
  if (in_.empty())
    next->start();
  else
    next->resume(std::move(in_));
}

void proxy_opening::on_timeout() {
  ++owner_.limits().counters->timeouts_header;
  die();
}

void proxy_opening::die() {
  auto self = shared_from_this();
  timer_.cancel();
  owner_.leave(home_, self);
  if (!io_)
    return;
  io_->close();
  io_.reset();
  release_address(owner_.limits(), nullptr);
}

} // namespace signalbox::net
