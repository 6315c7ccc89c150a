#pragma once

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

using std::chrono::milliseconds;

/// Where the router listens, as `address:port`; port 0 takes any free one.
struct listen_settings {
  /// Browsers: Socket.IO over WebSocket and long-polling.
  std::string public_ = "0.0.0.0:8400";
  /// The site: HTTP ingest. Keep it off the internet.
  std::string ingest = "127.0.0.1:8401";
  /// Operators: /healthz, /readyz, /metrics, /api/v1/status.
  std::string operations = "127.0.0.1:8402";
};

/// TLS on the public listener; both files or neither.
struct tls_settings {
  /// PEM file with the certificate chain; empty for plain HTTP.
  std::string certificate;
  /// PEM file with the private key.
  std::string key;
};

/// The Engine.IO transport.
struct engine_settings {
  /// Path prefix of the Socket.IO clients.
  std::string path = "/socket.io/";
  /// Transports offered: "polling", "websocket".
  std::vector<std::string> transports = {"polling", "websocket"};
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

/// Which pages may connect.
struct origin_settings {
  /// Origins admitted beside the router's own host, as
  /// `scheme://host[:port]`; `https://*.example.com` admits its subdomains.
  std::vector<std::string> allow;
  /// Whether a request without an Origin header is refused.
  bool require = false;
};

/// How a session is protected.
struct session_settings {
  /// Cookies whose change makes a session id unknown.
  std::vector<std::string> bind_cookies;
};

/// The site's API.
struct site_settings {
  /// URL asked who a browser is; empty if every namespace is anonymous.
  std::string auth_url;
  /// URL that receives the events of browsers; empty if none does.
  std::string event_url;
  /// Headers of the browser that are passed on beside its cookies.
  std::vector<std::string> headers = {"accept-language", "user-agent"};
  /// Names of the cookies that are passed on; empty for all.
  std::vector<std::string> cookies;
  /// Limit for connecting to the site.
  milliseconds connect_timeout{1000};
  /// Limit for the whole call.
  milliseconds timeout{3000};
  /// Most calls at a time.
  size_t concurrency = 28;
  /// Most calls that wait for their turn.
  size_t queue = 1000;
  /// Largest reply in bytes.
  size_t max_reply = 65536;
  /// PEM file with the CA of the site's certificate; empty for the system's.
  std::string ca_file;
};

/// What is kept of the site's verdicts.
struct site_auth_settings {
  /// How long a positive verdict may be used again; 0 for never.
  milliseconds cache_ttl{0};
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
};

/// Who receives an event that a rule matched.
enum class rule_target : uint8_t {
  /// The users that `pointer` names: a string, a number, or an array of them.
  user,
  /// The rooms that `pointer` names: a string or an array of them.
  room,
  /// Everybody in the namespace.
  all,
  /// Nobody: the event is refused.
  refuse,
};

/// One routing rule; the first that matches decides.
struct rule_settings {
  /// Namespace, or `*` for any.
  std::string namespace_ = "*";
  /// Event type, or `*` for any.
  std::string type = "*";
  /// Who receives the event.
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
};

/// What the site posts.
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
};

/// The record of an online user.
struct presence_settings {
  /// How long a user stays online after the last connection went.
  milliseconds leave_grace{15000};
  /// Most connections of one user; a further one is refused.
  size_t max_connections = 32;
};

/// What one peer may cost. See docs/limits.md.
struct limit_settings {
  /// Longest request line in bytes.
  size_t request_line = 4096;
  /// All request headers together, in bytes.
  size_t header_bytes = 16384;
  /// Most request headers.
  size_t headers = 100;
  /// How long a request's header may take.
  milliseconds header_timeout{10000};
  /// How long a request's body may take.
  milliseconds body_timeout{30000};
  /// How long a connection may idle between two requests.
  milliseconds idle_timeout{15000};
  /// How long a client may take to drain a response or closing frame.
  milliseconds write_timeout{30000};
  /// Connections at a time, all listeners together; 0 for what the file limit
  /// allows.
  size_t connections = 0;
  /// Connections at a time from one address.
  size_t per_ip = 1000;
  /// New connections per second from one address.
  size_t per_ip_rate = 100;
  /// Whether loopback addresses count too.
  bool count_loopback = false;
  /// Queued bytes towards one connection, then it is closed as slow.
  size_t outbox_bytes = 1048576;
  /// Queued packets towards one connection, then it is closed as slow.
  size_t outbox_packets = 1000;
  /// Most packets in one polling payload.
  size_t payload_packets = 1000;
  /// Most fragments of one WebSocket message.
  size_t fragments = 1024;
  /// How long an unfinished WebSocket message or binary packet may wait.
  milliseconds assembly_timeout{30000};
  /// Most namespaces of one connection.
  size_t namespaces = 10;
  /// Refused CONNECTs after which a connection is closed.
  size_t failed_connects = 20;
  /// Largest CONNECT auth payload in bytes.
  size_t auth_payload = 4096;
  /// Most rooms of one connection.
  size_t rooms = 1000;
  /// Longest room name, user id or event name in bytes.
  size_t name_bytes = 256;
  /// Acks of one connection that may be outstanding.
  size_t pending_acks = 1000;
  /// Events of one connection being forwarded to the site at a time.
  size_t pending_forwards = 16;
  /// Deepest nesting of JSON text.
  size_t json_depth = 128;
  /// Most values in one JSON text.
  size_t json_nodes = 100000;
};

/// Proxies in front of the router.
struct proxy_settings {
  /// Addresses or networks (`10.0.0.0/8`) whose X-Forwarded-For, -Proto and
  /// -Host are believed.
  std::vector<std::string> trusted_proxies;
};

/// Process-wide behaviour.
struct router_settings {
  /// I/O threads; 0 for one per core.
  size_t threads = 0;
  /// Node number in session ids, 0 to 65535.
  size_t node = 0;
  /// Seconds over which a stopping router spreads the closing of its sessions.
  size_t drain_seconds = 10;
};

/// What is logged.
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
  engine_settings engine;
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
  log_settings log;
};

} // namespace signalbox
