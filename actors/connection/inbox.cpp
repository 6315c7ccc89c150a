#include "actors/connection/inbox.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/connection/packets.hpp"
#include "transports/codec/json_split.hpp"

#include <caf/send.hpp>

#include <utility>

namespace signalbox {

namespace {

/// Bytes of events whose clients have gone, of all clients together.
constexpr int64_t most_lingering = 16 << 20;

} // namespace

void inbox::publish(const place& from, const socket::packet& x, int64_t now) {
  auto ticket = take_up(x, now);
  auto event = read_emission(x);
  caf::anon_send(shared_.ingest,
                 signalbox::publish{owner_.handle(), ticket, x.id.has_value(),
                                    from.key, x.nsp, std::move(event.type),
                                    std::move(event.payload)});
}

void inbox::forward(const place& from, const socket::packet& x,
                    std::shared_ptr<const session::handshake> presented,
                    int64_t now) {
  auto ticket = take_up(x, now);
  waiting_.push_back({owner_.handle(), ticket, from.user, x.nsp,
                      codec::embed_binary(x.data, x.attachments),
                      std::move(presented), x.id.has_value()});
  send_next();
  if (waits())
    ++shared_.count.client_events_queued;
}

void inbox::on_published(const published& x, int64_t now) {
  settle(x.ticket, '[' + x.json + ']', true, now);
}

void inbox::on_forwarded(const event_forwarded& x, int64_t now) {
  --at_site_;
  send_next();
  auto ok = x.outcome == ec::none;
  settle(x.ticket, ok ? x.ack : error_args(x.outcome), ok, now);
}

bool inbox::full() const noexcept {
  const auto& limits = shared_.opts.limits;
  return entries_.size() >= limits.inbox_packets
         || bytes_ >= limits.inbox_bytes;
}

inbox::~inbox() {
  shared_.count.lingering_bytes -= lingering_;
}

bool inbox::linger(int64_t now) {
  if (!waits())
    return false;
  lingering_ = static_cast<int64_t>(bytes_);
  if ((shared_.count.lingering_bytes += lingering_) > most_lingering) {
    drop(nullptr);
    return false;
  }
  lingers_until_ = now + shared_.opts.limits.inbox_timeout.count();
  return true;
}

int64_t inbox::deadline() const noexcept {
  if (lingers_until_ != 0)
    return lingers_until_;
  return full_since_ == 0
           ? 0
           : full_since_ + shared_.opts.limits.inbox_timeout.count();
}

uint64_t inbox::take_up(const socket::packet& x, int64_t now) {
  auto bytes = x.data.size();
  for (const auto& each : x.attachments)
    bytes += each.size();
  bytes_ += bytes;
  entries_.emplace(++last_ticket_, entry{x.nsp, x.id, bytes});
  if (full() && full_since_ == 0) {
    ++shared_.count.limit_inbox;
    full_since_ = now;
    owner_.on_inbox(true);
  }
  return last_ticket_;
}

void inbox::send_next() {
  while (!waiting_.empty() && at_site_ < shared_.opts.limits.pending_forwards) {
    ++at_site_;
    caf::anon_send(shared_.site_auth, std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

/// `handled` tells an event from one that was given up.
void inbox::settle(uint64_t ticket, std::string_view args, bool handled,
                   int64_t now) {
  auto node = entries_.extract(ticket);
  if (node.empty())
    return;
  const auto& x = node.mapped();
  bytes_ -= x.bytes;
  if (x.id)
    owner_.ack(x.nsp, *x.id, args);
  if (full_since_ != 0 && handled)
    full_since_ = now;
  note_room();
}

void inbox::note_room() {
  if (full_since_ == 0 || full())
    return;
  full_since_ = 0;
  owner_.on_inbox(false);
}

size_t inbox::drop(const std::string* nsp) {
  auto dropped = std::erase_if(waiting_, [&](const forward_event& x) {
    if (nsp != nullptr && x.nsp != *nsp)
      return false;
    auto node = entries_.extract(x.ticket);
    bytes_ -= node.mapped().bytes;
    return true;
  });
  shared_.count.client_events_dropped += dropped;
  note_room();
  return dropped;
}

} // namespace signalbox
