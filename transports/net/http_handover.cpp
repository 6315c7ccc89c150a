#include "transports/net/http_connection.hpp"

#include <utility>

namespace signalbox::net {

namespace {

/// How long input is thrown away so that a final answer is not cut off.
constexpr int64_t linger_ms = 2000;

} // namespace

// -- moving -------------------------------------------------------------------

void http_connection::hand_over(size_t index) {
  target_ = &owner_.loop_at(index);
  state_ = state::offered;
}

void http_connection::depart() {
  auto self = shared_from_this();
  auto* to = std::exchange(target_, nullptr);
  timer_.cancel();
  owner_.leave(*home_, self);
  // A pending wait ends with the old loop's socket and is never called.
  reading_ = false;
  io_->leave();
  home_ = to;
  // From here on only the other thread may touch this object.
  to->post([self, to] {
    self->io_->resume(*to);
    self->owner_.enter(*to, self);
    self->process();
  });
}

void http_connection::resume(std::string in, detour_fate fate) {
  owner_.enter(*home_, shared_from_this());
  in_ = std::move(in);
  fate_ = fate;
  become(state::idle, limits_.http.idle_timeout.count());
  process();
}

void http_connection::end() {
  owner_.enter(*home_, shared_from_this());
  linger();
}

std::unique_ptr<stream> http_connection::release(std::string& rest) {
  rest = in_.substr(begin_);
  timer_.cancel();
  state_ = state::dead;
  owner_.leave(*home_, shared_from_this());
  context.reset();
  return std::move(io_);
}

// -- end ----------------------------------------------------------------------

void http_connection::linger() {
  // Closing with unread input would reset the connection and might cost the
  // client the answer.
  consume(rest().size());
  io_->shutdown_write();
  become(state::lingering, linger_ms);
  read();
}

void http_connection::abort() {
  if (io_ && !blocked_ && !out_.empty())
    write();
  die();
}

/// The client is gone.
void http_connection::lost() {
  auto keep = shared_from_this();
  if (state_ == state::handling || state_ == state::body)
    owner_.service(*home_).on_abort(*this);
  die();
}

void http_connection::on_release(std::function<void()> fun) {
  io_->on_release([weak = weak_from_this(), fun = std::move(fun)] {
    auto self = weak.lock();
    if (self == nullptr || self->state_ == state::dead)
      return;
    self->keep_alive_ = false;
    fun();
  });
}

void http_connection::drain() {
  // A connection on which nothing has come yet is idle, too; a request that has
  // come is answered.
  char next = 0;
  if ((state_ == state::idle
       || (state_ == state::header && rest().empty()
           && (!parser_ || !parser_->begun())))
      && io_->peek(&next, 1) == stream::again)
    die();
}

void http_connection::die() {
  if (state_ == state::dead)
    return;
  auto self = shared_from_this();
  state_ = state::dead;
  timer_.cancel();
  context.reset();
  if (io_) {
    io_->close();
    io_.reset();
    release_address(limits_, admitted_as());
  }
  owner_.leave(*home_, self);
}

void http_connection::become(state next, int64_t timeout_ms) {
  state_ = next;
  if (!blocked_)
    watch_.reset();
  home_->wheel().arm(timer_, timeout_ms);
}

/// Returns bytes of the body that have come or, while an answer waits, bytes
/// that the client has taken.
int64_t http_connection::transferred() const {
  return blocked_ ? static_cast<int64_t>(written_) - io_->unacknowledged()
                  : body_bytes_;
}

void http_connection::watch_transfer(int64_t first_ms) {
  auto now = home_->wheel().now();
  watch_ = std::make_unique<session::transfer_watch>(
    now, transferred(), first_ms, limits_.http.transfers);
  home_->wheel().arm(timer_, watch_->wait(now));
}

/// Returns whether the transfer that is watched is fast enough.
bool http_connection::transfer_goes_on() {
  auto now = home_->wheel().now();
  if (watch_ == nullptr
      || !watch_->goes_on(now, transferred(), limits_.http.transfers))
    return false;
  home_->wheel().arm(timer_, watch_->wait(now));
  return true;
}

void http_connection::on_timeout() {
  if (io_ && transfer_goes_on())
    return;
  auto& counters = *limits_.counters;
  if (blocked_) {
    ++counters.timeouts_write;
    lost();
    return;
  }
  switch (state_) {
  case state::header:
    ++counters.timeouts_header;
    if (rest().empty())
      die();
    else
      fail(408);
    break;
  case state::body: {
    auto keep = shared_from_this();
    ++counters.timeouts_body;
    owner_.service(*home_).on_abort(*this);
    if (state_ == state::body)
      fail(408);
    break;
  }
  case state::idle:
    ++counters.timeouts_idle;
    die();
    break;
  default:
    die();
  }
}

} // namespace signalbox::net
