#include "transports/session/legacy_session.hpp"

#include "transports/codec/json_split.hpp"
#include "transports/codec/json_text.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::session {

namespace v0_9 = legacy::v0_9;
using v0_9::packet_type;

namespace {

constexpr std::string_view noop = "8::";
constexpr std::string_view heartbeat = "2::";
constexpr std::string_view connected = "1::";

/// Status of a handshake for which the site has no verdict: not 503, which has
/// balancers ask the other nodes in vain and take this one for broken.
constexpr unsigned no_verdict = 504;

/// The client stays away.
constexpr std::string_view goodbye = "0::";

/// A client that is thrown out, or broke the rules, is told to stay away. All
/// others are left as by a connection that breaks, after which clients come
/// again, at growing intervals; told to by a packet, they would do so in
/// several loops at a time.
bool stays_away(close_reason why) noexcept {
  switch (why) {
  case close_reason::client_close:
  case close_reason::kicked:
  case close_reason::parse_error:
  case close_reason::limit:
    return true;
  default:
    return false;
  }
}

int64_t whole_seconds(std::chrono::milliseconds x) {
  return (x.count() + 999) / 1000;
}

} // namespace

legacy_session::legacy_session(std::string_view sid, bool implicit,
                               const options& opts, timer_wheel& wheel,
                               forget fun, void* owner)
  : session_core(sid, opts, wheel, fun, owner), implicit_(implicit) {
  // nop
}

legacy_session::~legacy_session() = default;

// -- handshake ----------------------------------------------------------------

void legacy_session::open(std::shared_ptr<greeting> request,
                          std::string transports) {
  ++opts_.count->opened_polling;
  ++opts_.count->live_polling;
  greeting_ = std::move(request);
  transports_ = std::move(transports);
  until_ = wheel_.now() + opts_.close_timeout.count();
  arm();
  if (opts_.main_namespace)
    ask({}, {});
  else
    greet();
}

void legacy_session::on_greeting_lost(const greeting* request) {
  if (greeting_.get() != request)
    return;
  greeting_.reset();
  end(close_reason::transport_error, true);
}

/// Lets the client in. It drops a connection on which nothing came for the
/// longer of the two times it is told.
void legacy_session::greet() {
  auto request = std::exchange(greeting_, nullptr);
  if (request == nullptr)
    return;
  stage_ = stage::waiting;
  // The first packet that it gets, before all queued ones.
  outbox_.push_control(std::string{connected});
  until_ = wheel_.now() + opts_.close_timeout.count();
  arm();
  auto seconds =
    std::to_string(whole_seconds(opts_.ping_interval + opts_.ping_timeout));
  request->accept(std::string{sid_} + ':' + seconds + ':' + seconds + ':'
                  + transports_);
}

void legacy_session::count_as(bool websocket) {
  if (closed_ || std::exchange(live_websocket_, websocket) == websocket)
    return;
  auto& x = *opts_.count;
  --(websocket ? x.live_polling : x.live_websocket);
  ++(websocket ? x.live_websocket : x.live_polling);
}

void legacy_session::opened(std::string_view transport) {
  auto other = std::exchange(transport_, transport) != transport;
  stage_ = stage::open;
  if (other && !closed_)
    up_->on_upgrade();
}

// -- polling ------------------------------------------------------------------

void legacy_session::on_poll(std::shared_ptr<poll> request,
                             std::string_view transport) {
  // Where frames get lost on the way, a client falls back to polling and leaves
  // its WebSocket open.
  if (auto* before = std::exchange(carrier_, nullptr))
    before->abort();
  count_as(false);
  pinged_ = false;
  if (auto before = std::exchange(poll_, nullptr))
    before->answer(std::string{noop}, false);
  opened(transport);
  poll_ = std::move(request);
  answered_.reset();
  until_ = wheel_.now() + opts_.ping_interval.count();
  arm();
  flush();
  if (closed_ && poll_ != nullptr) {
    // All was said over what it came by before.
    std::exchange(poll_, nullptr)->refuse();
    vanish();
  }
}

void legacy_session::release_poll() {
  auto pending = std::exchange(poll_, nullptr);
  if (pending == nullptr)
    return;
  until_ = wheel_.now() + opts_.close_timeout.count();
  arm();
  pending->answer(std::string{noop}, false);
}

void legacy_session::on_poll_lost(const poll* request) {
  if (answered_.get() == request && answered_->leaving())
    // The client went before the events that its answer brings were made.
    return end(close_reason::transport_error, true);
  // The client may come again; until then its deadline runs.
  if (poll_.get() != request)
    return;
  poll_.reset();
  until_ = wheel_.now() + opts_.close_timeout.count();
  arm();
}

