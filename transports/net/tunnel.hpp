#pragma once

#include "transports/net/spread.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

// Requests for the sessions of other nodes. The node that a client is
// connected to is the opener, the node that has the session is the owner:
//
//   client <-> opener ==frames==> owner: http_connection on a channel
//
// The opener sends the request and hands back the answer, byte for byte; to
// the owner it is a request like any other. A tunnel carries one request; its
// client's connection goes on afterwards, with a request for any node. After
// an upgrade a tunnel lasts as long as the connection.

namespace signalbox::net {

class http_connection;
class loop;
class server;
class session_ids;
struct tunnel_board;

/// What one node tells another about one tunnel.
struct tunnel_frame {
  /// What a frame says.
  enum class kind : uint8_t {
    /// The opener: a request, whose first bytes are here.
    open,
    /// Either: the next bytes.
    data,
    /// Either: so many bytes more may come.
    credit,
    /// The owner: no more bytes come from here.
    finish,
    /// Either: the tunnel has ended. No frame follows.
    close,
    /// The owner: takes no such tunnel. No frame follows.
    refuse,
    /// The opener: its node is about to end; what is held may be answered.
    release,
  };

  kind what = kind::data;
  /// Whether the opener sent it. Both ends of a pair of nodes open tunnels, so
  /// an id is only one together with this.
  bool from_opener = false;
  /// Number of the tunnel at its opener.
  uint64_t id = 0;
  /// Listener that the client came to; in `open`.
  uint8_t listener = 0;
  /// Session that the request is for; in `open`.
  std::string sid;
  /// Address of the client's socket; in `open`.
  std::string peer;
  /// Whether the client's connection is encrypted; in `open`.
  bool secure = false;
  /// In `open` and `data`.
  std::string bytes;
  /// In `credit`.
  uint32_t credit = 0;
};

/// Takes frames to other nodes; implemented above this floor. Called from any
/// loop's thread.
class tunnel_carrier {
public:
  virtual ~tunnel_carrier() = default;

  /// Returns whether a node can be reached now.
  virtual bool reaches(uint16_t node) const = 0;

  /// Sends a frame, in order with all others that the same thread sends to the
  /// node. Returns false if it cannot be reached. For frames that were taken
  /// and did not arrive, `tunnels::on_node_down` follows.
  virtual bool send(uint16_t node, tunnel_frame&& x) = 0;
};

/// The counters of tunnels, for reports.
struct tunnel_counters {
  /// Clients of this node that another one serves now.
  std::atomic<int64_t> away{0};
  /// Clients of other nodes that are served here now.
  std::atomic<int64_t> hosted{0};
  /// Tunnels opened here.
  std::atomic<uint64_t> opened{0};
  /// Tunnels of other nodes taken here.
  std::atomic<uint64_t> accepted{0};
  /// Tunnels of other nodes that were too many here.
  std::atomic<uint64_t> refused{0};
  /// Tunnels opened here that ended with their owner's node.
  std::atomic<uint64_t> lost{0};
  /// Bytes under way to other nodes, or there and not passed on.
  std::atomic<int64_t> waiting{0};
  /// Frames from which on their tunnel has to wait for all others.
  std::atomic<uint64_t> narrowed{0};
  /// Bytes from clients of this node to other nodes.
  std::atomic<uint64_t> bytes_out{0};
  /// Bytes from other nodes to clients of this one.
  std::atomic<uint64_t> bytes_in{0};
};

/// Both ends of all tunnels of a process.
class tunnels {
public:
  /// Bytes that may be under way in each direction of a tunnel.
  static constexpr uint32_t window = 262144;

  /// `loops` are all loops of the process. At most `most` clients of other
  /// nodes are served at a time, and all tunnels together have `most_bytes` on
  /// their way to one node; beyond that each has 4 KiB. Carrier and counters
  /// outlive the tunnels.
  tunnels(const std::vector<loop*>& loops, tunnel_carrier& carrier, size_t most,
          size_t most_bytes, tunnel_counters& count);

  /// No loop may be running by now, and all must still exist.
  ~tunnels();

  /// Names a listener, which has the same number on all nodes. Before it
  /// listens, and before any frame.
  void add(uint8_t listener, server& x, const session_ids& ids);

  /// Returns whether a node can be asked now. From any thread.
  bool reaches(uint16_t node) const;

  /// Takes over a connection whose request is complete and `away`. On its
  /// loop.
  void open(const std::shared_ptr<http_connection>& from);

  /// A frame came; in the order they were sent in. From any thread.
  void on_frame(uint16_t node, tunnel_frame&& x);

  /// A node is gone, with all frames that have not arrived. From any thread,
  /// but after its last frame and before the first one of its successor.
  void on_node_down(uint16_t node);

  /// Has other nodes answer what they hold for the clients of this one that
  /// are here now, and close the sessions whose WebSockets come through here,
  /// one after the other within `ms` milliseconds. From any thread.
  void retire(int64_t ms);

  /// Returns whether `retire` has come to all of them.
  bool retired() const noexcept;

  /// Does the same at once with those that are left, and with new ones. From
  /// any thread; `count` tells when none is left.
  void release_all();

  /// Drops the clients that other nodes serve, and takes no more either way.
  /// Clients of other nodes are connections like all others, and end with the
  /// servers and services. From any thread; before the servers' `close_all`.
  void close_all();

private:
  struct listener {
    server* at = nullptr;
    const session_ids* ids = nullptr;
  };

  void admit(uint16_t node, tunnel_frame&& x);

  std::shared_ptr<tunnel_board> board_;
  /// By the indexes of the loops.
  std::vector<std::unique_ptr<spread>> retiring_;
  std::vector<listener> listeners_;
  size_t most_;
};

} // namespace signalbox::net
