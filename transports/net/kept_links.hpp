#pragma once

#include "transports/net/loop.hpp"
#include "transports/net/stream.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>

namespace signalbox::net {

/// Connections to servers that may be used for another call.
///
/// HTTP/1.1 does not say which reply is for which request. A server that sends
/// a byte too many makes it the beginning of the next reply, and a whole reply
/// too many the answer to another client's question. So a connection is watched
/// while it is here, ends with the first byte that comes, and is given out
/// only after it was quiet for a while: for long at first, for a moment of a
/// server that has kept connections without a surprise for some time. One that
/// sends bytes unasked is given no kept connection for a minute, and begins
/// anew then.
class kept_links {
public:
  /// How long a connection must have been quiet, of a server that is proven.
  static constexpr session::time_point quiet_ms = 50;

  /// The same of one that is not.
  static constexpr session::time_point unproven_quiet_ms = 1000;

  /// How long a server must have kept connections without a surprise.
  static constexpr session::time_point proof_ms = 10000;

  /// How long no connection of a server is kept after a surprise.
  static constexpr session::time_point distrust_ms = 60000;

  /// Longest life of a connection.
  static constexpr session::time_point life_ms = 60000;

  struct options {
    /// How long a connection may idle; 0 for keeping none.
    session::time_point idle_ms = 4000;
    /// Most connections.
    size_t most = 28;
  };

  /// A connection, and when it was made.
  struct link {
    std::unique_ptr<stream> io;
    session::time_point born = 0;
  };

  kept_links(loop& home, const options& opts);
  ~kept_links();

  kept_links(const kept_links&) = delete;
  kept_links& operator=(const kept_links&) = delete;

  /// Returns a connection to the server of that name, null in it for none. Its
  /// last byte was looked for in this turn.
  link take(const std::string& server);

  /// Keeps a connection whose last reply is complete, or closes it: if it is
  /// too old or one too many, or its server not trusted.
  void keep(const std::string& server, link x);

  /// The server sent bytes unasked: closes its connections.
  void distrust(const std::string& server);

  size_t size() const noexcept {
    return idle_.size();
  }

private:
  struct kept;

  /// The record of a server's behaviour.
  struct record {
    /// Until when none of its connections is kept.
    session::time_point doubted = 0;
    /// From when on it is proven; 0 before the first connection was kept.
    session::time_point proven = 0;
  };

  void on_byte(kept& x);
  void expire();
  void drop(kept& x);

  loop& home_;
  options opts_;
  /// The longest idle first.
  std::list<std::shared_ptr<kept>> idle_;
  /// A client calls few servers: those of its URLs.
  std::map<std::string, record> servers_;
  session::timer timer_;
};

} // namespace signalbox::net
