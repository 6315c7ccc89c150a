#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace signalbox {

/// The nodes that are one router together. Every node has a number of its own
/// (`router.node`).
struct cluster_settings {
  /// Name of the cluster, the same on all nodes; a node of another name is
  /// refused. Empty for a router by itself.
  std::string name;
  /// Where the other nodes connect, as `address:port`.
  std::string listen = "127.0.0.1:8404";
  /// `listen` as the other nodes see it; empty if that is the bound address.
  std::string advertise;
  /// Addresses of some nodes; any one that lives lets a node in.
  std::vector<std::string> seeds;
  /// PEM file with this node's certificate; all three files or, on loopback
  /// only, none.
  std::string certificate;
  /// PEM file with its private key.
  std::string key;
  /// PEM file with the authority that signed the certificates of all nodes.
  std::string ca;
  /// Secret of at least 32 characters, the same on all nodes: signs session
  /// ids.
  std::string sid_key;
  /// Time between two signs of life.
  std::chrono::milliseconds heartbeat{1000};
  /// A node that was silent for so long is dead.
  std::chrono::milliseconds dead_after{5000};
  /// How long another node may take to answer a question.
  std::chrono::milliseconds request_timeout{2000};
  /// How long answers name a lost node as unreachable.
  std::chrono::milliseconds forget_after{600000};
  /// Most bytes on their way to one node, cut off beyond; and of those events
  /// that wait here for other nodes.
  size_t queue_bytes = 67108864;
};

} // namespace signalbox
