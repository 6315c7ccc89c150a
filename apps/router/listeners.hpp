#pragma once

#include "actors/api/counters.hpp"
#include "actors/api/settings.hpp"
#include "actors/metrics/operations_service.hpp"
#include "apps/router/notices.hpp"
#include "apps/router/rooms.hpp"
#include "transports/net/client_census.hpp"
#include "transports/net/client_files.hpp"
#include "transports/net/engine_service.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/memory_guard.hpp"
#include "transports/net/origin_policy.hpp"
#include "transports/net/server.hpp"
#include "transports/net/tunnel.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::app {

/// The ports of a node: servers, the services on them, and what they may use
/// and count.
class listeners {
public:
  /// Arguments outlive the object; so do the loops and rooms that it is given
  /// later, up to `clear`.
  listeners(const settings& opts, counters& count);

  /// Reads what is served and works out the bounds. Returns an empty string or
  /// what went wrong.
  std::string prepare();

  /// Makes all servers and opens the port for operators, for whom `read`
  /// collects the counters. Returns an empty string or what went wrong.
  std::string open(const std::vector<net::loop*>& loops, rooms& inside,
                   std::function<all_counters()> read);

  /// Opens the ports for browsers and the site. Returns an empty string or what
  /// went wrong.
  std::string serve(std::shared_ptr<net::tls_context> tls);

  /// Returns the addresses really bound, as fields of a JSON object.
  std::string addresses() const;

  /// The public port presents another certificate from now on.
  void set_tls(std::shared_ptr<net::tls_context> x);

  /// Takes no new sessions, and closes those open one after the other within
  /// `spread` milliseconds.
  void drain(int64_t spread);

  /// Returns whether every session is closed and its client knows.
  bool drained() const;

  /// Takes no more calls of the API, and answers those under way; other nodes
  /// answer what clients here wait for.
  void finish();

  /// Returns whether every client has its answer.
  bool finished() const;

  /// Closes ports, connections and sessions, which takes the loops a few turns.
  void close();

  /// Ends the servers, after `close` has taken effect.
  void end();

  /// Forgets what the loops must not use any more. They have ended.
  void clear();

  // -- counters ---------------------------------------------------------------

  const net::net_counters& connections() const noexcept {
    return net_count_;
  }

  const net::engine_counters& requests() const noexcept {
    return engine_count_;
  }

  const session::counters& sessions() const noexcept {
    return session_count_;
  }

  const net::client_census& clients() const noexcept {
    return clients_;
  }

  const net::memory_counters& memory() const noexcept {
    return memory_count_;
  }

  const net::tunnel_counters& tunnels() const noexcept {
    return tunnel_count_;
  }

  /// Returns how many connections there may be at a time.
  size_t most() const noexcept {
    return limits_.connections;
  }

private:
  void set_limits();
  std::unique_ptr<net::session_ids> make_ids(const char* listener,
                                             size_t shards) const;
  void open_tunnels(const std::vector<net::loop*>& loops, rooms& inside);
  void make_servers(const std::vector<net::loop*>& loops, rooms& inside,
                    const std::function<all_counters()>& read);
  void name_to_tunnels();
  void watch_memory(const std::vector<net::loop*>& loops);
  void collect(const net::loop& home,
               std::vector<net::memory_holder>& to) const;
  static std::string bind(const char* name, net::server& x,
                          const std::string& at,
                          std::shared_ptr<net::tls_context> tls);

  const settings& opts_;
  counters& count_;
  net::net_counters net_count_;
  net::engine_counters engine_count_;
  session::counters session_count_;
  net::tunnel_counters tunnel_count_;
  net::memory_counters memory_count_;
  net::address_limiter addresses_;
  net::origin_policy origins_;
  net::shared_limits limits_;
  net::shared_limits inner_limits_;
  net::shared_limits site_limits_;
  net::client_census clients_;
  net::engine_options engine_;
  net::engine_options ingest_engine_;
  net::engine_options site_engine_;
  notices notices_;
  std::unique_ptr<net::client_files> files_;
  std::unique_ptr<net::session_ids> public_ids_;
  std::unique_ptr<net::session_ids> ingest_ids_;
  std::unique_ptr<net::session_ids> site_ids_;
  std::unique_ptr<net::tunnels> ways_;
  std::vector<std::pair<net::loop*, net::engine_service*>> engines_;
  std::unique_ptr<net::server> public_;
  std::unique_ptr<net::server> ingest_;
  std::unique_ptr<net::server> site_;
  std::unique_ptr<net::server> operations_;
  /// Ends first: it asks all others.
  std::unique_ptr<net::memory_guard> memory_;
};

} // namespace signalbox::app
