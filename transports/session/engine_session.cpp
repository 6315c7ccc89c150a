#include "transports/session/engine_session.hpp"

#include "transports/codec/engine/open.hpp"
#include "transports/codec/engine/v4.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::session {

namespace {

namespace v4 = engine::v4;

/// How often a pending poll is looked for while a probe runs.
constexpr time_point probe_check = 100;

std::string open_packet(std::string_view sid, bool upgrade,
                        const options& opts) {
  std::string out{'0'};
  engine::encode_open(
    {sid, upgrade, opts.ping_interval, opts.ping_timeout, opts.max_payload},
    out);
  return out;
}

} // namespace

engine_session::engine_session(std::string sid, const options& opts,
                               timer_wheel& wheel, forget fun, void* owner)
  : opts_(opts), wheel_(wheel), sid_(std::move(sid)), forget_(fun),
    owner_(owner), timer_(make_timer<&engine_session::on_timer>(this)),
    heartbeat_(wheel.now() + opts.ping_interval.count()),
    outbox_(opts.outbox_bytes, opts.outbox_packets) {
  arm();
}

engine_session::~engine_session() = default;

// -- polling ------------------------------------------------------------------

void engine_session::open_polling() {
  polling_ = true;
  ++opts_.count->opened_polling;
  ++opts_.count->live_polling;
  outbox_.push_control(open_packet(sid_, opts_.websocket, opts_));
}

void engine_session::on_poll(std::shared_ptr<poll> request) {
  if (poll_ != nullptr) {
    request->refuse();
    close(close_reason::transport_error);
    return;
  }
  if (closed_) {
    // What was queued first, then the news that it is over.
    if (!outbox_.empty()) {
      poll_ = std::move(request);
      flush();
      return;
    }
    request->answer("6\x1e"
                    "1");
    vanish();
    return;
  }
  poll_ = std::move(request);
  flush();
}

void engine_session::on_poll_lost(const poll* request) {
  if (poll_.get() != request)
    return;
  poll_.reset();
  end(close_reason::transport_error, true);
}

bool engine_session::on_post_begin() {
  if (posting_) {
    end(close_reason::transport_error, true);
    return false;
  }
  posting_ = true;
  return true;
}

void engine_session::on_post(std::string_view payload) {
  posting_ = false;
  auto packets = v4::split_payload(payload, opts_.payload_packets);
  if (!packets) {
    fault(close_reason::limit);
    return;
  }
  std::string scratch;
  for (auto text : *packets) {
    if (closed_)
      return;
    on_packet(text, scratch);
  }
}

void engine_session::on_post_lost() {
  posting_ = false;
  end(close_reason::transport_error, true);
}

// -- websocket ----------------------------------------------------------------

void engine_session::open_websocket(websocket& via) {
  websocket_ = &via;
  ++opts_.count->opened_websocket;
  ++opts_.count->live_websocket;
  outbox_.push_control(open_packet(sid_, false, opts_));
  via.wake();
}

bool engine_session::on_probe(websocket& via) {
  if (closed_ || probe_ != nullptr || websocket_ != nullptr)
    return false;
  probe_ = &via;
  probed_ = false;
  probe_until_ = wheel_.now() + opts_.upgrade_timeout.count();
  arm();
  return true;
}

void engine_session::on_text(websocket& from, std::string_view text) {
  if (&from == probe_) {
    probe_text(text);
    return;
  }
  if (&from != websocket_ || closed_)
    return;
  std::string scratch;
  on_packet(text, scratch);
}

void engine_session::on_binary(websocket& from, std::string_view bytes) {
  if (&from == probe_)
    drop_probe();
  else if (&from == websocket_ && !closed_)
    on_attachment(std::string{bytes});
}

void engine_session::on_websocket_lost(websocket& from, close_reason why) {
  if (&from == probe_) {
    probe_ = nullptr;
    arm();
    return;
  }
  if (&from != websocket_)
    return;
  websocket_ = nullptr;
  if (closed_)
    vanish();
  else
    end(why, true);
}

void engine_session::probe_text(std::string_view text) {
  if (text == "2probe" && !probed_) {
    probed_ = true;
    noop_at_ = wheel_.now() + probe_check;
    probe_->send_probe("3probe");
    arm();
  } else if (text == "5") {
    upgrade();
  } else {
    drop_probe();
  }
}

void engine_session::drop_probe() {
  auto* x = std::exchange(probe_, nullptr);
  x->finish();
  arm();
}

