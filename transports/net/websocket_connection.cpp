#include "transports/net/websocket_connection.hpp"

#include "transports/codec/deflate.hpp"
#include "transports/codec/utf8.hpp"
#include "transports/session/outbox.hpp"

#include <algorithm>
#include <array>

namespace signalbox::net {

namespace {

/// Most packets and pieces gathered into one write.
constexpr size_t batch_packets = 64;

/// With this much of our own waiting, the client's pings are no longer read.
constexpr size_t control_limit = 16384;

/// Messages from this size on are compressed, as the official server does.
constexpr size_t compress_from = 1024;

/// Packets in the outbox that are worth a write within the turn.
constexpr size_t eager_packets = 256;

/// How long input is thrown away after a client broke the protocol.
constexpr int64_t linger_ms = 2000;

/// Bytes read from one socket before others get their turn.
constexpr size_t read_budget = 1 << 20;

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
  write();
  if (io_ && !rest.empty())
    take(rest);
  read();
}

// -- reading ------------------------------------------------------------------

void websocket_connection::read() {
  // A client that does not take our answers gets nothing more read.
  if (reading_ || !io_ || control_.size() > control_limit)
    return;
  reading_ = true;
  io_->wait_readable(
    callback::to<&websocket_connection::on_readable>(shared_from_this()));
}

void websocket_connection::on_readable() {
  reading_ = false;
  auto self = shared_from_this();
  auto buffer = home_.scratch();
  for (size_t total = 0; io_ && total < read_budget;) {
    auto n = io_->read(buffer.data(), buffer.size());
    if (n == stream::again)
      break;
    if (n <= 0) {
      lost(session::close_reason::transport_error);
      return;
    }
    total += static_cast<size_t>(n);
    take(buffer.subspan(0, static_cast<size_t>(n)));
    if (static_cast<size_t>(n) < buffer.size() && io_ && !io_->tls())
      break;
  }
  read();
}

void websocket_connection::take(std::span<char> bytes) {
  // Whatever follows a close frame is none of our business.
  ws::message x;
  while (io_ && !close_received_) {
    auto more = reader_.next(bytes, x);
    if (!more) {
      fault(ws::close_code_for(more.error()), {},
            session::close_reason::parse_error);
      return;
    }
    if (!*more)
      break;
    if (x.compressed)
      on_compressed(x);
    else
      on_message(x);
  }
  if (!io_ || finishing_)
    return;
  if (!reader_.partial())
    timer_.cancel();
  else if (!timer_.armed())
    timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this,
                                                  opts_.assembly_ms);
}

void websocket_connection::on_compressed(const ws::message& x) {
  auto plain = codec::inflate_message(x.data, opts_.messages.message);
  auto why = plain.error();
  if (plain && x.op == ws::opcode::text && !codec::valid_utf8(*plain))
    why = codec::errc::bad_utf8;
  if (why != codec::errc::none)
    fault(ws::close_code_for(why), {}, session::close_reason::parse_error);
  else
    on_message({x.op, *plain, false});
}

void websocket_connection::on_message(const ws::message& x) {
  auto keep = session_;
  switch (x.op) {
  case ws::opcode::text:
    keep->on_text(*this, x.data);
    break;
  case ws::opcode::binary:
    keep->on_binary(*this, x.data);
    break;
  case ws::opcode::ping:
    if (!finishing_) {
      ws::encode_frame(ws::opcode::pong, x.data, control_);
      wake();
    }
    break;
  case ws::opcode::close: {
    close_received_ = true;
    if (close_sent_) {
      lost(session::close_reason::client_close);
      return;
    }
    // Echoed with the code it came with (RFC 6455 section 5.5.1).
    uint16_t code = ws::close_code::none;
    if (x.data.size() >= 2)
      code = static_cast<uint16_t>(static_cast<uint8_t>(x.data[0]) << 8
                                   | static_cast<uint8_t>(x.data[1]));
    std::string reason{x.data.substr(std::min<size_t>(2, x.data.size()))};
    send_close(code, reason);
    keep->on_carrier_lost(*this, session::close_reason::client_close);
    break;
  }
  default:
    break;
  }
}

// -- writing ------------------------------------------------------------------

void websocket_connection::wake() {
  // Whatever comes before `start` leaves with it.
  if (!io_ || writing_ || session_ == nullptr)
    return;
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
  if (io_ && !writing_ && !write_in_batch())
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
  finishing_ = true;
  timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this,
                                                opts_.close_ms);
  wake();
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

/// Compressed frames belong to this connection alone, so they are made when
/// their turn to leave has come.
void websocket_connection::pack() {
  auto& queue = session_->queue();
  while (!queue.empty() && control_.size() < control_limit) {
    const auto& x = queue.at(0);
    std::string text{x.first()};
    text += x.second();
    auto op = x.binary() ? ws::opcode::binary : ws::opcode::text;
    if (text.size() < compress_from) {
      ws::encode_frame(op, text, control_);
    } else {
      std::string small;
      codec::deflate_message(text, small);
      char header[ws::max_header];
      auto n = ws::encode_header(op, small.size(), header, true, true);
      control_.append(header, n);
      control_ += small;
    }
    queue.pop();
  }
}

void websocket_connection::write() {
  auto self = shared_from_this();
  auto& queue = session_->queue();
  for (;;) {
    auto carried = !close_sent_ && session_->carried_by(*this);
    if (carried && deflate_)
      pack();
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
    lost(session::close_reason::transport_error);
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
  consume(static_cast<size_t>(n));
  return true;
}

/// Nothing is left to write.
void websocket_connection::written() {
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

// -- end ----------------------------------------------------------------------

void websocket_connection::on_timeout() {
  auto self = shared_from_this();
  if (finishing_) {
    lost(session::close_reason::transport_error);
    return;
  }
  // An unfinished message waited too long.
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
  // A graceful end: what was sent must not be lost to a reset.
  if (close_sent_)
    io_->shutdown_write();
  io_->close();
  io_.reset();
}

} // namespace signalbox::net
