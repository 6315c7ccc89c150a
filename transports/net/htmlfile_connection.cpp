#include "transports/net/htmlfile_connection.hpp"

#include "transports/codec/json_text.hpp"
#include "transports/net/press.hpp"

#include <cstdio>
#include <utility>

namespace signalbox::net {

namespace {

/// Packets are taken out of the session up to about this many bytes at a time;
/// the packets behind them count as the client's.
constexpr size_t batch_bytes = 65536;

/// Browsers do not look at a page before they have so much of it.
constexpr size_t preamble_bytes = 256;

constexpr std::string_view preamble =
  "<html><body><script>var _ = function (msg) { parent.s._(msg, document); "
  "};</script>";

constexpr std::string_view last_chunk = "0\r\n\r\n";

void append_chunk(std::string_view data, std::string& out) {
  char size[20];
  auto n = std::snprintf(size, sizeof(size), "%zx\r\n", data.size());
  out.append(size, static_cast<size_t>(n)).append(data).append("\r\n");
}

/// Appends the script for a packet. Its slashes are escaped, so that no text
/// of it can end the script.
void append_message(std::string_view packet, std::string& out) {
  std::string json;
  codec::quote_json(packet, json);
  std::string script = "<script>_(";
  for (auto c : json) {
    if (c == '/')
      script += '\\';
    script += c;
  }
  script += ");</script>";
  append_chunk(script, out);
}

} // namespace

htmlfile_connection::htmlfile_connection(server& owner, loop& home,
                                         std::unique_ptr<stream> io,
                                         std::string peer, int64_t close_ms)
  : limits_(owner.limits()), home_(home), io_(std::move(io)),
    peer_(std::move(peer)), close_ms_(close_ms),
    timer_(session::make_timer<&htmlfile_connection::lost>(this)) {
  // nop
}

htmlfile_connection::~htmlfile_connection() {
  release_address(limits_, peer_);
}

void htmlfile_connection::start(std::shared_ptr<session::carried> x,
                                const std::string& headers) {
  session_ = std::move(x);
  out_ = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\n"
         "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n"
         "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n";
  out_ += headers;
  out_ += "\r\n";
  std::string first{preamble};
  first.resize(preamble_bytes, ' ');
  append_chunk(first, out_);
  io_->on_release([weak = weak_from_this()] {
    if (auto via = weak.lock(); via && via->session_)
      via->session_->on_release(*via);
  });
  write();
  read();
}

// -- reading ------------------------------------------------------------------

void htmlfile_connection::read() {
  if (!io_)
    return;
  io_->wait_readable([self = shared_from_this()] { self->on_readable(); });
}

/// Nothing is expected but the end.
void htmlfile_connection::on_readable() {
  if (!io_)
    return;
  auto buffer = home_.scratch();
  auto n = io_->read(buffer.data(), buffer.size());
  if (n <= 0 && n != stream::again)
    lost();
  else
    read();
}

// -- writing ------------------------------------------------------------------

void htmlfile_connection::wake() {
  if (!io_ || writing_ || dirty_ || session_ == nullptr)
    return;
  dirty_ = true;
  home_.flush_later(shared_from_this());
}

void htmlfile_connection::flush() {
  dirty_ = false;
  if (io_ && !writing_)
    write();
}

void htmlfile_connection::send_probe(std::string_view) {
  // nop
}

void htmlfile_connection::finish() {
  if (!io_ || finishing_)
    return;
  finishing_ = true;
  home_.wheel().arm(timer_, close_ms_);
  wake();
}

void htmlfile_connection::abort() {
  die();
}

void htmlfile_connection::fill() {
  out_.clear();
  written_ = 0;
  if (!session_->carried_by(*this))
    return;
  auto& queue = session_->queue();
  while (!queue.empty() && out_.size() < batch_bytes) {
    std::string packet{queue.at(0).first()};
    packet += queue.at(0).second();
    append_message(packet, out_);
    if (packet.size() >= press::large)
      home_.took_long();
    queue.pop();
  }
  if (queue.empty() && finishing_ && !std::exchange(ended_, true))
    out_ += last_chunk;
}

void htmlfile_connection::write() {
  auto self = shared_from_this();
  for (;;) {
    if (written_ == out_.size())
      fill();
    if (out_.empty())
      break;
    iovec piece{out_.data() + written_, out_.size() - written_};
    auto n = io_->write(&piece, 1);
    if (n == stream::gone) {
      lost();
      return;
    }
    if (n == stream::again) {
      writing_ = true;
      io_->wait_writable([self] {
        self->writing_ = false;
        if (self->io_)
          self->write();
      });
      return;
    }
    written_ += static_cast<size_t>(n);
  }
  out_.shrink_to_fit();
  if (ended_)
    lost();
}

// -- end ----------------------------------------------------------------------

void htmlfile_connection::lost() {
  auto self = shared_from_this();
  auto keep = session_;
  die();
  keep->on_carrier_lost(*this, session::close_reason::transport_error);
}

void htmlfile_connection::die() {
  if (!io_)
    return;
  timer_.cancel();
  io_->shutdown_write();
  io_->close();
  io_.reset();
}

} // namespace signalbox::net
