#pragma once

#include "transports/codec/socket/assembler.hpp"
#include "transports/codec/socket/v5.hpp"
#include "transports/session/handler.hpp"
#include "transports/session/outbox.hpp"
#include "transports/session/timer_wheel.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

// An Engine.IO 4 session: what stays when requests and sockets come and go.
//
//   polling --probe--> polling + probe --"5"--> websocket
//   websocket (opened directly)
//   either --close--> closing (polling: until a poll fetched the rest) --> gone
//
// Rules and their sources: https://socket.io/docs/v4/engine-io-protocol/ and
// the recorded behaviour of the official server (docs/protocol.md).

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
  size_t max_payload = 1000000;
  size_t payload_packets = 1000;
  size_t outbox_bytes = 1048576;
  size_t outbox_packets = 1000;
  bool polling = true;
  bool websocket = true;
  socket::v5::limits packets;
  /// Hands Engine.IO messages up as they are, as event packets whose data is
  /// the raw message (the conformance server's echo).
  bool raw = false;
  /// Where sessions count; always set.
  counters* count = nullptr;
};

/// A held polling GET, implemented below.
class poll {
public:
  virtual ~poll() = default;

  /// Answers the request with a payload. Called once; the poll is gone then.
  virtual void answer(std::string payload) = 0;

  /// Refuses the request with status 400 and an empty body.
  virtual void refuse() = 0;
};

/// A WebSocket that carries a session or probes for it, implemented below.
class websocket {
public:
  virtual ~websocket() = default;

  /// Says that the session's outbox has something to send.
  virtual void wake() = 0;

  /// Sends a text at once, beside the outbox; only for probes.
  virtual void send_probe(std::string_view text) = 0;

  /// Sends what is queued and then a close frame with an empty body.
  virtual void finish() = 0;

  /// Drops the connection without a word.
  virtual void abort() = 0;
};

/// The state machine of one session. Lives on one thread.
class engine_session : public port {
public:
  /// Called when the session is gone for good, so that its sid can be
  /// forgotten. The call into the session that led to it still runs, so the
  /// session must not be destroyed within this one.
  using forget = void (*)(void* owner, engine_session& x);

  engine_session(std::string sid, const options& opts, timer_wheel& wheel,
                 forget fun, void* owner);
  ~engine_session() override;

  /// Sets who receives what happens. Right after construction.
  void attach(std::unique_ptr<handler> up) {
    up_ = std::move(up);
  }

  const std::string& sid() const noexcept {
    return sid_;
  }

  // -- polling ----------------------------------------------------------------

  /// Starts on polling: the open packet waits for the first poll.
  void open_polling();

  /// Takes a GET. Answers it now if anything is queued. A second one at a time
  /// is refused, the first is answered with a close, and the session ends.
  void on_poll(std::shared_ptr<poll> request);

  /// The client dropped its pending GET.
  void on_poll_lost(const poll* request);

  /// A POST began. Returns false if one is already under way; the session has
  /// ended then.
  bool on_post_begin();

  /// A POST is complete.
  void on_post(std::string_view payload);

  /// The client dropped its POST half-way.
  void on_post_lost();

  /// The POST was refused for its size; the session goes on.
  void on_post_refused() {
    posting_ = false;
  }

  // -- websocket --------------------------------------------------------------

  /// Starts on a WebSocket: sends the open packet.
  void open_websocket(websocket& via);

  /// A WebSocket came for this polling session. Returns false if there is one
  /// already; the caller closes the newcomer.
  bool on_probe(websocket& via);

  void on_text(websocket& from, std::string_view text);
  void on_binary(websocket& from, std::string_view bytes);

  /// The connection ended or broke RFC 6455.
  void on_websocket_lost(websocket& from, close_reason why);

  /// Lets the carrier take packets out.
  outbox& queue() noexcept {
    return outbox_;
  }

  // -- port -------------------------------------------------------------------

  bool send(const codec::shared_event& event, std::optional<uint64_t> ack_id,
            bool volatile_) override;
  void send(const socket::packet& packet) override;
  void close(close_reason why) override;
  std::string_view transport() const noexcept override;

  /// Ends the session without sending what is queued.
  void abort(close_reason why) {
    end(why, true);
  }

  std::string_view label() const noexcept override {
    return std::string_view{sid_}.substr(0, 6);
  }

  /// Returns whether it runs on a WebSocket (after an upgrade, if any).
  bool on_socket() const noexcept {
    return websocket_ != nullptr;
  }

  /// Returns whether `via` carries it, as opposed to probing.
  bool carried_by(const websocket& via) const noexcept {
    return websocket_ == &via;
  }

  bool closing() const noexcept {
    return closed_;
  }

private:
  void on_timer();
  void on_packet(std::string_view text, std::string& scratch);
  void on_message(std::string_view text);
  void on_attachment(std::string bytes);
  void hand_up(codec::result<std::optional<socket::packet>> x);
  void probe_text(std::string_view text);
  void drop_probe();
  void upgrade();
  void fault(close_reason why);
  void end(close_reason why, bool abort);
  void flush();
  void arm();
  bool writable() const noexcept;
  void vanish();

  const options& opts_;
  timer_wheel& wheel_;
  std::string sid_;
  std::unique_ptr<handler> up_;
  forget forget_;
  void* owner_;
  timer timer_;
  /// When the next ping is due or, while one is out, its answer.
  time_point heartbeat_ = 0;
  /// When the probe under way must be over.
  time_point probe_until_ = 0;
  /// When a pending poll is looked for again.
  time_point noop_at_ = 0;
  websocket* websocket_ = nullptr;
  websocket* probe_ = nullptr;
  std::shared_ptr<poll> poll_;
  outbox outbox_;
  std::unique_ptr<socket::assembler> assembler_;
  time_point assembly_until_ = 0;
  bool polling_ = false;
  bool posting_ = false;
  bool pinged_ = false;
  bool extended_ = false;
  bool probed_ = false;
  bool closed_ = false;
};

} // namespace signalbox::session
