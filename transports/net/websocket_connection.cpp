#include "transports/net/websocket_connection.hpp"

#include "transports/codec/utf8.hpp"
#include "transports/session/outbox.hpp"

#include <algorithm>
#include <array>

namespace signalbox::net {

namespace {

/// Most packets and pieces gathered into one write.
constexpr size_t batch_packets = 64;

/// Messages from this size on are compressed, as the official server does.
constexpr size_t compress_from = 1024;

/// Packets in the outbox that are worth a write within the turn.
constexpr size_t eager_packets = 256;

/// How long input is thrown away after a client broke the protocol.
constexpr int64_t linger_ms = 2000;

size_t wire_size(const session::out_packet& x) {
  if (x.body && x.head.empty())
    return x.body->frame.size();
  char header[ws::max_header];
  auto size = x.size();
  return ws::encode_header(ws::opcode::text, size, header) + size;
}

iovec piece(std::string_view x) {
  return {const_cast<char*>(x.data()), x.size()};
}

} // namespace

websocket_connection::websocket_connection(server& owner, loop& home,
                                           std::unique_ptr<stream> io,
                                           const std::string& peer,
                                           const options& opts, bool deflate)
  : limits_(owner.limits()), home_(home), io_(std::move(io)),
    address_(find_address(limits_, peer)), opts_(opts),
    reader_(ws::reader::peer::client, opts.messages, deflate),
    deflate_(deflate) {
  // nop
}

websocket_connection::~websocket_connection() {
  release_address(limits_, address_);
}

void websocket_connection::start(std::shared_ptr<session::carried> x,
                                 std::string handshake, std::string rest) {
  auto self = shared_from_this();
  session_ = std::move(x);
  control_ = std::move(handshake);
  io_->on_release([weak = weak_from_this()] {
    if (auto via = weak.lock(); via && via->session_)
      via->session_->on_release(*via);
  });
  write();
  if (io_ && !rest.empty())
    take_or_keep(rest);
  read();
}

// -- writing ------------------------------------------------------------------

void websocket_connection::wake() {
  // Packets from before `start` leave with it.
  if (!io_ || writing_ || session_ == nullptr)
    return;
  if (deaf_) {
    if (finishing_)
      lost(session::close_reason::transport_error);
    else if (session_->carried_by(*this))
      session_->queue().clear();
    return;
  }
  // A burst towards one client must not look like a client that is slow.
  if (session_->queue().packets() >= eager_packets && !finishing_) {
    write();
    if (!io_ || writing_)
      return;
  }
  if (dirty_)
    return;
  dirty_ = true;
  home_.flush_later(shared_from_this());
}

void websocket_connection::flush() {
  dirty_ = false;
  if (io_ && !writing_ && !deaf_ && !write_in_batch())
    write();
}

/// Frames that are shared leave together with those of other connections.
/// Returns false if there is anything else to write.
bool websocket_connection::write_in_batch() {
  auto& queue = session_->queue();
  auto fd = io_->plain_socket();
  if (fd < 0 || deflate_ || close_sent_ || sent_ > 0 || !control_.empty()
      || queue.empty() || queue.packets() > batch_packets
      || !session_->carried_by(*this))
    return false;
  std::array<iovec, batch_packets> pieces;
  size_t count = 0;
  for (; count < queue.packets(); ++count) {
    const auto& x = queue.at(count);
    if (!x.body || !x.head.empty())
      return false;
    pieces[count] = piece(x.body->frame);
  }
  // Until `wrote` nothing else is written.
  writing_ = true;
  home_.batch().add(fd, pieces.data(), count, *this);
  return true;
}

void websocket_connection::wrote(ssize_t n) {
  writing_ = false;
  if (!io_ || !went(n))
    return;
  if (session_->queue().empty() && control_.empty())
    written();
  else
    write();
}

void websocket_connection::send_probe(std::string_view text) {
  ws::encode_frame(ws::opcode::text, text, control_);
  wake();
}

void websocket_connection::finish() {
  if (!io_ || finishing_)
    return;
  // A client that is known to be gone ends at once.
  auto self = shared_from_this();
  finishing_ = true;
  takes();
  // A probe has nothing to lose.
  auto wait = session_ != nullptr && !session_->carried_by(*this)
                ? std::min(opts_.close_ms, linger_ms)
                : opts_.close_ms;
  timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this, wait);
  wake();
  resume();
}

