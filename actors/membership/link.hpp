#pragma once

#include "actors/api/cluster_settings.hpp"
#include "actors/api/counters.hpp"
#include "actors/api/link_messages.hpp"
#include "actors/api/wire.hpp"
#include "actors/membership/draw.hpp"
#include "actors/membership/outgoing.hpp"
#include "actors/shard/light_actor.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace signalbox {

class link;

/// What passes between this process and another one, over all sessions.
struct link_stream {
  outgoing out;
  /// Names our numbering; drawn anew with each.
  uint64_t out_stream = 0;
  /// The other side's numbering and its last batch.
  uint64_t in_stream = 0;
  uint64_t received = 0;
  /// Its last batch from before the present session.
  uint64_t in_old = 0;

  /// Another process is there; the batches for the last one are lost.
  void renew() {
    out.clear();
    out_stream = in_stream = received = 0;
  }

  // For /metrics.
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_batches = 0;
  uint64_t received_batches = 0;
  /// Last round trip in microseconds.
  int64_t round_trip = 0;
};

/// The side that a LINK tells, MEMBERSHIP; lives on the same shard and longer.
class link_owner {
public:
  virtual ~link_owner() = default;

  /// The node that was dialed has answered; `begin` or `end` follows.
  virtual void on_welcome(link& x, const wire::hello& from) = 0;

  /// The node that was dialed refuses; `on_lost` follows.
  virtual void on_refused(link& x, const wire::refusal& what) = 0;

  /// An item of a batch, in order and once.
  virtual void on_item(link& x, uint8_t tag, std::string_view item) = 0;

  /// The batches up to this one have arrived.
  virtual void on_acked(link& x, uint64_t number) = 0;

  /// The session is over; the last that is heard of it.
  virtual void on_lost(link& x, const std::string& why) = 0;

  /// The connection to the process with this id is of no use any more.
  virtual void on_broken(const caf::node_id& process) = 0;

  /// Presence versions here are below this.
  virtual uint64_t floor() = 0;
  virtual void on_floor(uint64_t there) = 0;

  /// Returns a random number that is not 0.
  virtual uint64_t draw() {
    return signalbox::draw();
  }
};

/// The LINK: one session with one other node. Everything to that node goes
/// through it, in numbered batches with a credit window; batches not
/// acknowledged when it ends wait for the next session with the same process.
/// It ends when the other side was silent for too long, is gone, or does not
/// drain.
class link : public light_actor, public net::loop::flushable {
public:
  link(caf::actor_config& cfg, shard& at, link_owner& owner,
       const cluster_settings& opts, counters& count, uint64_t session);

  const char* name() const override;

  uint64_t session() const noexcept {
    return session_;
  }

  /// Returns whether the item under way was sent before this session.
  bool repeats() const noexcept {
    return stream_ != nullptr && stream_->received <= stream_->in_old;
  }

  /// Opens the session from this side.
  void dial(const caf::strong_actor_ptr& gate, const wire::hello& x);

  /// Opens it towards the LINK that dialed; `begin` follows.
  void welcome(caf::strong_actor_ptr peer, const wire::hello& x);

  /// The other side's hello was accepted: batches flow.
  void begin(link_stream& stream, const wire::hello& from);

  /// Returns where to append an item; `wrote` follows.
  std::string& open() {
    return stream_->out.open();
  }

  /// Returns the number of the batch the item is in.
  uint64_t wrote();

  /// Ends the session.
  void end(const std::string& why);

  /// Ends the session and what carries it.
  void cut(const std::string& why);

  /// Hands the waiting batches to the network, as far as credit reaches.
  void flush() override;

  /// Refuses a session that another node opens.
  static void refuse(const caf::strong_actor_ptr& to, uint64_t session,
                     wire::refusal x);

protected:
  void receive(caf::mailbox_element& x) override;
  void on_down(const caf::down_msg& x) override;
  void on_end(const caf::error& reason) override;

private:
  void on(link_open& x);
  void on(link_batch& x);
  void on_aside(std::string_view bytes);
  void on_tick();
  void introduce(const caf::strong_actor_ptr& to, const wire::hello& x);
  void watch(caf::strong_actor_ptr peer);
  void send_waiting();
  void send(uint64_t number, std::string bytes);
  void acknowledge();
  template <class T>
  void send_aside(const T& x);

  link_owner* owner_;
  const cluster_settings& opts_;
  counters& count_;
  population population_;
  uint64_t session_;
  caf::strong_actor_ptr peer_;
  link_stream* stream_ = nullptr;
  session::timer tick_;
  session::time_point heard_ = 0;
  bool flushing_ = false;
  /// Whether the other side has begun, and so said if its numbers go on.
  bool greeted_ = false;
  /// Whether the other side is to get an acknowledgement, also if no batch
  /// goes that way.
  bool ack_due_ = false;
  /// Batches of which it has not heard.
  int quiet_ = 0;
};

} // namespace signalbox