void engine_session::upgrade() {
  websocket_ = std::exchange(probe_, nullptr);
  polling_ = false;
  ++opts_.count->upgrades;
  --opts_.count->live_polling;
  ++opts_.count->live_websocket;
  // A client that still polls is told that polling is over; what is queued
  // leaves over the socket.
  if (auto pending = std::exchange(poll_, nullptr))
    pending->answer("1");
  arm();
  up_->on_upgrade();
  if (!outbox_.empty())
    websocket_->wake();
}

// -- incoming -----------------------------------------------------------------

void engine_session::on_packet(std::string_view text, std::string& scratch) {
  opts_.count->packets_in.fetch_add(1, std::memory_order_relaxed);
  auto x = v4::decode_packet(text, scratch);
  if (!x) {
    fault(close_reason::parse_error);
    return;
  }
  // Whatever comes while a ping is out extends the wait for its answer, once.
  if (pinged_ && !extended_ && x->type != engine::packet_type::pong) {
    extended_ = true;
    heartbeat_ = wheel_.now() + opts_.ping_timeout.count();
    arm();
  }
  switch (x->type) {
  case engine::packet_type::message:
    if (x->binary)
      on_attachment(std::string{x->data});
    else
      on_message(x->data);
    break;
  case engine::packet_type::pong:
    if (pinged_) {
      pinged_ = false;
      heartbeat_ = wheel_.now() + opts_.ping_interval.count();
      arm();
    }
    break;
  case engine::packet_type::ping:
    fault(close_reason::parse_error);
    break;
  case engine::packet_type::close:
    if (auto pending = std::exchange(poll_, nullptr))
      pending->answer("6");
    if (websocket_ != nullptr)
      close(close_reason::client_close);
    else
      end(close_reason::client_close, true);
    break;
  default:
    // Open, upgrade and noop are ignored, as the official server does.
    break;
  }
}

void engine_session::on_message(std::string_view text) {
  if (opts_.raw) {
    socket::packet raw;
    raw.data = text;
    up_->on_packet(std::move(raw));
    return;
  }
  auto x = socket::v5::decode(text, opts_.packets);
  if (!x) {
    close(close_reason::parse_error);
    return;
  }
  if (assembler_ == nullptr) {
    if (x->expected_attachments == 0) {
      up_->on_packet(std::move(*x));
      return;
    }
    assembler_ = std::make_unique<socket::assembler>(opts_.max_payload);
    assembly_until_ = wheel_.now() + opts_.assembly_timeout.count();
    arm();
  }
  hand_up(assembler_->add(std::move(*x)));
}

void engine_session::on_attachment(std::string bytes) {
  if (opts_.raw) {
    socket::packet raw;
    raw.type = socket::packet_type::binary_event;
    raw.data = std::move(bytes);
    up_->on_packet(std::move(raw));
    return;
  }
  if (assembler_ == nullptr) {
    close(close_reason::parse_error);
    return;
  }
  hand_up(assembler_->add_binary(std::move(bytes)));
}

void engine_session::hand_up(codec::result<std::optional<socket::packet>> x) {
  if (!x) {
    assembler_.reset();
    close(close_reason::parse_error);
    return;
  }
  if (!assembler_->waiting()) {
    assembler_.reset();
    arm();
  }
  if (*x)
    up_->on_packet(std::move(**x));
}

// -- port ---------------------------------------------------------------------

bool engine_session::send(const codec::shared_event& event,
                          std::optional<uint64_t> ack_id, bool volatile_) {
  if (closed_ || (volatile_ && !writable()))
    return false;
  const auto& bodies = event.engine_v4();
  size_t bytes = 0;
  for (const auto& body : bodies)
    bytes += body->text().size();
  if (!outbox_.fits(bytes, bodies.size())) {
    close(close_reason::slow);
    return false;
  }
  for (const auto& body : bodies) {
    out_packet x{body, {}, false};
    if (ack_id && body == bodies.front())
      x.head = event.header_v4(*ack_id);
    outbox_.push(std::move(x));
  }
  opts_.count->packets_out.fetch_add(1, std::memory_order_relaxed);
  flush();
  return true;
}