void websocket_connection::abort() {
  die();
}

void websocket_connection::send_close(uint16_t code, std::string_view reason) {
  if (close_sent_)
    return;
  close_sent_ = true;
  finishing_ = true;
  // After a close frame nothing may follow, so what is queued is dropped; what
  // has begun must end, or the close frame would land inside it.
  auto& queue = session_->queue();
  if (session_->carried_by(*this) && sent_ > 0) {
    std::string whole;
    const auto& x = queue.at(0);
    if (x.body && x.head.empty()) {
      whole = x.body->frame;
    } else {
      whole.resize(ws::max_header);
      whole.resize(ws::encode_header(ws::opcode::text, x.size(), whole.data()));
      whole += x.first();
      whole += x.second();
    }
    control_.insert(0, whole, sent_);
  }
  sent_ = 0;
  ws::encode_frame(ws::opcode::close, ws::close_body(code, reason), control_);
  timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this,
                                                opts_.close_ms);
  if (!writing_)
    write();
}

/// Compressed frames become the connection's own when their turn to leave has
/// come.
void websocket_connection::pack() {
  auto& queue = session_->queue();
  packing_ = true;
  while (!queue.empty() && control_.size() < control_limit && !pressing_) {
    const auto& x = queue.at(0);
    if (x.size() >= compress_from) {
      press_next();
      continue;
    }
    std::string text{x.first()};
    text += x.second();
    ws::encode_frame(x.binary() ? ws::opcode::binary : ws::opcode::text, text,
                     control_);
    queue.pop();
  }
  packing_ = false;
}

/// Has the first packet compressed, which is done at once unless it is large.
void websocket_connection::press_next() {
  auto& queue = session_->queue();
  const auto& x = queue.at(0);
  auto op = x.binary() ? ws::opcode::binary : ws::opcode::text;
  press::order order{x.body, {}, press::coding::deflate};
  if (!x.body || !x.head.empty()) {
    std::string text{x.first()};
    order.of = text.append(x.second());
  }
  queue.pop();
  pressing_ = true;
  try {
    home_.bodies().make(std::move(order), [self = shared_from_this(),
                                           op](const press::body& made) {
      self->pressed(op, made);
    });
  } catch (const std::bad_alloc&) {
    pressed(op, nullptr);
  }
}

void websocket_connection::pressed(ws::opcode op, const press::body& x) {
  pressing_ = false;
  if (!io_ || deaf_ || close_sent_)
    return;
  if (x == nullptr)
    return lost(session::close_reason::transport_error);
  char header[ws::max_header];
  auto n = ws::encode_header(op, x->size(), header, true, true);
  control_.append(header, n);
  control_ += *x;
  if (!packing_ && !writing_)
    write();
}

void websocket_connection::write() {
  auto self = shared_from_this();
  auto& queue = session_->queue();
  for (;;) {
    auto carried = !close_sent_ && session_->carried_by(*this);
    if (carried && deflate_)
      pack();
    // There may have been no memory for it.
    if (!io_)
      return;
    std::array<iovec, 3 * batch_packets + 1> pieces;
    std::array<char, ws::max_header * batch_packets> headers;
    size_t count = 0;
    auto mine = carried && !deflate_;
    auto put_packet = [&](size_t i) {
      const auto& x = queue.at(i);
      if (x.body && x.head.empty()) {
        pieces[count++] = piece(x.body->frame);
        return;
      }
      auto* header = headers.data() + i * ws::max_header;
      auto n = ws::encode_header(ws::opcode::text, x.size(), header);
      pieces[count++] = {header, n};
      pieces[count++] = piece(x.first());
      if (!x.second().empty())
        pieces[count++] = piece(x.second());
    };
    // A packet that has begun goes first, then what is our own.
    size_t next = 0;
    if (mine && sent_ > 0)
      put_packet(next++);
    if (!control_.empty())
      pieces[count++] = piece(control_);
    if (mine)
      while (next < queue.packets() && next < batch_packets)
        put_packet(next++);
    if (count == 0)
      break;
    // Skip what has left of the packet that has begun.
    size_t first = 0;
    for (auto skip = mine ? sent_ : 0; skip > 0;) {
      auto n = std::min(skip, pieces[first].iov_len);
      pieces[first].iov_base = static_cast<char*>(pieces[first].iov_base) + n;
      pieces[first].iov_len -= n;
      skip -= n;
      if (pieces[first].iov_len == 0)
        ++first;
    }
    if (!went(io_->write(pieces.data() + first, count - first)))
      return;
  }
  written();
}

