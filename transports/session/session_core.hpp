#pragma once

#include "transports/codec/short_text.hpp"
#include "transports/codec/socket/v5.hpp"
#include "transports/session/carrier.hpp"
#include "transports/session/handler.hpp"
#include "transports/session/handshake.hpp"
#include "transports/session/outbox.hpp"
#include "transports/session/payload.hpp"
#include "transports/session/timer_wheel.hpp"
#include "transports/session/transfer_watch.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace signalbox::session {

/// What sessions count; shared by all of them.
struct counters {
  std::atomic<int64_t> live_polling{0};
  std::atomic<int64_t> live_websocket{0};
  std::atomic<uint64_t> opened_polling{0};
  std::atomic<uint64_t> opened_websocket{0};
  std::atomic<uint64_t> upgrades{0};
  std::atomic<uint64_t> upgrade_timeouts{0};
  std::atomic<uint64_t> close_timeouts{0};
  std::atomic<uint64_t> packets_in{0};
  std::atomic<uint64_t> packets_out{0};
  /// Malformed packets that were passed over (0.9).
  std::atomic<uint64_t> packets_ignored{0};
  std::array<std::atomic<uint64_t>, static_cast<size_t>(close_reason::count_)>
    closed{};
};

/// Timings and bounds of sessions; shared by all of them.
struct options {
  std::chrono::milliseconds ping_interval{25000};
  std::chrono::milliseconds ping_timeout{20000};
  std::chrono::milliseconds upgrade_timeout{10000};
  std::chrono::milliseconds close_timeout{30000};
  std::chrono::milliseconds assembly_timeout{30000};
  transfer_rules transfers;
  size_t max_payload = 1000000;
  size_t payload_packets = 1000;
  size_t outbox_bytes = 1048576;
  size_t outbox_packets = 1000;
  bool polling = true;
  bool websocket = true;
  socket::v5::limits packets;
  /// Whether there is a main namespace. Old clients are in it without asking,
  /// and wait for it.
  bool main_namespace = true;
  /// Hands Engine.IO messages up as they are, as event packets whose data is
  /// the raw message (the conformance server's echo).
  bool raw = false;
  /// Where sessions count; always set.
  counters* count = nullptr;
};

/// What sessions of all dialects have in common. Lives on one thread.
class session_core : public port, public carried {
public:
  /// Called when the session is gone for good, so that its sid can be
  /// forgotten. The call into the session that led to it still runs, so the
  /// session must not be destroyed within this one.
  using forget = void (*)(void* owner, std::string_view sid);

  session_core(std::string_view sid, const options& opts, timer_wheel& wheel,
               forget fun, void* owner);
  ~session_core() override;

  /// Sets the handler of the session's events, and the client's handshake.
  /// Right after construction.
  void attach(std::unique_ptr<handler> up,
              std::shared_ptr<const handshake> from) {
    up_ = std::move(up);
    from_ = std::move(from);
  }

  std::string_view sid() const noexcept {
    return sid_;
  }

  bool closing() const noexcept {
    return closed_;
  }

  /// Ends the session without sending the queued packets.
  virtual void abort(close_reason why) = 0;

  /// Answers the poll that is held, if one is, with nothing: the client is to
  /// come by another way.
  virtual void release_poll() = 0;

  void on_release(carrier& from) override {
    if (carried_by(from))
      close(close_reason::shutdown);
  }

  /// Takes a POST, which `from` answers when all its packets are taken.
  /// `binary` says that it is bytes, not text.
  void on_post(std::string bytes, bool binary, std::shared_ptr<post> from);

  /// Takes more packets of the POST under way, if there is one.
  void go_on();

  bool ready() const noexcept override {
    return closed_ || (posted_ == nullptr && up_->ready());
  }

  void resume() override;

  outbox& queue() noexcept override {
    return outbox_;
  }

  std::string_view label() const noexcept override {
    return sid().substr(0, 6);
  }

protected:
  virtual void on_timer() = 0;

  /// Splits a POST into its packets. Returns false if it cannot be; the session
  /// has dealt with it then.
  virtual bool split(payload& x) = 0;

  /// Takes one packet of a POST. `scratch` is for its decoder.
  virtual void on_piece(const engine::piece& x, std::string& scratch) = 0;

  /// The POST under way is taken; `lost` says that its client has gone.
  virtual void on_post_taken(bool lost) = 0;

  /// Returns what carries the session, null while it polls.
  virtual carrier* via() const noexcept = 0;

  /// Returns whether packets of a POST are still to be taken. If so, the client
  /// of the POST has gone, and the session ends after them.
  bool lose_post() noexcept;

  /// Queues an event in the given form. Returns false, and closes the session
  /// as slow, if it does not fit.
  bool push(const codec::shared_event& event, codec::wire_form form,
            std::optional<uint64_t> ack_id);

  /// Returns whether an event of this many bytes and packets may wait too.
  bool fits(size_t bytes, size_t packets) const noexcept {
    return outbox_.fits(bytes, packets, false)
           || (via() == nullptr && outbox_.fits(bytes, packets, true));
  }

  /// Counts the end of the session and tells the handler. The handler itself
  /// stays as long as the session: this may be a call that came out of it.
  void tell_end(close_reason why);

  /// The session is gone; its sid may be forgotten.
  void vanish();

  const options& opts_;
  timer_wheel& wheel_;
  codec::session_id sid_;
  std::unique_ptr<handler> up_;
  std::shared_ptr<const handshake> from_;
  timer timer_;
  outbox outbox_;

private:
  bool queue_post(std::unique_ptr<payload> x);
  void finish_post();

  forget forget_;
  void* owner_;
  /// Seldom there: mostly a POST is taken within the call. What a carrier
  /// brings comes behind it.
  std::unique_ptr<payload> posted_;

protected:
  // Last, so that the flags of the sessions share its word.
  bool closed_ = false;
};

} // namespace signalbox::session
