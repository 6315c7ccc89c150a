#include "transports/session/engine_session.hpp"

#include "transports/codec/engine/open.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::session {

namespace {

/// How often a pending poll is looked for while a probe runs.
constexpr time_point probe_check = 100;

/// How late a timer fires on a machine with time to spare: the next tick after
/// its slot has passed.
constexpr time_point late_timer = 2 * timer_wheel::granularity;

/// How long a session stays for a poll that its client sent before it said
/// goodbye. The two come over two connections, whose threads owe each other no
/// order.
constexpr time_point overtaken_poll = 100;

std::string open_packet(std::string_view sid, bool upgrade,
                        const options& opts) {
  std::string out{'0'};
  engine::encode_open(
    {sid, upgrade, opts.ping_interval, opts.ping_timeout, opts.max_payload},
    out);
  return out;
}

} // namespace

engine_session::engine_session(std::string_view sid,
                               const engine::revision& speaks,
                               const options& opts, timer_wheel& wheel,
                               forget fun, void* owner)
  : session_core(sid, opts, wheel, fun, owner), speaks_(speaks) {
  heartbeat_ = next_heartbeat();
  arm();
}

engine_session::~engine_session() = default;

time_point engine_session::next_heartbeat() const noexcept {
  auto wait = opts_.ping_interval.count();
  if (!speaks_.server_pings())
    wait += opts_.ping_timeout.count();
  return wheel_.now() + wait;
}

// -- polling ------------------------------------------------------------------

void engine_session::open_polling() {
  polling_ = true;
  ++opts_.count->opened_polling;
  ++opts_.count->live_polling;
  outbox_.push_control(open_packet(sid_, opts_.websocket, opts_));
  ask_main();
}

void engine_session::on_poll(std::shared_ptr<poll> request) {
  if (poll_ != nullptr) {
    request->refuse();
    close(close_reason::transport_error);
    return;
  }
  poll_ = std::move(request);
  if (leaving_) {
    answer_poll({"6"});
    vanish();
    return;
  }
  // The queued packets first, then the news that it is over.
  if (closed_ && outbox_.empty()) {
    answer_poll({"6", "1"});
    drop_probe();
    vanish();
    return;
  }
  flush();
}

void engine_session::release_poll() {
  answer_poll({"6"});
}