/// Takes the result of a write; returns false if that was the last for now.
bool websocket_connection::went(ssize_t n) {
  if (n == stream::gone) {
    // What the client sent before may still be unread; the end comes behind it.
    deaf_ = true;
    control_.clear();
    sent_ = 0;
    wake();
    read();
    return false;
  }
  if (n == stream::again) {
    writing_ = true;
    io_->wait_writable([self = shared_from_this()] {
      self->writing_ = false;
      if (self->io_)
        self->write();
    });
    return false;
  }
  if (going_ != nullptr)
    going_->bytes += n;
  consume(static_cast<size_t>(n));
  return true;
}

/// Nothing is left to write.
void websocket_connection::written() {
  if (pressing_) {
    read();
    return;
  }
  if (control_.empty())
    control_.shrink_to_fit();
  if (finishing_ && !close_sent_) {
    send_close(ws::close_code::none, {});
    return;
  }
  if (close_sent_ && close_received_) {
    if (faulty_)
      linger();
    else
      lost(session::close_reason::client_close);
    return;
  }
  read();
}

void websocket_connection::consume(size_t n) {
  auto& queue = session_->queue();
  auto mine = !close_sent_ && !deflate_ && session_->carried_by(*this);
  auto take_packet = [&] {
    auto left = wire_size(queue.at(0)) - sent_;
    if (n < left) {
      sent_ += n;
      n = 0;
      return;
    }
    n -= left;
    sent_ = 0;
    queue.pop();
  };
  if (mine && sent_ > 0)
    take_packet();
  auto own = std::min(n, control_.size());
  control_.erase(0, own);
  n -= own;
  while (n > 0)
    take_packet();
}

bool websocket_connection::takes() {
  if (!io_)
    return false;
  auto now = home_.wheel().now();
  auto held = io_->unacknowledged();
  auto idle = held == 0 && !writing_;
  auto before = std::exchange(going_, nullptr);
  if (!idle)
    going_ = std::make_unique<going>(going{now, held});
  if (before == nullptr)
    return false;
  auto taken = before->bytes - held;
  return taken > 0
         && taken * 1000 >= (now - before->since) * opts_.transfers.rate;
}

// -- end ----------------------------------------------------------------------

void websocket_connection::on_timeout() {
  auto self = shared_from_this();
  auto now = home_.wheel().now();
  if (finishing_) {
    if (!close_sent_ && takes()) {
      timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this,
                                                    opts_.close_ms);
      return;
    }
    lost(session::close_reason::transport_error);
    return;
  }
  if (coming_ != nullptr
      && coming_->watch.goes_on(now, coming_->bytes, opts_.transfers)) {
    timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this,
                                                  coming_->watch.wait(now));
    return;
  }
  // The rest of a message is too slow.
  fault(ws::close_code::policy, "message timeout",
        session::close_reason::limit);
}

void websocket_connection::fault(uint16_t code, std::string_view reason,
                                 session::close_reason why) {
  auto keep = session_;
  faulty_ = close_received_ = true;
  send_close(code, reason);
  keep->on_carrier_lost(*this, why);
}

void websocket_connection::linger() {
  // Closing with unread input would reset the connection and might cost the
  // client the close frame.
  io_->shutdown_write();
  timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this, linger_ms);
  read();
}

void websocket_connection::lost(session::close_reason why) {
  auto self = shared_from_this();
  auto keep = session_;
  die();
  keep->on_carrier_lost(*this, why);
}

void websocket_connection::die() {
  if (!io_)
    return;
  timer_.cancel();
  // It may hold the last reference to the connection.
  auto last = std::move(kept_);
  // A graceful end: sent bytes must not be lost to a reset.
  if (close_sent_)
    io_->shutdown_write();
  io_->close();
  io_.reset();
}

} // namespace signalbox::net
