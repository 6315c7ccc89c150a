#pragma once

#include "transports/net/loop.hpp"
#include "transports/net/tls.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

namespace signalbox::net {

/// What the port of the other nodes counts.
struct peer_port_counters {
  std::atomic<uint64_t> accepted{0};
  /// Gone before their handshake: silent, foreign, or no node at all.
  std::atomic<uint64_t> refused{0};
  /// Cut off for what they sent.
  std::atomic<uint64_t> broken{0};
};

/// The port where other nodes connect, and the way to theirs. CAF never sees
/// such a socket: both sides are joined with a socket pair by this class, which
/// does TLS, sees to it that whoever connects is a node that speaks in time,
/// and watches the lengths in what it says. Has a thread of its own.
class peer_port {
public:
  struct options {
    /// For both directions; null for plain TCP.
    std::shared_ptr<tls_context> tls;
    /// How long a connect with its handshakes may take.
    std::chrono::milliseconds patience{5000};
    /// Most connections that have not proved to be nodes; beyond it the oldest
    /// one goes.
    size_t strangers = 64;
    size_t max_handshake = 65536;
    size_t max_payload = 67108864;
  };

  /// Takes over a descriptor: what is written there reaches the peer.
  using taker = std::function<void(int fd)>;

  /// Takes over a descriptor, or -1 and what went wrong.
  using dialed = std::function<void(int fd, std::string error)>;

  explicit peer_port(const options& opts);

  /// Ends all connections.
  ~peer_port();

  peer_port(const peer_port&) = delete;
  peer_port& operator=(const peer_port&) = delete;

  /// Begins to accept at `address` (`host:port`, 0 for any), which becomes the
  /// one really bound. `take` is called on this class's thread for each node.
  /// Returns an empty string or what went wrong.
  std::string listen(std::string& address, taker take);

  /// Connects to a node. `done` is called on this class's thread. From any
  /// thread.
  void dial(const std::string& address, dialed done);

  const peer_port_counters& counters() const noexcept {
    return counters_;
  }

private:
  class pipe;
  struct impl;

  void accept();
  void admit(int fd);
  void forget(const std::shared_ptr<pipe>& x);

  options opts_;
  peer_port_counters counters_;
  loop loop_{0};
  std::unique_ptr<impl> impl_;
  std::thread thread_;
};

} // namespace signalbox::net