void engine_session::on_poll_lost(const poll* request) {
  // Its answer may still be made.
  auto answering = answered_.get() == request && answered_->leaving();
  if (poll_.get() != request && !answering)
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

bool engine_session::split(payload& x) {
  auto packets =
    speaks_.split_payload(x.bytes(), x.binary(), opts_.payload_packets);
  if (packets)
    x.pieces(std::move(*packets));
  else
    fault(packets.error() == codec::errc::too_many_pieces
            ? close_reason::limit
            : close_reason::parse_error);
  return static_cast<bool>(packets);
}

void engine_session::on_post_taken(bool lost) {
  posting_ = false;
  if (lost)
    end(close_reason::transport_error, true);
}

void engine_session::on_post_lost() {
  // Packets that are whole already are taken first.
  if (lose_post())
    return;
  posting_ = false;
  end(close_reason::transport_error, true);
}

/// Answers the pending poll, if there is one, with these packets alone.
void engine_session::answer_poll(
  std::initializer_list<std::string_view> packets) {
  auto pending = std::exchange(poll_, nullptr);
  if (pending == nullptr)
    return;
  auto binary = speaks_.binary_payloads() && !pending->text_only();
  std::string payload;
  for (auto each : packets)
    speaks_.append_packet(each, {}, false, binary, payload);
  pending->answer(std::move(payload), binary);
}

// -- websocket ----------------------------------------------------------------

void engine_session::open_websocket(carrier& via) {
  websocket_ = &via;
  ++opts_.count->opened_websocket;
  ++opts_.count->live_websocket;
  outbox_.push_control(open_packet(sid_, false, opts_));
  ask_main();
  via.wake();
}

bool engine_session::on_probe(carrier& via) {
  if (closed_ || probe_ != nullptr || websocket_ != nullptr)
    return false;
  probe_ = std::make_unique<probing>();
  probe_->via = &via;
  probe_->until = wheel_.now() + opts_.upgrade_timeout.count();
  arm();
  return true;
}

void engine_session::on_text(carrier& from, std::string_view text) {
  if (probed_by(from)) {
    probe_text(text);
    return;
  }
  if (&from != websocket_ || closed_)
    return;
  std::string scratch;
  on_piece({text}, scratch);
}

void engine_session::on_binary(carrier& from, std::string_view bytes) {
  if (probed_by(from)) {
    drop_probe();
  } else if (&from == websocket_ && !closed_) {
    std::string scratch;
    on_piece({bytes, true}, scratch);
  }
}

void engine_session::on_carrier_lost(carrier& from, close_reason why) {
  if (probed_by(from)) {
    probe_.reset();
    if (!closed_)
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
  if (text == "2probe" && !probe_->answered) {
    probe_->answered = true;
    probe_->noop_at = wheel_.now() + probe_check;
    probe_->via->send_probe("3probe");
    arm();
  } else if (text == "5") {
    upgrade();
  } else {
    drop_probe();
  }
}

void engine_session::drop_probe() {
  if (auto x = std::move(probe_))
    x->via->finish();
  if (!closed_)
    arm();
}

void engine_session::upgrade() {
  websocket_ = probe_->via;
  probe_.reset();
  if (closed_) {
    // The client left polling before it could hear of the end.
    timer_.cancel();
    websocket_->finish();
    return;
  }
  polling_ = false;
  ++opts_.count->upgrades;
  --opts_.count->live_polling;
  ++opts_.count->live_websocket;
  // A client that still polls is told that polling is over; queued packets
  // leave over the socket.
  answer_poll({"1"});
  arm();
  up_->on_upgrade();
  if (!outbox_.empty())
    websocket_->wake();
}

// -- port ---------------------------------------------------------------------

bool engine_session::send(const codec::shared_event& event,
                          std::optional<uint64_t> ack_id, bool volatile_) {
  if (closed_ || (volatile_ && !writable())
      || !push(event, speaks_.form(), ack_id))
    return false;
  flush();
  return true;
}

void engine_session::send(const socket::packet& packet) {
  if (closed_)
    return;
  if (packet.nsp == "/" && packet.type == socket::packet_type::connect)
    main_ = main_stage::in;
  else if (packet.nsp == "/"
           && (packet.type == socket::packet_type::disconnect
               || packet.type == socket::packet_type::connect_error))
    main_ = main_stage::out;
  std::string head{'4'};
  if (opts_.raw)
    head += packet.data;
  else
    speaks_.encode_message(packet, head);
  auto bytes = head.size();
  for (const auto& attachment : packet.attachments)
    bytes += attachment.size();
  if (!fits(bytes, 1 + packet.attachments.size())) {
    close(close_reason::slow);
    return;
  }
  auto attach = [this](std::string_view attachment) {
    outbox_.push(
      {codec::encode_attachment(speaks_.form(), attachment), {}, false});
  };
  if (opts_.raw && packet.type == socket::packet_type::binary_event)
    attach(packet.data);
  else
    outbox_.push({nullptr, std::move(head), false});
  for (const auto& attachment : packet.attachments)
    attach(attachment);
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
  assembler_.reset();
  assembly_.reset();
  tell_end(why);
  // A client that has stopped polling hears of the end over the socket that it
  // is about to move to.
  auto moving =
    probe_ != nullptr && probe_->answered && poll_ == nullptr && !abort;
  if (!moving && probe_ != nullptr)
    drop_probe();
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
  if (poll_ != nullptr && (outbox_.empty() || abort)) {
    answer_poll({"1"});
    vanish();
    return;
  }
  if (abort && !leaving_) {
    vanish();
    return;
  }
  flush();
  heartbeat_ =
    wheel_.now() + (leaving_ ? overtaken_poll : opts_.close_timeout.count());
  arm();
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
  auto binary = speaks_.binary_payloads() && !poll_->text_only();
  auto shared = parcel::take(outbox_, &speaks_, binary);
  std::string payload;
  payload.reserve(outbox_.bytes() + outbox_.packets());
  while (!outbox_.empty()) {
    const auto& x = outbox_.at(0);
    speaks_.append_packet(x.first(), x.second(), x.binary(), binary, payload);
    outbox_.pop();
  }
  auto pending = std::exchange(poll_, nullptr);
  if (shared)
    pending->answer_with(std::move(*shared));
  else
    pending->answer(std::move(payload), binary);
  if (pending->leaving())
    answered_ = std::move(pending);
}

void engine_session::arm() {
  auto next = heartbeat_;
  if (probe_ != nullptr) {
    next = std::min(next, probe_->until);
    if (probe_->answered && !closed_)
      next = std::min(next, probe_->noop_at);
  }
  if (assembly_ != nullptr)
    next = std::min(next, wheel_.now() + assembly_->wait(wheel_.now()));
  wheel_.arm(timer_, next - wheel_.now());
}

/// Looks for a packet that waits for its attachments. Returns false if they do
/// not come. A POST under way has its own watch.
bool engine_session::on_assembly_due(time_point now) {
  if (posting_)
    arrived_ += opts_.transfers.rate * opts_.transfers.rate_ms;
  return assembly_ == nullptr
         || assembly_->goes_on(now, arrived_, opts_.transfers);
}

/// Returns whether the client has its hands full with a POST, or with the
/// answer to a poll, so that nothing else comes from it.
bool engine_session::busy() const noexcept {
  return websocket_ == nullptr
         && (posting_ || (answered_ != nullptr && answered_->leaving()));
}

/// Sends a ping, or looks for what the client has sent since the last one.
/// Returns false if the session ends.
bool engine_session::on_heartbeat(time_point now) {
  auto awaited = pinged_ || !speaks_.server_pings();
  // Each call measures from the last one, so it comes with the ping too.
  if (websocket_ != nullptr && websocket_->takes())
    alive_ = true;
  if (misses_heartbeat()) {
    fault(close_reason::ping_timeout);
    return false;
  }
  alive_ = false;
  // A late tick must not add to the time that the client has.
  if (now - heartbeat_ >= late_timer)
    heartbeat_ = now;
  heartbeat_ += opts_.ping_timeout.count();
  if (awaited)
    return true;
  pinged_ = true;
  outbox_.push_control("2");
  flush();
  return true;
}

bool engine_session::expire(time_point now) {
  if (closed_ || websocket_ != nullptr || now < heartbeat_
      || !misses_heartbeat())
    return false;
  fault(close_reason::ping_timeout);
  return true;
}

/// Returns whether the client owed a ping, or the answer to one, and has shown
/// no sign of life since.
bool engine_session::misses_heartbeat() const noexcept {
  // The client's bytes, perhaps its answer, may still be unread.
  return (pinged_ || !speaks_.server_pings()) && !alive_ && !busy() && ready();
}

/// The client has yet to hear of the end, by its next poll or by the probe that
/// it has under way.
void engine_session::on_closing_timer() {
  if (probe_ != nullptr && wheel_.now() >= probe_->until) {
    ++opts_.count->upgrade_timeouts;
    drop_probe();
  }
  if (wheel_.now() < heartbeat_) {
    arm();
    return;
  }
  if (!leaving_)
    ++opts_.count->close_timeouts;
  drop_probe();
  vanish();
}

void engine_session::on_timer() {
  auto now = wheel_.now();
  if (closed_) {
    on_closing_timer();
    return;
  }
  if (!on_assembly_due(now)) {
    close(close_reason::limit);
    return;
  }
  if (probe_ != nullptr) {
    if (now >= probe_->until) {
      ++opts_.count->upgrade_timeouts;
      drop_probe();
    } else if (probe_->answered && now >= probe_->noop_at) {
      probe_->noop_at = now + probe_check;
      // The client waits for its outstanding poll before it switches.
      answer_poll({"6"});
    }
  }
  if (now >= heartbeat_ && !on_heartbeat(now))
    return;
  if (!closed_)
    arm();
}

} // namespace signalbox::session
