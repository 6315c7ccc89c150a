#include "transports/codec/deflate.hpp"
#include "transports/codec/utf8.hpp"
#include "transports/net/websocket_connection.hpp"

#include <algorithm>
#include <utility>

// The bytes of the client.

namespace signalbox::net {

namespace {

/// Messages, and their bytes, taken from one client before others get their
/// turn.
constexpr size_t turn_messages = 16;
constexpr size_t turn_bytes = 65536;

} // namespace

/// A probe, which says nothing to the handler, goes on while the session waits.
bool websocket_connection::must_wait() const {
  return session_->carried_by(*this) && !session_->ready();
}

void websocket_connection::read() {
  // A client that does not take our answers gets nothing more read.
  if (reading_ || !io_ || control_.size() > control_limit)
    return;
  if (kept_ != nullptr) {
    if (!must_wait())
      resume();
    return;
  }
  reading_ = true;
  io_->wait_readable(
    callback::to<&websocket_connection::on_readable>(shared_from_this()));
}

void websocket_connection::on_readable() {
  reading_ = false;
  // It goes on behind what is kept.
  if (kept_ != nullptr)
    return;
  auto self = shared_from_this();
  auto buffer = home_.scratch();
  auto n = io_->read(buffer.data(), buffer.size());
  if (n > 0) {
    session_->on_sign_of_life(static_cast<size_t>(n));
    if (coming_ != nullptr)
      coming_->bytes += n;
    take_or_keep(buffer.subspan(0, static_cast<size_t>(n)));
  } else if (n != stream::again) {
    lost(session::close_reason::transport_error);
    return;
  }
  read();
}

/// A client that has sent "5" may poll next; its request can be here sooner.
void websocket_connection::catch_up() {
  // The wait under way begins anew.
  if (reading_ && io_ && kept_ == nullptr)
    on_readable();
}

/// Takes messages as long as the session is ready, and not too many at a time.
/// Returns how many bytes at the end of these it has not taken.
size_t websocket_connection::take(std::span<char> bytes) {
  // Frames that follow a close frame are none of our business.
  ws::message x;
  auto whole = false;
  size_t messages = 0;
  size_t size = 0;
  while (io_ && !close_received_) {
    auto pause = messages == turn_messages || size >= turn_bytes || must_wait()
                 || control_.size() > control_limit;
    if (pause && !finishing_ && !bytes.empty()) {
      // Time in which nothing is taken is not the client's.
      forget_rest();
      return bytes.size();
    }
    auto more = reader_.next(bytes, x);
    if (!more) {
      fault(ws::close_code_for(more.error()), {},
            session::close_reason::parse_error);
      return 0;
    }
    if (!*more)
      break;
    whole = true;
    ++messages;
    size += x.compressed ? on_compressed(x) : on_message(x);
  }
  if (!io_ || finishing_)
    return 0;
  if (!reader_.partial())
    forget_rest();
  else if (whole || coming_ == nullptr)
    await_rest();
  return 0;
}

/// A message has begun that is not whole yet.
void websocket_connection::await_rest() {
  auto now = home_.wheel().now();
  coming_ = std::make_unique<coming>(
    coming{0, {now, 0, opts_.assembly_ms, opts_.transfers}});
  timer_.arm<&websocket_connection::on_timeout>(home_.wheel(), this,
                                                coming_->watch.wait(now));
}

void websocket_connection::forget_rest() {
  coming_.reset();
  timer_.cancel();
}

void websocket_connection::take_or_keep(std::span<char> bytes) {
  auto left = take(bytes);
  if (left == 0 || !io_)
    return;
  bytes = bytes.last(left);
  kept_ = std::make_unique<kept>();
  kept_->bytes.assign(bytes.data(), bytes.size());
  kept_->self = shared_from_this();
}

void websocket_connection::resume() {
  if (kept_ == nullptr || std::exchange(taking_, true))
    return;
  home_.post([self = shared_from_this()] {
    self->taking_ = false;
    self->take_kept();
  });
}

void websocket_connection::take_kept() {
  auto now = std::move(kept_);
  if (now == nullptr)
    return;
  auto left = take(std::span{now->bytes}.subspan(now->begin));
  if (left > 0 && io_) {
    now->begin = now->bytes.size() - left;
    kept_ = std::move(now);
  }
  read();
}

size_t websocket_connection::on_compressed(const ws::message& x) {
  auto plain = codec::inflate_message(x.data, opts_.messages.message);
  auto why = plain.error();
  if (plain && x.op == ws::opcode::text && !codec::valid_utf8(*plain))
    why = codec::errc::bad_utf8;
  if (why == codec::errc::none)
    return on_message({x.op, *plain, false});
  fault(ws::close_code_for(why), {}, session::close_reason::parse_error);
  return 0;
}

/// Returns the size of the message.
size_t websocket_connection::on_message(const ws::message& x) {
  auto size = x.data.size();
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
      break;
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
  return size;
}

} // namespace signalbox::net
