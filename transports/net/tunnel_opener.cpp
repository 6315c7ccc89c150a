#include "transports/net/tunnel_opener.hpp"

#include "transports/net/server.hpp"
#include "transports/net/stream.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::net {

using meter_state = codec::response_meter::state;

namespace {

/// Most bytes of one frame.
constexpr size_t piece_limit = 65536;

/// With this much read early, further bytes wait in the kernel.
constexpr size_t early_limit = 65536;

} // namespace

tunnel_opener::tunnel_opener(std::shared_ptr<tunnel_board> board, loop& home,
                             tunnel_key key, task x)
  : board_(std::move(board)), home_(home), key_(key), task_(std::move(x)),
    flow_(board_->flow(key.node)), meter_(task_.head_only),
    timer_(session::make_timer<&tunnel_opener::on_timeout>(this)) {
  ++board_->count.away;
}

tunnel_opener::~tunnel_opener() {
  --board_->count.away;
  if (task_.io)
    release_address(task_.owner->limits(), task_.peer);
}

void tunnel_opener::start(tunnel_frame&& first, std::string request) {
  auto self = shared_from_this();
  up_ = std::move(request);
  first.bytes = next_piece();
  if (!board_->send(key_.node, std::move(first))) {
    lost();
    return;
  }
  push();
  read();
}

// -- from the client ----------------------------------------------------------

void tunnel_opener::read() {
  if (reading_ || half_closed_ || !task_.io)
    return;
  auto endless = meter_.at() == meter_state::endless;
  if (endless ? !up_.empty() : task_.rest.size() >= early_limit)
    return;
  reading_ = true;
  // The wait stays behind in the socket when the tunnel has ended.
  task_.io->wait_readable([weak = weak_from_this()] {
    if (auto self = weak.lock()) {
      self->reading_ = false;
      self->on_readable();
    }
  });
}

void tunnel_opener::on_readable() {
  if (!task_.io)
    return;
  auto endless = meter_.at() == meter_state::endless;
  auto buffer = home_.scratch();
  if (endless)
    buffer = buffer.subspan(0, piece_limit);
  auto n = task_.io->read(buffer.data(), buffer.size());
  if (n == 0 && meter_.begun() && !endless) {
    // The client will ask nothing more, but may still wait for its answer.
    half_closed_ = true;
    return;
  }
  if (n <= 0 && n != stream::again) {
    drop();
    return;
  }
  if (n > 0) {
    std::string_view bytes{buffer.data(), static_cast<size_t>(n)};
    (endless ? up_ : task_.rest) += bytes;
    if (endless)
      push();
  }
  read();
}

/// Sends the bytes that wait for the owner, as far as it may.
void tunnel_opener::push() {
  while (!over_ && !up_.empty() && flow_.room() > 0)
    if (!send(tunnel_frame::kind::data, next_piece())) {
      lost();
      return;
    }
}

std::string tunnel_opener::next_piece() {
  auto n = std::min({up_.size() - sent_, flow_.room(), piece_limit});
  flow_.sent(n);
  board_->count.bytes_out += n;
  if (n == up_.size())
    return std::exchange(up_, {});
  auto out = up_.substr(sent_, n);
  sent_ += n;
  if (sent_ == up_.size()) {
    up_ = {};
    sent_ = 0;
  }
  return out;
}

bool tunnel_opener::send(tunnel_frame::kind what, std::string bytes,
                         uint32_t credit) {
  tunnel_frame x;
  x.what = what;
  x.from_opener = true;
  x.id = key_.id;
  x.bytes = std::move(bytes);
  x.credit = credit;
  return board_->send(key_.node, std::move(x));
}

// -- from the owner -----------------------------------------------------------

void tunnel_opener::on_frame(tunnel_frame&& x) {
  if (over_)
    return;
  auto self = shared_from_this();
  switch (x.what) {
  case tunnel_frame::kind::data:
    on_data(std::move(x.bytes));
    break;
  case tunnel_frame::kind::credit:
    flow_.granted(x.credit);
    push();
    read();
    break;
  case tunnel_frame::kind::finish:
    finished_ = true;
    if (meter_.at() == meter_state::endless)
      settle();
    else
      drop();
    break;
  case tunnel_frame::kind::refuse:
    over_ = true;
    if (meter_.begun())
      drop();
    else
      again(detour_fate::refused);
    break;
  default:
    over_ = true;
    if (meter_.at() == meter_state::endless)
      settle();
    else
      drop();
  }
}

