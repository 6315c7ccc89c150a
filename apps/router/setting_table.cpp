#include "apps/router/setting_table.hpp"

#include <algorithm>
#include <cctype>
#include <type_traits>

namespace signalbox::app {

namespace {

using namespace std::chrono_literals;

using kind = shape::kind;

constexpr uint64_t kib = 1024;
constexpr uint64_t mib = 1024 * kib;
constexpr uint64_t gib = 1024 * mib;

constexpr shape boolean() {
  return {kind::boolean};
}

constexpr shape count(uint64_t least, uint64_t most) {
  return {kind::count, least, most};
}

constexpr shape size(uint64_t least, uint64_t most) {
  return {kind::size, least, most};
}

constexpr shape duration(milliseconds least, milliseconds most) {
  return {kind::duration, static_cast<uint64_t>(least.count()),
          static_cast<uint64_t>(most.count())};
}

constexpr shape text(text_form form, uint64_t least, uint64_t most = 4096) {
  return {kind::text, least, most, form};
}

constexpr shape secret(uint64_t least, uint64_t most) {
  return {kind::text, least, most, any_text, {}, true};
}

constexpr shape choice(std::string_view words) {
  return {kind::choice, 0, 0, any_text, words};
}

constexpr shape choices(std::string_view words, uint64_t least) {
  return {kind::choices, least, 16, any_text, words};
}

constexpr shape texts(text_form form, uint64_t most = 1000) {
  return {kind::texts, 0, most, form};
}

constexpr shape objects(uint64_t least, uint64_t most) {
  return {kind::objects, least, most};
}

// `site_auth.cache_ttl` is site-auth.cache-ttl; a trailing underscore only
// keeps a field from being a keyword.
std::string setting_name(std::string_view field_path) {
  std::string result{field_path};
  if (result.ends_with('_'))
    result.pop_back();
  std::replace(result.begin(), result.end(), '_', '-');
  return result;
}

const std::vector<setting>& members(const namespace_settings*);
const std::vector<setting>& members(const rule_settings*);
const std::vector<setting>& members(const key_settings*);

template <class T>
field at(T& x) {
  return &x;
}

template <class T>
requires(!std::is_same_v<T, std::string>) field at(std::vector<T>& xs) {
  using list = std::vector<T>;
  return object_list{
    &xs,
    [](void* x) { return static_cast<list*>(x)->size(); },
    [](void* x, size_t n) { static_cast<list*>(x)->resize(n); },
    [](void* x, size_t i) -> void* { return &(*static_cast<list*>(x))[i]; },
    []() -> const std::vector<setting>& {
      return members(static_cast<const T*>(nullptr));
    },
  };
}

// A line of a table: the field's path gives the name, so they cannot differ.
// `owner` is the struct that the table is about.
#define SIGNALBOX_SETTING(path, allowed, doc)                                  \
  setting {                                                                    \
    setting_name(#path),                                                       \
      [](void* x) -> field { return at(static_cast<owner*>(x)->path); },       \
      allowed, doc                                                             \
  }

const std::vector<setting>& members(const namespace_settings*) {
  using owner = namespace_settings;
  // clang-format off
  static const std::vector<setting> result{
    SIGNALBOX_SETTING(name, text(namespace_name, 1, 256), "Name with its leading slash."),
    SIGNALBOX_SETTING(anonymous, boolean(), "Whether browsers the site does not know may connect."),
    SIGNALBOX_SETTING(on_client_event, choice("refuse|forward"), "Whether events of browsers are refused or passed on to site.event-url."),
    SIGNALBOX_SETTING(sequenced, boolean(), "Whether all receivers in a cluster see its events in the same order."),
  };
  // clang-format on
  return result;
}

const std::vector<setting>& members(const rule_settings*) {
  using owner = rule_settings;
  // clang-format off
  static const std::vector<setting> result{
    SIGNALBOX_SETTING(namespace_, text(rule_namespace, 1, 256), "Namespace that the rule is for; * for any."),
    SIGNALBOX_SETTING(type, text(any_text, 1, 256), "Event type that the rule is for; * for any."),
    SIGNALBOX_SETTING(to, choice("user|room|all|refuse"), "Receivers of the event: the users or the rooms that pointer names, the whole namespace, or none."),
    SIGNALBOX_SETTING(pointer, text(json_pointer, 0, 1024), "JSON pointer to the recipient in the payload; needed for user and room."),
    SIGNALBOX_SETTING(event, text(any_text, 0, 256), "Name of the event that the browsers see; empty for the type."),
  };
  // clang-format on
  return result;
}

const std::vector<setting>& members(const key_settings*) {
  using owner = key_settings;
  // clang-format off
  static const std::vector<setting> result{
    SIGNALBOX_SETTING(name, text(any_text, 1, 64), "Name of the credential in logs and metrics."),
    SIGNALBOX_SETTING(key, secret(16, 1024), "The secret itself."),
    SIGNALBOX_SETTING(namespaces, texts(namespace_name), "Namespaces that it may post to; empty for all."),
    SIGNALBOX_SETTING(may_target, boolean(), "Whether its events may name their own target instead of following the rules."),
    SIGNALBOX_SETTING(may_listen, boolean(), "Whether it may see what a user receives (signalbox listen)."),
  };
  // clang-format on
  return result;
}

} // namespace

const std::vector<setting>& setting_table() {
  using owner = settings;
  // One line each, however long: clang-format would make it three.
  // clang-format off
  static const std::vector<setting> result{
    SIGNALBOX_SETTING(listen.public_, text(listen_address, 1), "Browsers: Socket.IO over WebSocket and long-polling. Port 0 takes any free one."),
    SIGNALBOX_SETTING(listen.ingest, text(listen_address, 1), "The site: HTTP ingest. Keep it off the internet."),
    SIGNALBOX_SETTING(listen.operations, text(listen_address, 1), "Operators: /healthz, /readyz, /metrics, /api/v1/. Keep it off the internet."),
    SIGNALBOX_SETTING(listen.site, text(listen_address, 0), "Old publishers that can send no key, such as 127.0.0.1:8403; empty turns it off."),
    SIGNALBOX_SETTING(site_listener.allow, texts(network), "Addresses or networks that may connect; needed if it listens beyond loopback."),
    SIGNALBOX_SETTING(site_listener.hosts, texts(host_name, 100), "Host names by which publishers call it, beside the names of loopback."),
    SIGNALBOX_SETTING(site_listener.namespaces, texts(namespace_name), "Namespaces that publishers may post to; empty for all."),
    SIGNALBOX_SETTING(operations.hosts, texts(host_name, 100), "Host names by which listen.operations is called, beside the names of loopback and any address."),
    SIGNALBOX_SETTING(tls.certificate, text(file_path, 0), "PEM file with the certificate chain; empty for plain HTTP."),
    SIGNALBOX_SETTING(tls.key, text(file_path, 0), "PEM file with the private key, not encrypted; needed with tls.certificate."),
    SIGNALBOX_SETTING(tls.ciphers, text(any_text, 1), "Ciphers that browsers are offered, as `openssl ciphers` takes them; names with TLS_ are those of TLS 1.3, which offers all of its own if none is named."),
    SIGNALBOX_SETTING(tls.min_version, choice("1.2|1.3"), "Oldest version of TLS that is spoken."),
    SIGNALBOX_SETTING(namespaces, objects(1, 1000), "The Socket.IO namespaces that browsers may connect to."),
    SIGNALBOX_SETTING(rules, objects(0, 10000), "Rules for the receivers of the site's events; the first that matches decides; without one an event is refused."),
    SIGNALBOX_SETTING(site.auth_url, text(site_url, 0), "URL asked who a browser is; empty if every namespace is anonymous."),
    SIGNALBOX_SETTING(site.event_url, text(site_url, 0), "URL that receives the events of browsers; empty if none does."),
    SIGNALBOX_SETTING(site.headers, texts(passed_header, 100), "Headers of the browser that are passed on beside its cookies."),
    SIGNALBOX_SETTING(site.cookies, texts(cookie_name, 100), "Names of the cookies that are passed on; empty for all."),
    SIGNALBOX_SETTING(site.forwarded, choice("none|x-forwarded|forwarded|both"), "Headers by which the site learns the browser's address, scheme and host: X-Forwarded-For, -Proto and -Host, or Forwarded."),
    SIGNALBOX_SETTING(site.connect_timeout, duration(10ms, 1min), "Limit for connecting to the site."),
    SIGNALBOX_SETTING(site.timeout, duration(10ms, 5min), "Limit for the whole call, from when it begins."),
    SIGNALBOX_SETTING(site.concurrency, count(1, 10000), "Most calls at a time."),
    SIGNALBOX_SETTING(site.queue, count(0, 1000000), "Most calls that wait for their turn."),
    SIGNALBOX_SETTING(site.queue_timeout, duration(10ms, 5min), "How long a call may wait for its turn; less than clients wait for their CONNECT, which is 20s."),
    SIGNALBOX_SETTING(site.when_unavailable, choice("hold|retry|refuse"), "What becomes of a CONNECT while the site has no verdict: it waits and the site is asked again, its connection closes so that the client comes back, or it gets CONNECT_ERROR."),
    SIGNALBOX_SETTING(site.keep_alive, duration(0ms, 1min), "How long a connection to the site may idle before its next call, less than the site's server allows; 0s for a connection of its own for each call."),
    SIGNALBOX_SETTING(site.max_reply, size(64, 16 * mib), "Largest reply of the site."),
    SIGNALBOX_SETTING(site.ca_file, text(file_path, 0), "PEM file with the CA of the site's certificate; empty for the system's."),
    SIGNALBOX_SETTING(site_auth.cache_ttl, duration(0ms, 30s), "How long a positive verdict of the site may be used again; 0s for never."),
    SIGNALBOX_SETTING(ingest.keys, objects(0, 1000), "Credentials of the site; several may be valid at a time; without one no client may post."),
    SIGNALBOX_SETTING(ingest.max_body, size(64, 256 * mib), "Largest body of a post."),
    SIGNALBOX_SETTING(ingest.max_event, size(64, 256 * mib), "Largest single event; not over ingest.max-body."),
    SIGNALBOX_SETTING(ingest.max_batch, count(1, 100000), "Most events in one post."),
    SIGNALBOX_SETTING(ingest.max_recipients, count(1, 100000), "Most recipients that one event may name."),
    SIGNALBOX_SETTING(ingest.idempotency_keys, count(1, 10000000), "Idempotency keys remembered per credential."),
    SIGNALBOX_SETTING(ingest.idempotency_window, duration(1s, 24h), "How long an idempotency key is remembered."),
    SIGNALBOX_SETTING(ingest.max_confirms, count(1, 1000000), "Most confirms under way at a time."),
    SIGNALBOX_SETTING(ingest.timeout, duration(1s, 1h), "How long a call may go without an answer, beside its confirm and another node's time; 503 then."),
    SIGNALBOX_SETTING(origin.allow, texts(origin), "Origins admitted beside the router's own host; https://*.example.com admits the subdomains, file:// pages in files, null also those in sandboxes."),
    SIGNALBOX_SETTING(origin.require, boolean(), "Whether a request without an Origin header is refused."),
    SIGNALBOX_SETTING(session.bind_cookies, texts(cookie_name, 100), "Cookies whose change makes a session id unknown; not one that the site renews by itself."),
    SIGNALBOX_SETTING(engine.path, text(path_prefix, 1, 256), "Path prefix of the Socket.IO clients, with or without its last slash; so are requests."),
    SIGNALBOX_SETTING(engine.transports, choices("polling|websocket", 1), "Transports offered."),
    SIGNALBOX_SETTING(engine.generations, choices("eio4|eio3|v09", 1), "Generations of clients served: Socket.IO 3 and 4, 1 and 2, 0.9."),
    SIGNALBOX_SETTING(engine.unnamed_revision, boolean(), "Whether a client that names no revision, as socket.io-client-swift up to 15, counts as one of 3."),
    SIGNALBOX_SETTING(engine.lax_revision, boolean(), "Whether a client that names another revision than 2, 3 or 4, or none, counts as one of 3."),
    SIGNALBOX_SETTING(engine.ping_interval, duration(100ms, 1h), "Time between two pings of the server."),
    SIGNALBOX_SETTING(engine.ping_timeout, duration(100ms, 1h), "How long the answer to a ping may take."),
    SIGNALBOX_SETTING(engine.upgrade_timeout, duration(100ms, 10min), "How long an upgrade may take from its probe on."),
    SIGNALBOX_SETTING(engine.connect_timeout, duration(100ms, 10min), "How long a connection may be in no namespace."),
    SIGNALBOX_SETTING(engine.close_timeout, duration(100ms, 10min), "How long a closed polling session waits for the poll that learns of it."),
    SIGNALBOX_SETTING(engine.max_payload, size(1, 256 * mib), "Largest POST body or WebSocket message of a browser."),
    SIGNALBOX_SETTING(engine.max_attachments, count(0, 1000), "Most binary attachments of one packet."),
    SIGNALBOX_SETTING(engine.http_compression, boolean(), "Whether poll answers over 1 KiB are gzipped for clients that accept it."),
    SIGNALBOX_SETTING(engine.per_message_deflate, boolean(), "Whether WebSocket messages over 1 KiB are compressed (permessage-deflate); costs memory per connection."),
    SIGNALBOX_SETTING(engine.client_files, text(folder_path, 0), "Folder with the official client's browser builds, served below engine.path; empty turns it off."),
    SIGNALBOX_SETTING(jsonp.eio4, boolean(), "Whether clients 3 and 4 may poll by script tags."),
    SIGNALBOX_SETTING(jsonp.eio3, boolean(), "Whether clients 1 and 2 may poll by script tags."),
    SIGNALBOX_SETTING(jsonp.v09, boolean(), "Whether clients 0.9 may poll by script tags."),
    SIGNALBOX_SETTING(presence.leave_grace, duration(0ms, 10min), "How long a user stays online after the last connection went."),
    SIGNALBOX_SETTING(presence.max_connections, count(1, 100000), "Most connections of one user."),
    SIGNALBOX_SETTING(presence.when_full, choice("refuse-newest|close-oldest"), "Whether a further connection is refused, or the oldest one disconnected."),
    SIGNALBOX_SETTING(limits.request_line, size(64, 64 * kib), "Longest request line."),
    SIGNALBOX_SETTING(limits.header_bytes, size(256, mib), "All request headers together."),
    SIGNALBOX_SETTING(limits.headers, count(1, 1000), "Most request headers."),
    SIGNALBOX_SETTING(limits.header_timeout, duration(100ms, 10min), "How long a request's header may take."),
    SIGNALBOX_SETTING(limits.body_timeout, duration(100ms, 1h), "How long the first byte of a request's body may take."),
    SIGNALBOX_SETTING(limits.idle_timeout, duration(100ms, 1h), "How long a connection may idle between two requests."),
    SIGNALBOX_SETTING(limits.write_timeout, duration(100ms, 1h), "How long a client may take nothing of an answer or closing frame."),
    SIGNALBOX_SETTING(limits.min_rate, size(1, gib), "Bytes a second that a transfer must make once it has begun."),
    SIGNALBOX_SETTING(limits.min_rate_time, duration(100ms, 1h), "Time over which limits.min-rate is measured."),
    SIGNALBOX_SETTING(limits.transfer_timeout, duration(100ms, 24h), "How long a request's body, a message or an answer may take in all."),
    SIGNALBOX_SETTING(limits.connections, count(0, 10000000), "Connections at a time, all listeners together; 0 for what the file limit allows."),
    SIGNALBOX_SETTING(limits.per_ip, count(1, 10000000), "Connections at a time from one address; behind a trusted proxy, sessions."),
    SIGNALBOX_SETTING(limits.per_ip_rate, count(1, 1000000), "New connections per second from one address; behind a trusted proxy, sessions."),
    SIGNALBOX_SETTING(limits.sessions_per_ip, count(1, 10000000), "Sessions at a time from one address."),
    SIGNALBOX_SETTING(limits.sessions, count(0, 100000000), "Sessions at a time, all listeners together; 0 for twice the connections."),
    SIGNALBOX_SETTING(limits.memory, size(0, 64 * 1024 * gib), "Memory of the process; 0B for four fifths of what its control group or the machine gives."),
    SIGNALBOX_SETTING(limits.count_loopback, boolean(), "Whether loopback addresses count too."),
    SIGNALBOX_SETTING(limits.outbox_bytes, size(kib, gib), "Queued bytes towards one connection, then it is closed as slow."),
    SIGNALBOX_SETTING(limits.outbox_packets, count(1, 1000000), "Queued packets towards one WebSocket, then it is closed as slow."),
    SIGNALBOX_SETTING(limits.payload_packets, count(1, 100000), "Most packets in one polling payload."),
    SIGNALBOX_SETTING(limits.fragments, count(1, 1000000), "Most fragments of one WebSocket message."),
    SIGNALBOX_SETTING(limits.assembly_timeout, duration(100ms, 1h), "How long an unfinished WebSocket message or binary packet may wait for its next byte."),
    SIGNALBOX_SETTING(limits.namespaces, count(1, 1000), "Most namespaces of one connection."),
    SIGNALBOX_SETTING(limits.failed_connects, count(1, 100000), "Refused CONNECTs after which a connection is closed."),
    SIGNALBOX_SETTING(limits.auth_payload, size(0, 64 * kib), "Largest CONNECT auth payload."),
    SIGNALBOX_SETTING(limits.rooms, count(0, 1000000), "Most rooms of one connection."),
    SIGNALBOX_SETTING(limits.name_bytes, size(1, 64 * kib), "Longest room name, user id or event name."),
    SIGNALBOX_SETTING(limits.pending_acks, count(0, 1000000), "Acks of one connection that may be outstanding."),
    SIGNALBOX_SETTING(limits.pending_forwards, count(1, 100000), "Events of one connection at the site at a time; more than 1 gives up their order."),
    SIGNALBOX_SETTING(limits.inbox_packets, count(1, 100000), "Unhandled events of one connection, beyond which nothing more of it is read."),
    SIGNALBOX_SETTING(limits.inbox_bytes, size(1, 256 * mib), "The same in bytes; one event alone may be larger."),
    SIGNALBOX_SETTING(limits.inbox_timeout, duration(100ms, 1h), "How long a connection may wait without one of its events being handled."),
    SIGNALBOX_SETTING(limits.json_depth, count(1, 512), "Deepest nesting of JSON text."),
    SIGNALBOX_SETTING(limits.json_nodes, count(1, 100000000), "Most values in one JSON text."),
    SIGNALBOX_SETTING(proxy.trusted_proxies, texts(network), "Addresses or networks that are believed about the clients behind them."),
    SIGNALBOX_SETTING(proxy.headers, choice("any|x-forwarded|forwarded"), "Headers of these proxies that are believed: X-Forwarded-For and its kin, Forwarded, or the latter only where none of the former came."),
    SIGNALBOX_SETTING(proxy.protocol, choice("off|accept"), "Whether their connections may begin with a PROXY header, version 1 or 2."),
    SIGNALBOX_SETTING(router.threads, count(0, 1024), "I/O threads; 0 for one per core."),
    SIGNALBOX_SETTING(router.io_uring, boolean(), "Whether broadcasts are written through io_uring where the kernel allows it."),
    SIGNALBOX_SETTING(router.node, count(0, 65535), "Node number in session ids."),
    SIGNALBOX_SETTING(router.drain_seconds, count(0, 3600), "Seconds over which a stopping router spreads the closing of its sessions."),
    SIGNALBOX_SETTING(cluster.name, text(any_text, 0, 64), "Name of the cluster, the same on all nodes; empty for a router by itself."),
    SIGNALBOX_SETTING(cluster.listen, text(listen_address, 1), "Where the other nodes connect. Keep it off the internet."),
    SIGNALBOX_SETTING(cluster.advertise, text(peer_address, 0), "Address of cluster.listen as the other nodes see it; empty if it is the same."),
    SIGNALBOX_SETTING(cluster.seeds, texts(peer_address), "Where some nodes listen, this one or not; any one that lives lets a node in."),
    SIGNALBOX_SETTING(cluster.certificate, text(file_path, 0), "PEM file with the certificate of this node; empty on loopback only."),
    SIGNALBOX_SETTING(cluster.key, text(file_path, 0), "PEM file with its private key; needed with cluster.certificate."),
    SIGNALBOX_SETTING(cluster.ca, text(file_path, 0), "PEM file with the authority that signed the certificates of all nodes, and nothing else."),
    SIGNALBOX_SETTING(cluster.sid_key, secret(0, 1024), "Secret of at least 32 characters, the same on all nodes, that signs session ids; needed with cluster.name."),
    SIGNALBOX_SETTING(cluster.heartbeat, duration(100ms, 60s), "Time between two signs of life of a node; less than half of cluster.dead-after."),
    SIGNALBOX_SETTING(cluster.dead_after, duration(300ms, 10min), "A node that was silent for so long is dead."),
    SIGNALBOX_SETTING(cluster.request_timeout, duration(100ms, 60s), "How long another node may take to answer a question."),
    SIGNALBOX_SETTING(cluster.forget_after, duration(1s, 24h), "How long answers name a lost node as unreachable."),
    SIGNALBOX_SETTING(cluster.queue_bytes, size(mib, 4 * gib), "Most bytes on their way to one node, which is cut off beyond and comes again; and of events that wait here for other nodes."),
    SIGNALBOX_SETTING(log.level, choice("trace|debug|info|warn|error|off"), "Least level that is logged."),
    SIGNALBOX_SETTING(log.format, choice("text|json"), "Form of the log lines."),
  };
  // clang-format on
  return result;
}

#undef SIGNALBOX_SETTING

const std::vector<section>& section_table() {
  static const std::vector<section> result{
    {"listen", "Where the router listens, as address:port."},
    {"site-listener", "The listener for publishers without a key "
                      "(listen.site): a client that reaches it may post."},
    {"operations", "The listener for operators (listen.operations)."},
    {"tls", "TLS on the public listener; both files or neither."},
    {"site", "The site's API."},
    {"site-auth", "The cache of the site's verdicts."},
    {"ingest", "What the site posts."},
    {"origin", "Which pages may connect."},
    {"session", "How a session is protected."},
    {"engine", "The Engine.IO transport."},
    {"jsonp",
     "Polling by script tags, for browsers without cross-origin requests."},
    {"presence", "The record of an online user."},
    {"limits", "What one peer may cost."},
    {"proxy", "Proxies in front of the router."},
    {"router", "Process-wide behaviour."},
    {"cluster",
     "The nodes that are one router together; router.node tells them "
     "apart."},
    {"log", "The log."},
  };
  return result;
}

const setting* find_setting(const std::vector<setting>& table,
                            std::string_view name) {
  auto i = std::find_if(table.begin(), table.end(),
                        [&](const setting& x) { return x.name == name; });
  return i == table.end() ? nullptr : &*i;
}

std::vector<std::string> setting_names(const std::vector<setting>& table) {
  std::vector<std::string> result;
  for (const auto& x : table)
    result.push_back(x.name);
  return result;
}

std::string environment_name(std::string_view name) {
  std::string result = "SIGNALBOX_";
  for (auto c : name)
    result +=
      c == '.' || c == '-'
        ? '_'
        : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return result;
}

std::vector<std::string> split_words(std::string_view words) {
  std::vector<std::string> result;
  for (size_t first = 0; first <= words.size();) {
    auto last = std::min(words.find('|', first), words.size());
    result.emplace_back(words.substr(first, last - first));
    first = last + 1;
  }
  return result;
}

} // namespace signalbox::app