bool legacy_session::split(payload& x) {
  auto packets = v0_9::split_payload(x.bytes(), opts_.payload_packets);
  if (packets)
    x.pieces({packets->begin(), packets->end()});
  else if (packets.error() == codec::errc::too_many_pieces)
    close(close_reason::limit);
  else
    ++opts_.count->packets_ignored;
  return static_cast<bool>(packets);
}

void legacy_session::on_post_taken(bool) {
  // The client may come again; its deadline runs.
}

void legacy_session::on_disconnect() {
  end(close_reason::client_close, poll_ == nullptr);
}

// -- WebSocket and endless answers --------------------------------------------

void legacy_session::on_carrier(carrier& via, std::string_view transport) {
  if (auto* before = std::exchange(carrier_, &via))
    before->abort();
  if (auto pending = std::exchange(poll_, nullptr))
    pending->answer(std::string{noop}, false);
  if (closed_) {
    // It hears what the client has not heard of the end yet.
    timer_.cancel();
    via.finish();
    return;
  }
  count_as(transport == "websocket");
  pinged_ = false;
  until_ = wheel_.now() + opts_.ping_interval.count();
  opened(transport);
  arm();
  via.wake();
}

void legacy_session::on_text(carrier& from, std::string_view text) {
  std::string scratch;
  if (&from == carrier_ && !closed_)
    on_piece({text}, scratch);
}

void legacy_session::on_binary(carrier&, std::string_view) {
  ++opts_.count->packets_ignored;
}

void legacy_session::on_carrier_lost(carrier& from, close_reason why) {
  if (&from != carrier_)
    return;
  carrier_ = nullptr;
  if (closed_)
    vanish();
  else
    end(why, true);
}

// -- port ---------------------------------------------------------------------

bool legacy_session::send(const codec::shared_event& event,
                          std::optional<uint64_t> ack_id, bool volatile_) {
  auto writable = outbox_.empty() && (carrier_ != nullptr || poll_ != nullptr);
  if (closed_ || (volatile_ && !writable)
      || !push(event, codec::wire_form::v09, ack_id))
    return false;
  flush();
  return true;
}

void legacy_session::send(const socket::packet& packet) {
  if (closed_)
    return;
  std::string text;
  switch (packet.type) {
  case socket::packet_type::connect:
    answer_connect(packet);
    break;
  case socket::packet_type::connect_error:
    answer_refusal(packet);
    break;
  case socket::packet_type::disconnect:
    answer_disconnect(packet);
    break;
  case socket::packet_type::ack:
  case socket::packet_type::binary_ack:
    v0_9::encode_ack(packet.nsp, packet.id.value_or(0),
                     codec::embed_binary(packet.data, packet.attachments),
                     text);
    push_text(std::move(text));
    break;
  default:
    v0_9::encode_header(packet_type::event, packet.id, packet.nsp, text);
    text += ':';
    v0_9::encode_event(codec::embed_binary(packet.data, packet.attachments),
                       text);
    push_text(std::move(text));
  }
}

void legacy_session::push_text(std::string text) {
  if (!fits(text.size(), 1)) {
    close(close_reason::slow);
    return;
  }
  outbox_.push({nullptr, std::move(text), false});
  opts_.count->packets_out.fetch_add(1, std::memory_order_relaxed);
  flush();
}

void legacy_session::answer_connect(const socket::packet& x) {
  if (x.nsp == "/") {
    main_ = true;
    greet();
    return;
  }
  auto* to = find(x.nsp);
  if (to == nullptr)
    return;
  to->joined = true;
  control(std::string{connected} + to->spelled);
  auto early = std::exchange(to->early, {});
  for (auto& each : early)
    if (!closed_)
      up_->on_packet(std::move(each));
}

/// Old clients know one refusal, and one error that is none.
void legacy_session::answer_refusal(const socket::packet& x) {
  auto members = codec::split_object(x.data);
  auto temporary = codec::find_member(members, "data").has_value();
  auto literal = codec::find_member(members, "message").value_or("\"\"");
  auto message = codec::unquote_json(literal);
  if (x.nsp == "/") {
    if (auto request = std::exchange(greeting_, nullptr))
      request->refuse(temporary ? no_verdict : 403,
                      temporary ? "handshake error" : "handshake " + message);
    end(close_reason::kicked, true);
    return;
  }
  auto* to = find(x.nsp);
  if (to == nullptr)
    return;
  auto spelled = to->spelled;
  forget_endpoint(x.nsp);
  // The official server says nothing about a namespace it does not have.
  if (message != "Invalid namespace")
    control("7::" + spelled + (temporary ? ":1" : ":2"));
}

