#pragma once

#include "apps/load/client.hpp"
#include "transports/codec/dialect.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace signalbox::load {

/// What a run measures.
enum class run_mode : uint8_t {
  /// Connect and hold.
  idle,
  /// Connect only.
  connect,
  /// Each message goes to every client.
  broadcast,
  /// Each message goes to one client.
  private_,
  /// A client's event comes back as its ack.
  echo,
  /// Clients come, take some private messages and leave.
  churn,
};

/// Returns the name of a mode on the command line.
const char* to_string(run_mode x) noexcept;

/// Returns the name of a protocol on the command line.
const char* to_string(protocol x) noexcept;

/// What the command line says.
struct options {
  /// Public listeners of the server, or of the nodes of a cluster, over which
  /// clients are spread: hosts and ports.
  std::vector<std::pair<std::string, uint16_t>> urls;
  protocol speaks = protocol::socket_io;
  /// Path prefix of Socket.IO; for the others the path, with the client's index
  /// for `%d`.
  std::string path = "/socket.io/";
  /// Number of clients.
  uint32_t clients = 100;
  /// Whether clients poll instead of using WebSocket.
  bool polling = false;
  /// Generations of clients, which take turns.
  std::vector<codec::dialect> dialects{codec::dialect::eio4};
  /// Namespace that the clients connect to.
  std::string nsp = "/";
  /// Users; client `i` is one of user `i % users`. 0 for as many as clients.
  uint32_t users = 0;
  /// Cookie header of a client; `%d` is its user. Empty for none.
  std::string cookie;
  /// CONNECT payload of a client, JSON; `%d` is its user. Empty for none.
  std::string auth;
  /// User id as publishers name it; `%d` is the user.
  std::string user = "%d";
  /// Clients beside those that count, which may receive nothing.
  uint32_t bystanders = 0;
  /// Their namespaces; they take turns. Empty for that of the others.
  std::vector<std::string> bystander_nsps;
  /// Their Cookie header; `%d` goes on where the users end.
  std::string bystander_cookie;
  run_mode mode = run_mode::broadcast;
  /// Messages that are measured.
  uint32_t messages = 100;
  /// Messages before them that are not.
  uint32_t warm_up = 25;
  /// Bytes of the text that a message carries.
  uint32_t size = 128;
  /// Most messages under way; 0 for what suits the mode.
  uint32_t window = 0;
  /// Messages per second, whether those before have come or not; 0 for as fast
  /// as the window allows.
  uint32_t rate = 0;
  /// Whether any ack will do for an echo.
  bool any_ack = false;
  /// Whether a private message is published at the node to which its user's
  /// client is connected.
  bool near = false;
  /// Messages per request.
  uint32_t batch = 1;
  /// Publishing connections.
  uint32_t publishers = 1;
  /// Clients that connect at the same time.
  uint32_t concurrency = 100;
  /// Ingest listeners as `HOST:PORT`, which publishing connections take in
  /// turns, and their key.
  std::vector<std::string> ingest;
  std::string key;
  /// Event type at ingest. Subject of NATS; `%d` is the user.
  std::string type = "m";
  /// Room that broadcasts go to instead of all.
  std::string room;
  /// Whether publications name their receivers themselves.
  bool direct = false;
  /// URL that takes the bare message as a body; `%d` is the user.
  std::string publish_url;
  /// Processes whose CPU time and memory are read.
  std::vector<pid_t> servers;
  /// When the run ends at the latest.
  std::chrono::seconds deadline{120};
  /// How long `idle` holds the connections and `churn` goes on.
  std::chrono::seconds hold{5};
  /// Whether help was asked for.
  bool help = false;
};

/// Parses the words after the program's name. Returns what is wrong and what to
/// do about it, empty if nothing is.
std::string parse_options(const std::vector<std::string>& words, options& out);

/// Returns the text of `--help`.
const char* help_text() noexcept;

/// Replaces every `%d` by the number.
std::string expand(const std::string& pattern, uint32_t number);

} // namespace signalbox::load
