#pragma once

#include "actors/api/cluster_settings.hpp"
#include "actors/api/limit_settings.hpp"
#include "actors/api/proxy_settings.hpp"
#include "actors/api/site_settings.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Every setting of the router with its default. The name of a setting is the
// path of its field in kebab-case: `engine.ping_interval` is
// `engine.ping-interval` in the configuration file, `--engine.ping-interval`
// on the command line and SIGNALBOX_ENGINE_PING_INTERVAL in the environment.

namespace signalbox {

/// Where the router listens, as `address:port`; port 0 takes any free one.
struct listen_settings {
  /// Browsers: Socket.IO over WebSocket and long-polling.
  std::string public_ = "0.0.0.0:8400";
  /// The site: HTTP ingest. Keep it off the internet.
  std::string ingest = "127.0.0.1:8401";
  /// Operators: /healthz, /readyz, /metrics, /api/v1/.
  std::string operations = "127.0.0.1:8402";
  /// Old publishers that can send no key; empty turns it off.
  std::string site;
};

/// The listener for publishers without a key. A client that reaches it
/// may post.
struct site_listener_settings {
  /// Addresses or networks that may connect; empty if only loopback does.
  std::vector<std::string> allow;
  /// Host names by which publishers call it, beside loopback's.
  std::vector<std::string> hosts;
  /// Namespaces they may post to; empty for all.
  std::vector<std::string> namespaces;
};

/// The listener for operators.
struct operations_settings {
  /// Host names by which it is called, beside those of loopback; any address
  /// will do.
  std::vector<std::string> hosts;
};

/// TLS on the public listener; both files or neither.
struct tls_settings {
  /// PEM file with the certificate chain; empty for plain HTTP.
  std::string certificate;
  /// PEM file with the private key, which must not be encrypted.
  std::string key;
  /// Ciphers that browsers are offered, as OpenSSL writes a list of them; names
  /// that begin with TLS_ are those of TLS 1.3, all of them if none is named.
  std::string ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
  /// Oldest version that is spoken: "1.2" or "1.3".
  std::string min_version = "1.2";
};

/// The Engine.IO transport.
struct engine_settings {
  /// Path prefix of the Socket.IO clients.
  std::string path = "/socket.io/";
  /// Transports offered: "polling", "websocket".
  std::vector<std::string> transports = {"polling", "websocket"};
  /// Generations of clients served: "eio4" (Socket.IO 3 and 4), "eio3" (1 and
  /// 2), "v09" (0.9).
  std::vector<std::string> generations = {"eio4", "eio3", "v09"};
  /// Whether a client that names no revision counts as one of 3.
  bool unnamed_revision = true;
  /// Whether a client that names another revision than 2, 3 or 4, or none,
  /// counts as one of 3.
  bool lax_revision = false;
  /// Time between two pings of the server.
  milliseconds ping_interval{25000};
  /// How long the answer to a ping may take.
  milliseconds ping_timeout{20000};
  /// How long an upgrade may take from its probe on.
  milliseconds upgrade_timeout{10000};
  /// How long a connection may be in no namespace.
  milliseconds connect_timeout{45000};
  /// How long a closed polling session waits for the poll that learns of it.
  milliseconds close_timeout{30000};
  /// Largest POST body or WebSocket message of a browser, in bytes.
  size_t max_payload = 1000000;
  /// Most attachments of one packet.
  size_t max_attachments = 10;
  /// Whether poll answers over 1 KiB are gzipped for clients that accept it.
  bool http_compression = true;
  /// Whether WebSocket messages over 1 KiB are compressed
  /// (permessage-deflate).
  bool per_message_deflate = false;
  /// Folder with the official client's browser builds, served below `path`;
  /// empty turns it off.
  std::string client_files;
};

/// Which generations may poll by script tags (JSONP).
struct jsonp_settings {
  bool eio4 = false;
  bool eio3 = true;
  bool v09 = true;
};

/// Which pages may connect.
struct origin_settings {
  /// Origins admitted beside the router's own host, as
  /// `scheme://host[:port]`; `https://*.example.com` admits its subdomains.
  /// Pages inside apps have their own schemes, of which `scheme://*` admits any
  /// host; `file://` admits pages in files, `null` what calls itself so.
  std::vector<std::string> allow;
  /// Whether a request without an Origin header is refused.
  bool require = false;
};

/// How a session is protected.
struct session_settings {
  /// Cookies whose change makes a session id unknown.
  std::vector<std::string> bind_cookies;
};

/// What happens to events that browsers send.
enum class client_events : uint8_t {
  /// Answered with an error.
  refuse,
  /// Passed on to `site.event-url`.
  forward,
};

/// One Socket.IO namespace.
struct namespace_settings {
  /// Name with its leading slash.
  std::string name = "/";
  /// Whether browsers the site does not know may connect.
  bool anonymous = false;
  /// What happens to events that browsers send.
  client_events on_client_event = client_events::refuse;
  /// Whether all receivers see its events in the same order, whichever nodes
  /// of a cluster accepted them.
  bool sequenced = false;
};

/// The receivers of an event that a rule matched.
enum class rule_target : uint8_t {
  /// The users that `pointer` names: a string, a number, or an array of them.
  user,
  /// The rooms that `pointer` names: a string or an array of them.
  room,
  /// All connections in the namespace.
  all,
  /// None: the event is refused.
  refuse,
};

/// One routing rule; the first that matches decides.
struct rule_settings {
  /// Namespace, or `*` for any.
  std::string namespace_ = "*";
  /// Event type, or `*` for any.
  std::string type = "*";
  /// Receivers of the event.
  rule_target to = rule_target::refuse;
  /// JSON pointer to the recipient in the payload.
  std::string pointer;
  /// Name of the event the browsers see; empty for the type.
  std::string event;
};

/// One credential of the site.
struct key_settings {
  /// Name for logs.
  std::string name = "site";
  /// The secret, at least 16 characters.
  std::string key;
  /// Namespaces it may post to; empty for all.
  std::vector<std::string> namespaces;
  /// Whether its events may name their own target (`to`).
  bool may_target = false;
  /// Whether it may see what users receive (`signalbox listen`).
  bool may_listen = false;
};

/// The site's posts.
struct ingest_settings {
  /// Credentials; several may be valid at a time.
  std::vector<key_settings> keys;
  /// Largest body of a post in bytes.
  size_t max_body = 4194304;
  /// Largest single event in bytes.
  size_t max_event = 1000000;
  /// Most events in one post.
  size_t max_batch = 1000;
  /// Most recipients one event may name.
  size_t max_recipients = 1000;
  /// Idempotency keys remembered per credential.
  size_t idempotency_keys = 100000;
  /// How long an idempotency key is remembered.
  milliseconds idempotency_window{600000};
  /// Most confirms under way at a time.
  size_t max_confirms = 10000;
  /// How long a call may go without an answer, beside its confirm.
  milliseconds timeout{15000};
};

/// What a connection beyond `presence.max-connections` does.
enum class presence_full : uint8_t {
  /// The new connection gets CONNECT_ERROR `too many connections`.
  refuse_newest,
  /// The oldest connection is disconnected in its favour.
  close_oldest,
};

/// The record of an online user.
struct presence_settings {
  /// How long a user stays online after the last connection went.
  milliseconds leave_grace{15000};
  /// Most connections of one user.
  size_t max_connections = 32;
  /// Which connection gives way to a further one.
  presence_full when_full = presence_full::refuse_newest;
};

/// Process-wide behaviour.
struct router_settings {
  /// I/O threads; 0 for one per core.
  size_t threads = 0;
  /// Whether broadcasts are written through io_uring where the kernel allows
  /// it.
  bool io_uring = true;
  /// Node number in session ids, 0 to 65535.
  size_t node = 0;
  /// Seconds over which a stopping router spreads the closing of its sessions.
  size_t drain_seconds = 10;
};

/// The log.
struct log_settings {
  /// "trace", "debug", "info", "warn", "error" or "off".
  std::string level = "info";
  /// "text" or "json".
  std::string format = "text";
};

/// All settings.
struct settings {
  listen_settings listen;
  tls_settings tls;
  site_listener_settings site_listener;
  operations_settings operations;
  engine_settings engine;
  jsonp_settings jsonp;
  origin_settings origin;
  session_settings session;
  site_settings site;
  site_auth_settings site_auth;
  std::vector<namespace_settings> namespaces = {namespace_settings{}};
  std::vector<rule_settings> rules;
  ingest_settings ingest;
  presence_settings presence;
  limit_settings limits;
  proxy_settings proxy;
  router_settings router;
  cluster_settings cluster;
  log_settings log;
};

} // namespace signalbox