void legacy_session::answer_disconnect(const socket::packet& x) {
  // Without the main namespace there is no connection.
  if (x.nsp == "/") {
    end(close_reason::kicked, false);
    return;
  }
  if (auto* to = find(x.nsp))
    control(std::string{goodbye} + to->spelled);
  forget_endpoint(x.nsp);
}

void legacy_session::close(close_reason why) {
  // A client that does not read would not read a farewell either.
  end(why, why == close_reason::slow);
}

// -- life ---------------------------------------------------------------------

void legacy_session::control(std::string text) {
  // No client needs more of these than the bound of events allows.
  if (outbox_.controls() >= opts_.outbox_packets) {
    close(close_reason::slow);
    return;
  }
  outbox_.push_control(std::move(text));
  flush();
}

void legacy_session::end(close_reason why, bool abort) {
  if (closed_)
    return;
  closed_ = true;
  --(live_websocket_ ? opts_.count->live_websocket : opts_.count->live_polling);
  tell_end(why);
  if (auto request = std::exchange(greeting_, nullptr))
    request->refuse(why == close_reason::shutdown ? 503 : no_verdict,
                    "handshake error");
  if (abort)
    outbox_.clear();
  if (stays_away(why) && (!abort || poll_ != nullptr))
    outbox_.push_control(std::string{goodbye});
  if (carrier_ != nullptr) {
    if (!abort) {
      timer_.cancel();
      carrier_->finish();
      return;
    }
    std::exchange(carrier_, nullptr)->abort();
    vanish();
    return;
  }
  if (auto pending = std::exchange(poll_, nullptr)) {
    if (!outbox_.empty()) {
      poll_ = std::move(pending);
      flush();
    } else {
      pending->refuse();
      vanish();
    }
    return;
  }
  // The rest waits for the next poll, and a drain for the answer that is made.
  auto leaving = !abort && answered_ != nullptr && answered_->leaving();
  if (stage_ != stage::open || (outbox_.empty() && !leaving))
    vanish();
  else
    arm();
}

void legacy_session::flush() {
  if (carrier_ != nullptr) {
    carrier_->wake();
    return;
  }
  if (poll_ == nullptr || outbox_.empty())
    return;
  auto shared = parcel::take(outbox_, nullptr, false);
  auto several = outbox_.packets() > 1;
  std::string payload;
  payload.reserve(outbox_.bytes() + 16 * outbox_.packets());
  while (!outbox_.empty()) {
    const auto& x = outbox_.at(0);
    if (several)
      v0_9::append_piece(x.first(), x.second(), payload);
    else
      payload.append(x.first()).append(x.second());
    outbox_.pop();
  }
  auto pending = std::exchange(poll_, nullptr);
  if (shared)
    pending->answer_with(std::move(*shared));
  else
    pending->answer(std::move(payload), false);
  if (pending->leaving()) {
    answered_ = std::move(pending);
  } else if (closed_) {
    vanish();
    return;
  }
  until_ = wheel_.now() + opts_.close_timeout.count();
  arm();
}

void legacy_session::arm() {
  // Only its last answer may be under way.
  if (closed_ && outbox_.empty())
    wheel_.arm(timer_, timer_wheel::granularity);
  else if (closed_)
    wheel_.arm(timer_, opts_.close_timeout.count());
  else
    wheel_.arm(timer_, until_ - wheel_.now());
}

void legacy_session::on_timer() {
  if (closed_ && outbox_.empty() && answered_ != nullptr
      && answered_->leaving()) {
    arm();
    return;
  }
  if (closed_) {
    opts_.count->close_timeouts += !outbox_.empty();
    vanish();
    return;
  }
  auto now = wheel_.now();
  if (carrier_ != nullptr) {
    // What the client has sent, perhaps its answer, may still be unread.
    auto lives = std::exchange(alive_, false) || !ready();
    if (carrier_->takes())
      lives = true;
    if (pinged_ && !lives) {
      end(close_reason::ping_timeout, true);
      return;
    }
    until_ = now + opts_.ping_timeout.count();
    arm();
    if (!std::exchange(pinged_, true))
      control(std::string{heartbeat});
    return;
  }
  if (poll_ != nullptr) {
    // A poll without news has an end, so that proxies let it live.
    until_ = now + opts_.close_timeout.count();
    arm();
    std::exchange(poll_, nullptr)->answer(std::string{noop}, false);
    return;
  }
  if (answered_ != nullptr && answered_->leaving()) {
    // It cannot ask again before it has this.
    until_ = now + opts_.close_timeout.count();
    arm();
    return;
  }
  end(stage_ == stage::open ? close_reason::ping_timeout
                            : close_reason::connect_timeout,
      true);
}

} // namespace signalbox::session