void engine_session::send(const socket::packet& packet) {
  if (closed_)
    return;
  std::string head{'4'};
  if (opts_.raw)
    head += packet.data;
  else
    socket::v5::encode(packet, head);
  auto bytes = head.size();
  for (const auto& attachment : packet.attachments)
    bytes += attachment.size();
  if (!outbox_.fits(bytes, 1 + packet.attachments.size())) {
    close(close_reason::slow);
    return;
  }
  if (opts_.raw && packet.type == socket::packet_type::binary_event)
    outbox_.push({codec::encode_attachment(packet.data), {}, false});
  else
    outbox_.push({nullptr, std::move(head), false});
  for (const auto& attachment : packet.attachments)
    outbox_.push({codec::encode_attachment(attachment), {}, false});
  opts_.count->packets_out.fetch_add(1, std::memory_order_relaxed);
  flush();
}

void engine_session::close(close_reason why) {
  // A client that does not read would not read a farewell either.
  end(why, why == close_reason::slow);
}

void engine_session::fault(close_reason why) {
  // As with the official server, such a client finds its sid unknown instead
  // of a farewell.
  end(why, websocket_ == nullptr);
}

std::string_view engine_session::transport() const noexcept {
  return websocket_ != nullptr || !polling_ ? "websocket" : "polling";
}

// -- life ---------------------------------------------------------------------

void engine_session::end(close_reason why, bool abort) {
  if (closed_)
    return;
  closed_ = true;
  --(polling_ ? opts_.count->live_polling : opts_.count->live_websocket);
  ++opts_.count->closed[static_cast<size_t>(why)];
  assembler_.reset();
  if (probe_ != nullptr)
    std::exchange(probe_, nullptr)->finish();
  // The handler itself stays as long as the session: this may be a call that
  // came out of it.
  if (up_ != nullptr)
    up_->on_close(why);
  if (websocket_ != nullptr) {
    if (!abort) {
      // The connection sees to it that this has an end, and needs the outbox
      // until then.
      timer_.cancel();
      websocket_->finish();
      return;
    }
    std::exchange(websocket_, nullptr)->abort();
    vanish();
    return;
  }
  if (auto pending = std::exchange(poll_, nullptr)) {
    if (outbox_.empty() || abort) {
      pending->answer("1");
      vanish();
      return;
    }
    poll_ = std::move(pending);
    flush();
    arm();
    return;
  }
  if (abort) {
    vanish();
    return;
  }
  arm();
}

void engine_session::vanish() {
  timer_.cancel();
  outbox_.clear();
  forget_(owner_, *this);
}

bool engine_session::writable() const noexcept {
  return outbox_.empty() && (websocket_ != nullptr || poll_ != nullptr);
}

void engine_session::flush() {
  if (websocket_ != nullptr) {
    websocket_->wake();
    return;
  }
  if (poll_ == nullptr || outbox_.empty())
    return;
  std::string payload;
  payload.reserve(outbox_.bytes() + outbox_.packets());
  while (!outbox_.empty()) {
    const auto& x = outbox_.at(0);
    if (!payload.empty())
      payload += v4::separator;
    if (x.binary()) {
      v4::encode_binary(x.first(), payload);
    } else {
      payload += x.first();
      payload += x.second();
    }
    outbox_.pop();
  }
  std::exchange(poll_, nullptr)->answer(std::move(payload));
}

void engine_session::arm() {
  if (closed_) {
    wheel_.arm(timer_, opts_.close_timeout.count());
    return;
  }
  auto next = heartbeat_;
  if (probe_ != nullptr) {
    next = std::min(next, probe_until_);
    if (probed_)
      next = std::min(next, noop_at_);
  }
  if (assembler_ != nullptr)
    next = std::min(next, assembly_until_);
  wheel_.arm(timer_, next - wheel_.now());
}

void engine_session::on_timer() {
  auto now = wheel_.now();
  if (closed_) {
    ++opts_.count->close_timeouts;
    vanish();
    return;
  }
  if (assembler_ != nullptr && now >= assembly_until_) {
    close(close_reason::limit);
    return;
  }
  if (probe_ != nullptr) {
    if (now >= probe_until_) {
      ++opts_.count->upgrade_timeouts;
      drop_probe();
    } else if (probed_ && now >= noop_at_) {
      noop_at_ = now + probe_check;
      // The client waits for its outstanding poll before it switches.
      if (auto pending = std::exchange(poll_, nullptr))
        pending->answer("6");
    }
  }
  if (now >= heartbeat_) {
    if (pinged_) {
      close(close_reason::ping_timeout);
      return;
    }
    pinged_ = true;
    extended_ = false;
    heartbeat_ = now + opts_.ping_timeout.count();
    outbox_.push_control("2");
    flush();
  }
  if (!closed_)
    arm();
}

} // namespace signalbox::session