void tunnel_opener::on_data(std::string bytes) {
  if (!flow_.came(bytes.size())) {
    drop();
    return;
  }
  board_->count.bytes_in += bytes.size();
  task_.head = {};
  if (meter_.at() != meter_state::endless) {
    bytes.resize(meter_.take(bytes));
    if (meter_.at() == meter_state::bad) {
      drop();
      return;
    }
    if (meter_.at() == meter_state::complete) {
      over_ = true;
      send(tunnel_frame::kind::close);
    } else if (meter_.at() == meter_state::endless) {
      // Early bytes belong to the new protocol.
      up_ += std::exchange(task_.rest, {});
      push();
      read();
    }
  }
  if (down_.empty()) {
    down_ = std::move(bytes);
  } else {
    down_.erase(0, std::exchange(written_, 0));
    down_ += bytes;
  }
  if (!writing_ && task_.io)
    write();
}

void tunnel_opener::write() {
  while (written_ < down_.size()) {
    iovec piece{down_.data() + written_, down_.size() - written_};
    auto n = task_.io->write(&piece, 1);
    if (n == stream::again) {
      writing_ = true;
      task_.io->wait_writable([weak = weak_from_this()] {
        auto self = weak.lock();
        if (self == nullptr || !self->task_.io)
          return;
        self->writing_ = false;
        self->write();
      });
      break;
    }
    if (n < 0) {
      drop();
      return;
    }
    written_ += static_cast<size_t>(n);
    passed_ += n;
    pass(static_cast<size_t>(n));
  }
  if (written_ == down_.size()) {
    // A silent connection should hold nothing.
    down_ = {};
    written_ = 0;
  }
  settle();
}

void tunnel_opener::pass(size_t n) {
  if (auto more = flow_.passed(n); more > 0 && !over_)
    send(tunnel_frame::kind::credit, {}, more);
}

/// Does the steps that were put off until everything is written.
void tunnel_opener::settle() {
  if (!down_.empty()) {
    // The rest has no other deadline.
    if (over_ && watch_ == nullptr) {
      const auto& http = task_.owner->limits().http;
      auto now = home_.wheel().now();
      watch_ = std::make_unique<session::transfer_watch>(
        now, taken(), http.write_timeout.count(), http.transfers);
      home_.wheel().arm(timer_, watch_->wait(now));
    }
    return;
  }
  if (meter_.at() == meter_state::complete) {
    complete();
    return;
  }
  if (std::exchange(finished_, false))
    task_.io->shutdown_write();
  if (over_) {
    task_.io->shutdown_write();
    drop();
  }
}

// -- end ----------------------------------------------------------------------

/// The client's connection goes on, or ends with this answer.
void tunnel_opener::complete() {
  auto& owner = *task_.owner;
  auto next = std::make_shared<http_connection>(
    owner, home_, std::move(task_.io), std::move(task_.peer), task_.secure);
  auto rest = std::move(task_.rest);
  auto last = !meter_.keep_alive() || half_closed_ || owner.draining();
  leave();
  if (last)
    next->end();
  else
    next->resume(std::move(rest));
}

/// The request is offered here once more, to be answered with what became of
/// it. Its body does not matter for that.
void tunnel_opener::again(detour_fate fate) {
  auto next =
    std::make_shared<http_connection>(*task_.owner, home_, std::move(task_.io),
                                      std::move(task_.peer), task_.secure);
  auto request = std::move(task_.head) + "\r\n" + task_.rest;
  leave();
  next->resume(std::move(request), fate);
}

void tunnel_opener::lost() {
  // The answer is here already.
  if (over_)
    return;
  over_ = true;
  ++board_->count.lost;
  if (meter_.begun())
    drop();
  else
    again(detour_fate::lost);
}

void tunnel_opener::release() {
  if (!over_ && !send(tunnel_frame::kind::release))
    lost();
}

void tunnel_opener::drop() {
  if (!task_.io)
    return;
  auto self = shared_from_this();
  if (!std::exchange(over_, true))
    send(tunnel_frame::kind::close);
  task_.io->close();
  task_.io.reset();
  release_address(task_.owner->limits(), task_.peer);
  leave();
}

/// Nothing is left here; the caller keeps the object.
void tunnel_opener::leave() {
  timer_.cancel();
  board_->desks[home_.index()].openers.erase(key_.id);
}

/// Returns how many bytes the client has taken.
int64_t tunnel_opener::taken() const {
  return passed_ - task_.io->unacknowledged();
}

void tunnel_opener::on_timeout() {
  auto now = home_.wheel().now();
  if (task_.io && watch_ != nullptr
      && watch_->goes_on(now, taken(), task_.owner->limits().http.transfers))
    home_.wheel().arm(timer_, watch_->wait(now));
  else
    drop();
}

} // namespace signalbox::net
