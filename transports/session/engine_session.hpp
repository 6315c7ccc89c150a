#pragma once

#include "transports/codec/engine/revision.hpp"
#include "transports/codec/socket/assembler.hpp"
#include "transports/session/session_core.hpp"

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

// An Engine.IO session: what stays when requests and sockets come and go.
//
//   polling --probe--> polling + probe --"5"--> websocket
//   websocket (opened directly)
//   either --close--> closing (polling: until a poll fetched the rest) --> gone
//
// Rules and their sources: https://socket.io/docs/v4/engine-io-protocol/ and
// the recorded behaviour of the official server (docs/protocols.md).

namespace signalbox::session {

/// The state machine of one session. Lives on one thread.
class engine_session : public session_core {
public:
  /// `speaks` is chosen once, by the handshake.
  engine_session(std::string_view sid, const engine::revision& speaks,
                 const options& opts, timer_wheel& wheel, forget fun,
                 void* owner);
  ~engine_session() override;

  /// Returns what its client speaks.
  const engine::revision& speaks() const noexcept {
    return speaks_;
  }

  // -- polling ----------------------------------------------------------------

  /// Starts on polling: the open packet waits for the first poll.
  void open_polling();

  /// Ends the session if its client's heartbeat is overdue at `now`, which
  /// its timer finds out a tick later. Returns whether it was.
  bool expire(time_point now);

  /// Takes a GET. Answers it now if anything is queued. A second one at a time
  /// is refused, the first is answered with a close, and the session ends.
  void on_poll(std::shared_ptr<poll> request);

  /// The client dropped its pending GET.
  void on_poll_lost(const poll* request);
  void release_poll() override;

  /// A POST began. Returns false if one is already under way; the session has
  /// ended then.
  bool on_post_begin();

  /// The client dropped its POST half-way.
  void on_post_lost();

  /// The POST was refused for its size; the session goes on.
  void on_post_refused() {
    posting_ = false;
  }

  // -- websocket --------------------------------------------------------------

  /// Starts on a WebSocket: sends the open packet.
  void open_websocket(carrier& via);

  /// A WebSocket came for this polling session. Returns false if there is one
  /// already; the caller closes the newcomer.
  bool on_probe(carrier& via);

  void on_text(carrier& from, std::string_view text) override;
  void on_binary(carrier& from, std::string_view bytes) override;
  void on_carrier_lost(carrier& from, close_reason why) override;

  // -- port -------------------------------------------------------------------

  bool send(const codec::shared_event& event, std::optional<uint64_t> ack_id,
            bool volatile_) override;
  void send(const socket::packet& packet) override;
  void close(close_reason why) override;
  std::string_view transport() const noexcept override;

  void abort(close_reason why) override {
    end(why, true);
  }

  /// Takes the end of an upgrade that has come already. Before a request of the
  /// session is judged.
  void catch_up() {
    if (probe_ != nullptr)
      probe_->via->catch_up();
  }

  /// Returns whether it runs on a WebSocket (after an upgrade, if any).
  bool on_socket() const noexcept {
    return websocket_ != nullptr;
  }

  bool carried_by(const carrier& via) const noexcept override {
    return websocket_ == &via;
  }

  void on_sign_of_life(size_t bytes) override {
    alive_ = true;
    arrived_ += static_cast<int64_t>(bytes);
  }

protected:
  void on_timer() override;
  bool split(payload& x) override;
  void on_piece(const engine::piece& x, std::string& scratch) override;
  void on_post_taken(bool lost) override;

  carrier* via() const noexcept override {
    return websocket_;
  }

private:
  /// Where a client stands that is in the main namespace without asking.
  enum class main_stage : uint8_t { out, asked, in };

  void ask_main();
  void on_ping();
  bool on_heartbeat(time_point now);
  void on_closing_timer();
  void on_message(std::string_view text);
  void on_connect(socket::packet& x);
  void on_attachment(std::string bytes);
  bool on_assembly_due(time_point now);
  bool busy() const noexcept;
  void hand_up(socket::packet&& x);
  void hand_up(codec::result<std::optional<socket::packet>> x);
  void probe_text(std::string_view text);
  void drop_probe();
  void upgrade();
  void fault(close_reason why);
  void end(close_reason why, bool abort);
  void flush();
  void arm();
  bool writable() const noexcept;
  bool misses_heartbeat() const noexcept;
  time_point next_heartbeat() const noexcept;
  void answer_poll(std::initializer_list<std::string_view> packets);

  /// A WebSocket that the session is about to move to.
  struct probing {
    carrier* via = nullptr;
    /// When the probe must be over.
    time_point until = 0;
    /// When a pending poll is looked for again.
    time_point noop_at = 0;
    /// Whether the client was answered.
    bool answered = false;
  };

  bool probed_by(const carrier& x) const noexcept {
    return probe_ != nullptr && probe_->via == &x;
  }

  main_stage main_ = main_stage::out;
  bool polling_ = false;
  bool posting_ = false;
  bool pinged_ = false;
  /// Whether the client has sent anything since the last ping, or since the
  /// wait for its answer was extended.
  bool alive_ = false;
  /// The client said goodbye without a poll under way: one that it sent before
  /// may still come over another connection.
  bool leaving_ = false;
  const engine::revision& speaks_;
  /// When the next ping is due or, while one is out, its answer; where clients
  /// ping, when one must have come. Of a closed session: until when its client
  /// may come for the news.
  time_point heartbeat_ = 0;
  carrier* websocket_ = nullptr;
  std::unique_ptr<probing> probe_;
  std::shared_ptr<poll> poll_;
  /// The last one, while its answer is on its way.
  std::shared_ptr<poll> answered_;
  std::unique_ptr<socket::assembler> assembler_;
  /// While there is one of them.
  std::unique_ptr<transfer_watch> assembly_;
  /// Bytes that have come, for that.
  int64_t arrived_ = 0;
};

} // namespace signalbox::session
