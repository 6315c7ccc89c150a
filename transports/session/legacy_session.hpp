#pragma once

#include "transports/codec/legacy/v0_9.hpp"
#include "transports/session/session_core.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// A session of Socket.IO 0.9.
//
//   asking --allowed--> waiting --first transport, "1::"--> open --> gone
//
// Its handshake is answered when the site has said who the client is, and no
// packet is exchanged before. Afterwards the client may poll, or come by a
// WebSocket or an answer without end, and may change its mind.

namespace signalbox::session {

/// The request with which a client opens its session, held until the site's
/// verdict has come.
class greeting {
public:
  virtual ~greeting() = default;

  /// Answers it with the handshake line. Called once, or `refuse` is.
  virtual void accept(std::string line) = 0;

  /// Refuses it with this HTTP status and text.
  virtual void refuse(unsigned status, std::string text) = 0;
};

/// The state machine of one session of 0.9.
class legacy_session : public session_core {
public:
  /// `implicit` takes a packet for a namespace as a wish to be in it, as some
  /// publishers need it.
  legacy_session(std::string_view sid, bool implicit, const options& opts,
                 timer_wheel& wheel, forget fun, void* owner);
  ~legacy_session() override;

  /// Starts with the handshake. `transports` is the list it offers.
  void open(std::shared_ptr<greeting> request, std::string transports);

  /// The client gave up its handshake.
  void on_greeting_lost(const greeting* request);

  /// Takes a GET over the named transport. Answers it now if anything is
  /// queued; a GET before it is answered with a noop.
  void on_poll(std::shared_ptr<poll> request, std::string_view transport);

  /// The client dropped its pending GET.
  void on_poll_lost(const poll* request);
  void release_poll() override;

  /// Takes a WebSocket or an endless answer; it replaces the last carrier.
  void on_carrier(carrier& via, std::string_view transport);

  /// The client says by a request that it leaves.
  void on_disconnect();

  // -- carried ----------------------------------------------------------------

  void on_text(carrier& from, std::string_view text) override;
  void on_binary(carrier& from, std::string_view bytes) override;
  void on_carrier_lost(carrier& from, close_reason why) override;

  bool carried_by(const carrier& via) const noexcept override {
    return carrier_ == &via;
  }

  void on_sign_of_life(size_t) override {
    alive_ = true;
  }

  // -- port -------------------------------------------------------------------

  bool send(const codec::shared_event& event, std::optional<uint64_t> ack_id,
            bool volatile_) override;
  void send(const socket::packet& packet) override;
  void close(close_reason why) override;

  std::string_view transport() const noexcept override {
    return transport_;
  }

  void abort(close_reason why) override {
    end(why, true);
  }

protected:
  void on_timer() override;
  bool split(payload& x) override;
  void on_piece(const engine::piece& x, std::string& scratch) override;
  void on_post_taken(bool lost) override;

  carrier* via() const noexcept override {
    return carrier_;
  }

private:
  /// How far the client has come.
  enum class stage : uint8_t { asking, waiting, open };

  /// A namespace beside the main one.
  struct endpoint {
    std::string nsp;
    /// As the client writes it, perhaps without the leading slash.
    std::string spelled;
    bool joined = false;
    /// Packets from before the client was let in.
    std::vector<socket::packet> early;
    size_t early_bytes = 0;

    /// Keeps a packet until then. Returns false if that would be too many.
    bool hold_back(socket::packet x, size_t most_bytes);
  };

  void on_connect(const legacy::v0_9::packet& x);
  void on_leave(const legacy::v0_9::packet& x);
  void on_event(const legacy::v0_9::packet& x);
  void on_ack(const legacy::v0_9::packet& x);
  void ask(std::string_view spelled, std::string_view query);
  void greet();
  void opened(std::string_view transport);
  void count_as(bool websocket);
  void answer_connect(const socket::packet& x);
  void answer_refusal(const socket::packet& x);
  void answer_disconnect(const socket::packet& x);
  void push_text(std::string text);
  endpoint* find(std::string_view nsp);
  void forget_endpoint(std::string_view nsp);
  void end(close_reason why, bool abort);
  void control(std::string text);
  void flush();
  void arm();

  bool implicit_;
  stage stage_ = stage::asking;
  std::shared_ptr<greeting> greeting_;
  std::string transports_;
  std::string_view transport_ = "xhr-polling";
  carrier* carrier_ = nullptr;
  std::shared_ptr<poll> poll_;
  /// The last one, while its answer is on its way.
  std::shared_ptr<poll> answered_;
  std::vector<endpoint> endpoints_;
  /// Deadline of the present stage.
  time_point until_ = 0;
  bool main_ = false;
  /// A heartbeat is out.
  bool pinged_ = false;
  /// Whether the client has sent anything since then.
  bool alive_ = false;
  bool live_websocket_ = false;
};

} // namespace signalbox::session
