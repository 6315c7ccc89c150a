#pragma once

#include "transports/net/channel.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/tls.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace signalbox::net {

/// The counters of the port for other nodes.
struct peer_port_counters {
  std::atomic<uint64_t> accepted{0};
  /// Gone before their handshake: silent, foreign, or no node at all.
  std::atomic<uint64_t> refused{0};
  /// Cut off because they did not speak as nodes do.
  std::atomic<uint64_t> broken{0};
};

/// The port where other nodes connect, and the way to theirs. Does TLS, gives a
/// connection a time to prove that it is one of a node, and ends it at the
/// first message that no node sends. Lives on one loop.
class peer_port {
public:
  struct options {
    /// For both directions; null for plain TCP.
    std::shared_ptr<tls_context> tls;
    /// File of this node's certificate, for the log.
    std::string certificate;
    /// How long a connect with its handshakes may take.
    std::chrono::milliseconds patience{5000};
    /// Most connections that have not proved to be nodes; beyond it the oldest
    /// one goes.
    size_t strangers = 64;
    /// Id of this process, and bounds of what other nodes send; see
    /// `codec::basp_guard`.
    std::string self;
    size_t max_message = 65536;
    size_t max_batch = 67108864;
  };

  /// Takes over the connection of a node that has greeted.
  using taker = std::function<void(std::shared_ptr<channel> x)>;

  /// Takes over a connection, or null and what went wrong.
  using dialed =
    std::function<void(std::shared_ptr<channel> x, std::string error)>;

  peer_port(loop& home, const options& opts);

  /// After `close`.
  ~peer_port();

  peer_port(const peer_port&) = delete;
  peer_port& operator=(const peer_port&) = delete;

  /// Begins to accept at `address` (`host:port`, 0 for any), which becomes the
  /// one really bound. `take` is called on the loop. Returns an empty string or
  /// what went wrong. From any thread.
  std::string listen(std::string& address, taker take);

  /// Connects to a node. `done` is called on the loop. From any thread.
  void dial(const std::string& address, dialed done);

  /// Ends all connections, and later everything of this class on the loop.
  /// From any thread.
  void close();

  const peer_port_counters& counters() const noexcept {
    return counters_;
  }

private:
  class peer;
  struct impl;

  void accept();
  void admit(int fd);
  void forget(const std::shared_ptr<peer>& x);
  void note(const std::string& who, const std::string& fault);

  options opts_;
  peer_port_counters counters_;
  loop& loop_;
  std::unique_ptr<impl> impl_;
};

} // namespace signalbox::net
