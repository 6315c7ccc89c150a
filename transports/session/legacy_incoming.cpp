#include "transports/codec/dialect.hpp"
#include "transports/session/legacy_session.hpp"

#include <algorithm>
#include <utility>

// What a session of 0.9 makes of the packets of its client.

namespace signalbox::session {

namespace v0_9 = legacy::v0_9;
using v0_9::packet_type;

namespace {

/// Events that may wait until their namespace is joined.
constexpr size_t max_early = 64;

std::string name_of(std::string_view spelled) {
  if (spelled.empty())
    return "/";
  std::string out{spelled.starts_with('/') ? "" : "/"};
  out += spelled;
  return out;
}

} // namespace

void legacy_session::on_piece(const engine::piece& piece, std::string&) {
  opts_.count->packets_in.fetch_add(1, std::memory_order_relaxed);
  // The next heartbeat stays where it is: a client wants to hear something now
  // and then, however much it says itself.
  if (carrier_ != nullptr && std::exchange(pinged_, false)) {
    until_ += opts_.ping_interval.count() - opts_.ping_timeout.count();
    until_ = std::max(until_, wheel_.now());
    arm();
  }
  // As with the official server, malformed packets are passed over.
  auto x = v0_9::decode_packet(piece.bytes);
  if (!x) {
    ++opts_.count->packets_ignored;
    return;
  }
  switch (x->type) {
  case packet_type::disconnect:
    on_leave(*x);
    break;
  case packet_type::connect:
    on_connect(*x);
    break;
  case packet_type::message:
  case packet_type::json:
  case packet_type::event:
    on_event(*x);
    break;
  case packet_type::ack:
    on_ack(*x);
    break;
  default:
    break;
  }
}

void legacy_session::on_connect(const v0_9::packet& x) {
  auto nsp = name_of(x.endpoint);
  if (nsp == "/")
    return;
  auto* there = find(nsp);
  if (there == nullptr)
    ask(x.endpoint, x.data.substr(x.data.starts_with('?') ? 1 : 0));
  else if (there->joined)
    control("1::" + there->spelled);
}

void legacy_session::on_leave(const v0_9::packet& x) {
  auto nsp = name_of(x.endpoint);
  if (nsp == "/") {
    end(close_reason::client_close, false);
    return;
  }
  if (find(nsp) == nullptr)
    return;
  forget_endpoint(nsp);
  socket::packet out;
  out.type = socket::packet_type::disconnect;
  out.nsp = nsp;
  up_->on_packet(std::move(out));
}

void legacy_session::on_event(const v0_9::packet& x) {
  socket::packet out;
  out.nsp = name_of(x.endpoint);
  auto args = v0_9::decode_event(x, opts_.packets.json);
  if (!args || out.nsp.size() > opts_.packets.nsp_bytes) {
    ++opts_.count->packets_ignored;
    return;
  }
  out.data = std::move(*args);
  if (x.id && x.with_answer) {
    out.id = x.id;
  } else if (x.id) {
    // Only the receipt is asked for, which is not the handler's to give.
    std::string receipt;
    v0_9::encode_ack(out.nsp, *x.id, "[]", receipt);
    control(std::move(receipt));
  }
  if (out.nsp == "/") {
    if (main_)
      up_->on_packet(std::move(out));
    return;
  }
  auto* to = find(out.nsp);
  if (to == nullptr && implicit_) {
    ask(x.endpoint, {});
    to = find(out.nsp);
  }
  if (to == nullptr)
    ++opts_.count->packets_ignored;
  else if (to->joined || implicit_)
    // A publisher may be gone before it is answered, and is let in, or not,
    // without a question.
    up_->on_packet(std::move(out));
  else if (!to->hold_back(std::move(out), opts_.max_payload))
    // The client comes again, perhaps when the site has a verdict.
    close(close_reason::site_unavailable);
}

bool legacy_session::endpoint::hold_back(socket::packet x, size_t most_bytes) {
  early_bytes += x.data.size();
  if (early.size() == max_early || early_bytes > most_bytes)
    return false;
  early.push_back(std::move(x));
  return true;
}

void legacy_session::on_ack(const v0_9::packet& x) {
  socket::packet out;
  out.type = socket::packet_type::ack;
  out.nsp = name_of(x.endpoint);
  out.id = x.id;
  auto* from = out.nsp == "/" ? nullptr : find(out.nsp);
  auto inside = out.nsp == "/" ? main_ : from != nullptr && from->joined;
  auto args = v0_9::decode_ack(x, opts_.packets.json);
  if (!args || !inside) {
    ++opts_.count->packets_ignored;
    return;
  }
  out.data = std::move(*args);
  up_->on_packet(std::move(out));
}

/// Asks to be let into a namespace; what the page put into queries stands for
/// an auth payload.
void legacy_session::ask(std::string_view spelled, std::string_view query) {
  socket::packet out;
  out.type = socket::packet_type::connect;
  out.nsp = name_of(spelled);
  if (out.nsp.size() > opts_.packets.nsp_bytes) {
    ++opts_.count->packets_ignored;
    return;
  }
  out.data = codec::query_json(
    from_ == nullptr ? std::string_view{} : from_->query(), query);
  if (out.nsp != "/")
    endpoints_.push_back({out.nsp, std::string{spelled}, false, {}});
  up_->on_packet(std::move(out));
}

legacy_session::endpoint* legacy_session::find(std::string_view nsp) {
  auto i = std::find_if(endpoints_.begin(), endpoints_.end(),
                        [nsp](const auto& x) { return x.nsp == nsp; });
  return i == endpoints_.end() ? nullptr : &*i;
}

void legacy_session::forget_endpoint(std::string_view nsp) {
  std::erase_if(endpoints_, [nsp](const auto& x) { return x.nsp == nsp; });
}

} // namespace signalbox::session
