#pragma once

#include "transports/session/close_reason.hpp"
#include "transports/session/outbox.hpp"
#include "transports/session/parcel.hpp"

#include <string>
#include <string_view>

// What carries a session's packets to its client and back; implemented below.

namespace signalbox::session {

/// A held polling GET.
class poll {
public:
  virtual ~poll() = default;

  /// Answers the request with a payload; `binary` says that it is bytes, not
  /// text. Called once; the poll is gone then.
  virtual void answer(std::string payload, bool binary) = 0;

  /// Answers it with a payload that others may get too, and that need not be
  /// made at once. Called instead of `answer`.
  virtual void answer_with(parcel x) {
    answer(x.payload(), x.binary());
  }

  /// Refuses the request with status 400 and an empty body.
  virtual void refuse() = 0;

  /// Returns whether its answer is still on its way to the client.
  virtual bool leaving() const noexcept {
    return false;
  }

  /// Returns whether it can be answered with text only.
  virtual bool text_only() const noexcept {
    return false;
  }
};

/// A connection that carries a session, or probes for it, as long as it lives:
/// a WebSocket or an answer without end.
class carrier {
public:
  virtual ~carrier() = default;

  /// Says that the session's outbox has something to send.
  virtual void wake() = 0;

  /// Says that the session takes messages again.
  virtual void resume() {
    // nop
  }

  /// Takes what the client has sent already: a request that came later, over
  /// another connection, is about to be judged.
  virtual void catch_up() {
    // nop
  }

  /// Sends a text at once, beside the outbox; only for probes.
  virtual void send_probe(std::string_view text) = 0;

  /// Sends the queued packets, says goodbye and ends.
  virtual void finish() = 0;

  /// Drops the connection without a word.
  virtual void abort() = 0;

  /// Returns whether the client has taken the bytes that wait for it, since the
  /// last call, at the least rate of a transfer. The first call only begins to
  /// measure.
  virtual bool takes() {
    return false;
  }
};

/// A POST whose packets a session takes one after the other.
class post {
public:
  virtual ~post() = default;

  /// All packets are taken, or the session has ended. Called once; the client
  /// is to be answered.
  virtual void done() = 0;

  /// Has `session_core::go_on` called later, when others have had their turn.
  virtual void go_on_later() = 0;
};

/// A session as its carrier sees it.
class carried {
public:
  virtual ~carried() = default;

  /// Returns whether the session takes another message. If not, it calls
  /// `carrier::resume` when it does.
  virtual bool ready() const noexcept {
    return true;
  }

  /// The client has sent so many bytes, though perhaps no whole message.
  virtual void on_sign_of_life(size_t) {
    // nop
  }

  virtual void on_text(carrier& from, std::string_view text) = 0;
  virtual void on_binary(carrier& from, std::string_view bytes) = 0;

  /// The connection ended or broke its protocol.
  virtual void on_carrier_lost(carrier& from, close_reason why) = 0;

  /// The connection is about to end, as the client's node does.
  virtual void on_release(carrier& from) {
    static_cast<void>(from);
  }

  /// Lets the carrier take packets out.
  virtual outbox& queue() noexcept = 0;

  /// Returns whether `via` carries it, as opposed to probing.
  virtual bool carried_by(const carrier& via) const noexcept = 0;
};

} // namespace signalbox::session
