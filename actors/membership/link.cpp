#include "actors/membership/link.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/api/wire_format.hpp"

#include <caf/send.hpp>

#include <algorithm>
#include <chrono>

namespace signalbox {

namespace {

/// So many batches may arrive before the other side is told, unless a batch
/// goes that way or its sender waits. It may have more under way than that.
constexpr int quiet_batches = outgoing::eager_batches / 2;

/// Returns whether a sender waits to hear that an item has arrived, and gets no
/// other answer to it.
constexpr bool awaited(uint8_t tag) {
  return tag == wire::keys::tag;
}

int64_t microseconds() {
  using namespace std::chrono;
  return duration_cast<std::chrono::microseconds>(
           steady_clock::now().time_since_epoch())
    .count();
}

/// Sends without being known to the other node.
template <class T>
void post(const caf::strong_actor_ptr& to, T x) {
  caf::anon_send(caf::actor_cast<caf::actor>(to), std::move(x));
}

} // namespace

link::link(caf::actor_config& cfg, shard& at, link_owner& owner,
           const cluster_settings& opts, counters& count, uint64_t session)
  : light_actor(cfg, at), owner_(&owner), opts_(opts), count_(count),
    population_(count, actor_kind::link), session_(session),
    tick_(make_actor_timer<&link::on_tick>(this)) {
  heard_ = home().home().wheel().now();
  home().home().wheel().arm(tick_, opts_.heartbeat.count());
}

const char* link::name() const {
  return "signalbox.link";
}

// -- opening ------------------------------------------------------------------

void link::dial(const caf::strong_actor_ptr& gate, const wire::hello& x) {
  // If both sides dial at once, CAF closes both connections.
  monitor(caf::actor_cast<caf::actor>(gate));
  introduce(gate, x);
}

void link::welcome(caf::strong_actor_ptr peer, const wire::hello& x) {
  watch(std::move(peer));
  introduce(peer_, x);
}

void link::introduce(const caf::strong_actor_ptr& to, const wire::hello& x) {
  link_open out;
  wire::append(out.bytes, x);
  out.link = caf::strong_actor_ptr{ctrl()};
  post(to, std::move(out));
}

void link::watch(caf::strong_actor_ptr peer) {
  peer_ = std::move(peer);
  monitor(caf::actor_cast<caf::actor>(peer_));
}

void link::begin(link_stream& stream, const wire::hello& from) {
  stream_ = &stream;
  heard_ = home().home().wheel().now();
  stream_->in_old = 0;
  auto& out = stream_->out;
  // What it said may be older than another session meanwhile; what it has twice
  // it knows by the number.
  auto received = from.stream == stream_->out_stream ? from.received : 0;
  if (stream_->out_stream == 0 || !out.resume(received)) {
    out.clear();
    stream_->out_stream = owner_->draw();
  }
  send_aside(wire::restart{0, stream_->out_stream, out.number()});
  on_tick();
  flush();
}

void link::refuse(const caf::strong_actor_ptr& to, uint64_t session,
                  wire::refusal x) {
  link_batch out;
  out.session = session;
  wire::append(out.bytes, x);
  post(to, std::move(out));
}

// -- sending ------------------------------------------------------------------

uint64_t link::wrote() {
  auto& out = stream_->out;
  out.appended();
  if (!flushing_) {
    flushing_ = true;
    // The actor's own reference keeps the flushable alive.
    home().home().flush_later(
      {this, [keep = caf::strong_actor_ptr{ctrl()}](auto*) {}});
  }
  if (out.bytes() > opts_.queue_bytes)
    // Not from within the sender's loop over the nodes.
    caf::anon_send(caf::actor_cast<caf::actor>(caf::strong_actor_ptr{ctrl()}),
                   link_batch{});
  return out.number();
}

void link::acknowledge() {
  ack_due_ = true;
  if (std::exchange(flushing_, true))
    return;
  home().home().flush_later(
    {this, [keep = caf::strong_actor_ptr{ctrl()}](auto*) {}});
}

void link::flush() {
  attempt([this] { send_waiting(); });
}

void link::send_waiting() {
  flushing_ = false;
  if (!alive() || stream_ == nullptr)
    return;
  while (const auto* x = stream_->out.next()) {
    stream_->sent_bytes += x->bytes.size();
    ++stream_->sent_batches;
    send(x->number, x->bytes);
  }
  if (ack_due_)
    send(0, {});
}

void link::send(uint64_t number, std::string bytes) {
  if (!peer_)
    return;
  ack_due_ = false;
  quiet_ = 0;
  // Before it has said whether its numbers go on, ours might be taken for a
  // word about the new ones.
  post(peer_, link_batch{session_, number, greeted_ ? stream_->received : 0,
                         std::move(bytes)});
}

template <class T>
void link::send_aside(const T& x) {
  std::string bytes;
  wire::append(bytes, x);
  send(0, std::move(bytes));
}

// -- receiving ----------------------------------------------------------------

void link::receive(caf::mailbox_element& x) {
  auto known =
    dispatch<link_batch, link_open>(x, [this](auto& msg) { on(msg); });
  if (!known)
    unexpected(x);
}

void link::on(link_open& x) {
  std::string_view bytes{x.bytes};
  std::string_view item;
  uint8_t tag = 0;
  wire::hello hello;
  if (peer_ || !x.link || !wire::next(bytes, tag, item)
      || tag != wire::hello::tag)
    return;
  wire::reader in{item};
  inspect(in, hello);
  if (!in.ok() || hello.session != session_)
    return;
  watch(x.link);
  owner_->on_welcome(*this, hello);
}

void link::on(link_batch& x) {
  // A session of 0 is our own reminder that too much waits.
  if (x.session == 0 && stream_ != nullptr
      && stream_->out.bytes() > opts_.queue_bytes) {
    stream_->out.clear();
    stream_->out_stream = 0;
    ++count_.limit_cluster_queue;
    cut("it does not drain");
    return;
  }
  if (x.session != session_)
    return;
  heard_ = home().home().wheel().now();
  greeted_ = stream_ != nullptr;
  if (x.number == 0) {
    on_aside(x.bytes);
  } else if (stream_ != nullptr && x.number == stream_->received + 1) {
    ++stream_->received;
    ++stream_->received_batches;
    stream_->received_bytes += x.bytes.size();
    auto soon =
      ++quiet_ >= quiet_batches || x.bytes.size() >= outgoing::small_batch;
    std::string_view batch{x.bytes};
    std::string_view item;
    uint8_t tag = 0;
    while (alive() && wire::next(batch, tag, item)) {
      soon = soon || awaited(tag);
      owner_->on_item(*this, tag, item);
    }
    if (soon)
      acknowledge();
    if (alive() && !batch.empty())
      cut("it sent a broken batch");
  } else if (stream_ != nullptr && x.number > stream_->received) {
    cut("a batch is missing");
  } else if (stream_ != nullptr) {
    acknowledge();
  }
  if (!alive() || stream_ == nullptr)
    return;
  if (x.received > 0 && stream_->out.acked(x.received)) {
    owner_->on_acked(*this, x.received);
    if (alive())
      flush();
  }
}

void link::on_aside(std::string_view bytes) {
  std::string_view item;
  uint8_t tag = 0;
  while (alive() && wire::next(bytes, tag, item)) {
    wire::reader in{item};
    if (tag == wire::refusal::tag) {
      wire::refusal x;
      inspect(in, x);
      owner_->on_refused(*this, x);
      end("it refused: " + x.why);
    } else if (tag == wire::restart::tag && stream_ != nullptr) {
      wire::restart x;
      inspect(in, x);
      if (x.stream != stream_->in_stream)
        stream_->received = 0;
      stream_->in_stream = x.stream;
      stream_->in_old = x.old;
    } else if (tag == wire::ping::tag) {
      wire::ping x;
      inspect(in, x);
      owner_->on_floor(x.floor);
      send_aside(wire::pong{0, x.time});
    } else if (tag == wire::pong::tag && stream_ != nullptr) {
      wire::pong x;
      inspect(in, x);
      stream_->round_trip = microseconds() - x.time;
    }
  }
}

// -- life ---------------------------------------------------------------------

void link::on_tick() {
  auto now = home().home().wheel().now();
  if (now - heard_ >= opts_.dead_after.count()) {
    cut("it was silent for " + std::to_string(now - heard_) + " ms");
    return;
  }
  if (stream_ != nullptr)
    send_aside(wire::ping{0, microseconds(), owner_->floor()});
  // The last look is when the time is over, not a heartbeat later.
  home().home().wheel().arm(
    tick_, std::min<int64_t>(opts_.heartbeat.count(),
                             heard_ + opts_.dead_after.count() - now));
}

void link::on_down(const caf::down_msg&) {
  end("the connection is gone");
}

void link::end(const std::string& why) {
  if (!alive())
    return;
  caf::strong_actor_ptr keep{ctrl()};
  auto* owner = owner_;
  quit(caf::exit_reason::user_shutdown);
  owner->on_lost(*this, why);
}

void link::cut(const std::string& why) {
  if (alive() && peer_)
    owner_->on_broken(peer_->node());
  end(why);
}

void link::on_end(const caf::error&) {
  population_.end();
  tick_.cancel();
  peer_ = nullptr;
  stream_ = nullptr;
}

} // namespace signalbox
