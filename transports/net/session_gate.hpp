#pragma once

#include "transports/net/address_limiter.hpp"
#include "transports/net/engine_options.hpp"
#include "transports/session/session_core.hpp"

#include <boost/intrusive/list.hpp>

#include <cstddef>
#include <unordered_map>

namespace signalbox::net {

class http_connection;

/// A session's share in the bounds on sessions, until it ends. On the loop
/// of its session.
class session_seat
  : public boost::intrusive::list_base_hook<
      boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
public:
  session_seat() = default;
  ~session_seat() {
    leave();
  }

  session_seat(const session_seat&) = delete;
  session_seat& operator=(const session_seat&) = delete;

  /// Says that the client came again, so that the session gives way to no
  /// other one.
  void use() noexcept {
    if (is_linked())
      unlink();
  }

  /// Gives its share back.
  void leave() noexcept;

private:
  friend class session_gate;

  address_limiter* limiter_ = nullptr;
  address_limiter::entry* at_ = nullptr;
  session::session_core* who_ = nullptr;
  bool proxied_ = false;
};

/// How a refusal to open a session is worded.
enum class refusal_form : uint8_t {
  /// JSON, as the official server refuses polls.
  json,
  /// Bare text and the end of the connection, as it refuses upgrades.
  upgrade,
  /// Bare text, as that of 0.9 does.
  text,
};

/// Bounds sessions, those of one address and all, on one loop. A session whose
/// client has shaken hands by polling and never came again gives way to the
/// next one of its address, the oldest first: a client that only asks for
/// sessions keeps none out that uses its own.
class session_gate {
public:
  session_gate(const engine_options& opts, engine_counters& counters)
    : opts_(opts), counters_(counters) {
    // nop
  }

  /// Counts a session that the current request of `from` is to open; `out`
  /// holds it then. Otherwise answers with a refusal and returns false.
  bool admit(http_connection& from, session_seat& out, refusal_form form);

  /// Says that the session of an admitted seat waits for its client to come
  /// again.
  void expect(session_seat& x, session::session_core& who);

private:
  using seats =
    boost::intrusive::list<session_seat,
                           boost::intrusive::constant_time_size<false>>;

  bool displace(address_limiter::entry& x);

  const engine_options& opts_;
  engine_counters& counters_;
  /// Seats of sessions that wait for their clients, by address.
  std::unordered_map<address_limiter::entry*, seats> waiting_;
  size_t sweep_at_ = 64;
};

/// Refuses to open a session or to serve a page.
void refuse(http_connection& from, const engine_options& opts, unsigned status,
            std::string_view why, refusal_form form);

} // namespace signalbox::net
