#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace signalbox {

/// What an operator sees of another node.
struct peer_info {
  uint16_t node = 0;
  /// `up`, `dead` or `left`.
  std::string state;
  std::string address;
  int64_t round_trip_us = 0;
  /// Bytes on their way there.
  uint64_t queue_bytes = 0;
  uint64_t reconnects = 0;
  /// Names of the settings that should be alike on all nodes and are not.
  std::vector<std::string> differs;
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  uint64_t sent_batches = 0;
  uint64_t received_batches = 0;
};

/// What an operator sees of the cluster.
struct cluster_info {
  uint16_t node = 0;
  std::string name;
  /// Whether all nodes agree on which nodes live.
  bool settled = false;
  /// Why this node must not take part as it is; empty if it may.
  std::string conflict;
  std::vector<peer_info> members;
};

} // namespace signalbox
