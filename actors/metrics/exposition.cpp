#include "actors/metrics/exposition.hpp"

#include "actors/api/log.hpp"
#include "transports/codec/json_text.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <iterator>
#include <string_view>

namespace signalbox {

namespace {

constexpr std::string_view kinds[] = {
  "connection", "presence",  "users",      "nsp",        "hub",
  "ingest",     "site_auth", "transport",  "membership", "link",
  "relay",      "tunnels",   "supervisor",
};

static_assert(std::size(kinds) == static_cast<size_t>(actor_kind::count_),
              "every kind needs a name");

class text {
public:
  /// Begins a metric.
  void metric(std::string_view name, std::string_view type,
              std::string_view help) {
    name_ = name;
    out_.append("# HELP signalbox_").append(name).append(" ").append(help);
    out_.append("\n# TYPE signalbox_").append(name).append(" ").append(type);
    out_ += '\n';
  }

  template <class T>
  void value(const T& x, std::string_view labels = {}) {
    out_.append("signalbox_").append(name_);
    if (!labels.empty())
      out_.append("{").append(labels).append("}");
    out_.append(" ").append(std::to_string(x)).append("\n");
  }

  template <class T>
  void counter(std::string_view name, std::string_view help, const T& x) {
    metric(name, "counter", help);
    value(x);
  }

  template <class T>
  void gauge(std::string_view name, std::string_view help, const T& x) {
    metric(name, "gauge", help);
    value(x);
  }

  std::string take() {
    return std::move(out_);
  }

private:
  std::string_view name_;
  std::string out_;
};

std::string label(std::string_view name, std::string_view value) {
  std::string out{name};
  out.append("=\"").append(value).append("\"");
  return out;
}

size_t resident_bytes() {
  size_t total = 0;
  size_t pages = 0;
  if (auto* file = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(file, "%zu %zu", &total, &pages) != 2)
      pages = 0;
    std::fclose(file);
  }
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

void render_sessions(text& out, const all_counters& x) {
  const auto& s = x.sessions;
  out.metric("sessions", "gauge", "Sessions open now.");
  out.value(s.live_polling.load(), label("transport", "polling"));
  out.value(s.live_websocket.load(), label("transport", "websocket"));
  out.metric("sessions_opened_total", "counter", "Sessions opened.");
  out.value(s.opened_polling.load(), label("transport", "polling"));
  out.value(s.opened_websocket.load(), label("transport", "websocket"));
  out.metric("sessions_closed_total", "counter", "Sessions closed.");
  for (size_t i = 0; i < s.closed.size(); ++i)
    out.value(s.closed[i].load(),
              label("reason",
                    session::to_string(static_cast<session::close_reason>(i))));
  out.metric("clients_total", "counter",
             "Sessions opened, by generation of the client.");
  for (const auto& each : x.clients.totals())
    out.value(each.sessions, label("dialect", codec::to_string(each.dialect))
                               + ',' + label("transport", each.transport));
  out.counter("upgrades_total", "Sessions moved from polling to WebSocket.",
              s.upgrades.load());
  out.counter("upgrade_timeouts_total", "Upgrades that were not finished.",
              s.upgrade_timeouts.load());
  out.counter("close_timeouts_total",
              "Closed polling sessions whose client did not ask again.",
              s.close_timeouts.load());
  out.counter("packets_received_total", "Engine.IO packets of clients.",
              s.packets_in.load());
  out.counter("packets_ignored_total",
              "Malformed packets of 0.9 clients that were passed over.",
              s.packets_ignored.load());
  out.counter("packets_sent_total", "Events queued towards clients.",
              s.packets_out.load());
  out.counter("probes_refused_total", "Upgrades that came too late or twice.",
              x.engine.probes_refused.load());
  out.counter("origins_refused_total", "Requests refused for their Origin.",
              x.engine.origins_refused.load());
  out.counter("hidden_pages_refused_total",
              "Requests of pages of other sites refused for want of an Origin.",
              x.engine.hidden_pages_refused.load());
  out.metric("sessions_refused_total", "counter", "Sessions refused.");
  static constexpr std::string_view bounds[] = {
    "per-ip", "per-ip-rate", "sessions-per-ip", "sessions", "memory"};
  static_assert(std::size(bounds)
                == static_cast<size_t>(net::session_bound::count_));
  for (size_t i = 0; i < std::size(bounds); ++i)
    out.value(x.engine.sessions_refused[i].load(), label("limit", bounds[i]));
  out.counter("sessions_displaced_total",
              "Sessions that were opened, never used, and gave way to another "
              "one of their address.",
              x.engine.sessions_displaced.load());
  out.counter("unknown_sids_total", "Requests with an unknown session id.",
              x.engine.unknown_sids.load());
}

void render_net(text& out, const all_counters& x) {
  const auto& n = x.net;
  out.gauge("tcp_connections", "TCP connections open now, all listeners.",
            n.open.load());
  out.gauge("tcp_connections_max", "TCP connections the process may have.",
            x.max_connections);
  out.counter("tcp_accepted_total", "TCP connections accepted.",
              n.accepted.load());
  out.metric("tcp_refused_total", "counter", "TCP connections refused.");
  out.value(n.refused_limit.load(), label("limit", "connections"));
  out.value(n.refused_address.load(), label("limit", "per-ip"));
  out.value(n.refused_rate.load(), label("limit", "per-ip-rate"));
  out.counter("accept_paused_total",
              "Times accepting rested for want of file descriptors.",
              n.accept_paused.load());
  out.counter("http_requests_total", "HTTP requests.", n.requests.load());
  out.metric("http_refused_total", "counter", "HTTP requests refused.");
  out.value(n.bad_requests.load(), label("limit", "malformed"));
  out.value(n.header_too_large.load(), label("limit", "header-bytes"));
  out.value(n.too_many_headers.load(), label("limit", "headers"));
  out.value(n.body_too_large.load(), label("limit", "body"));
  out.counter("operations_refused_total",
              "Requests to the operations listener refused for their Host, "
              "Origin or page.",
              n.operations_refused.load());
  out.metric("http_timeouts_total", "counter", "HTTP deadlines missed.");
  out.value(n.timeouts_header.load(), label("phase", "header"));
  out.value(n.timeouts_body.load(), label("phase", "body"));
  out.value(n.timeouts_idle.load(), label("phase", "idle"));
  out.value(n.timeouts_write.load(), label("phase", "write"));
}

void render_memory(text& out, const net::memory_counters& x) {
  out.gauge("memory_bytes", "Memory of the process, and of its sockets.",
            x.used.load());
  out.gauge("memory_limit_bytes", "Memory that limits.memory allows.",
            x.limit.load());
  out.gauge("memory_full", "1 while the process has more than that.",
            static_cast<int>(x.full.load()));
  out.counter("memory_closed_total",
              "Clients that were closed because much waited for them while "
              "memory was short.",
              x.closed.load());
  out.counter("memory_refused_total",
              "Handshakes and posts that were refused while memory was short.",
              x.refused.load());
}

void render_log(text& out) {
  auto x = count_dropped_lines();
  out.metric("log_lines_dropped_total", "counter",
             "Lines that did not come into the log: it was read too slowly, or "
             "strangers caused too many.");
  out.value(x.queue, label("limit", "queue"));
  out.value(x.rate, label("limit", "rate"));
}

void render_site(text& out, const counters& c) {
  out.counter("auth_calls_total", "Questions put to the site's auth API.",
              c.auth_calls.load());
  out.counter("auth_shared_total", "Askers that shared a question under way.",
              c.auth_shared.load());
  out.counter("auth_cached_total", "Askers answered from the cache.",
              c.auth_cached.load());
  out.counter("auth_failures_total", "Questions the site did not answer.",
              c.auth_failures.load());
  out.counter("forward_failures_total",
              "Events of browsers the site did not answer.",
              c.forward_failures.load());
  out.gauge("site_calls_active", "Calls to the site under way.",
            c.site_calls_active.load());
  out.gauge("site_calls_waiting", "Calls to the site that wait.",
            c.site_calls_waiting.load());
  out.metric("site_calls_dropped_total", "counter",
             "Calls to the site that were never made.");
  out.value(c.site_calls_full.load(), label("limit", "queue"));
  out.value(c.site_calls_late.load(), label("limit", "queue-timeout"));
}

void render_connects(text& out, const counters& c) {
  out.metric("connects_total", "counter", "CONNECTs to namespaces.");
  out.value(c.connects_accepted.load(), label("result", "accepted"));
  out.value(c.connects_unauthorized.load(), label("result", "unauthorized"));
  out.value(c.connects_unavailable.load(), label("result", "unavailable"));
  out.value(c.connects_invalid.load(), label("result", "invalid_namespace"));
  out.value(c.connects_too_many.load(),
            label("result", "too_many_connections"));
  out.gauge("connects_held",
            "CONNECTs that wait for the site to be asked again.",
            c.connects_held.load());
  out.counter("connections_displaced_total",
              "Connections that gave way to a newer one of their user.",
              c.connections_displaced.load());
  out.metric("client_events_total", "counter", "Events of browsers.");
  out.value(c.client_events_refused.load(), label("result", "refused"));
  out.value(c.client_events_forwarded.load(), label("result", "forwarded"));
  out.value(c.client_events_queued.load(), label("result", "queued"));
  out.value(c.client_events_dropped.load(), label("result", "dropped"));
  out.metric("limits_total", "counter", "Limits that were hit.");
  out.value(c.limit_namespaces.load(), label("limit", "namespaces"));
  out.value(c.limit_failed_connects.load(), label("limit", "failed-connects"));
  out.value(c.limit_auth_payload.load(), label("limit", "auth-payload"));
  out.value(c.limit_rooms.load(), label("limit", "rooms"));
  out.value(c.limit_pending_acks.load(), label("limit", "pending-acks"));
  out.value(c.connect_timeouts.load(), label("limit", "connect-timeout"));
  out.value(c.limit_inbox.load(), label("limit", "inbox"));
  out.value(c.limit_inbox_timeout.load(), label("limit", "inbox-timeout"));
  out.value(c.limit_event_size.load(), label("limit", "max-event"));
  out.value(c.limit_batch.load(), label("limit", "max-batch"));
  out.value(c.limit_idempotency.load(), label("limit", "idempotency-keys"));
  out.value(c.limit_confirms.load(), label("limit", "max-confirms"));
  out.value(c.limit_cluster_queue.load(), label("limit", "cluster-queue"));
}

void render_ingest(text& out, const counters& c) {
  out.metric("events_total", "counter", "Events posted by the site.");
  out.value(c.events_accepted.load(), label("result", "accepted"));
  out.value(c.events_refused.load(), label("result", "refused"));
  out.value(c.events_duplicate.load(), label("result", "duplicate"));
  out.counter("events_offline_total",
              "Accepted events for which no connection was open.",
              c.events_offline.load());
  out.counter("bad_keys_total", "Posts and CONNECTs with a wrong key.",
              c.bad_keys.load());
  out.counter("calls_unanswered_total",
              "Calls of the API answered with 503 for want of another answer.",
              c.calls_unanswered.load());
  out.counter("deliveries_total", "Events that connections have taken.",
              c.deliveries.load());
  out.counter("deliveries_dropped_total",
              "Private events that a connection did not take: volatile, "
              "or it had gone.",
              c.deliveries_dropped.load());
  out.gauge("confirms_pending", "Events whose acks are awaited.",
            c.confirms_pending.load());
  out.gauge("idempotency_keys", "Idempotency keys remembered.",
            c.idempotency_keys.load());
  out.gauge("users_online", "Users online.", c.users_online.load());
}

void render_peers(text& out, const cluster_info& x) {
  out.gauge("cluster_settled", "1 if all nodes agree on which nodes live.",
            static_cast<int>(x.settled));
  out.gauge("cluster_conflict",
            "1 if this node must not take part as it is configured.",
            static_cast<int>(!x.conflict.empty()));
  auto each = [&](std::string_view name, std::string_view kind,
                  std::string_view doc, auto value) {
    out.metric(name, kind, doc);
    for (const auto& peer : x.members)
      out.value(value(peer), label("node", std::to_string(peer.node)));
  };
  each("peer_up", "gauge", "1 if the node is linked.",
       [](const auto& p) { return static_cast<int>(p.state == "up"); });
  each("peer_settings_differ", "gauge",
       "Settings that should be alike on all nodes and are not on this one.",
       [](const auto& p) { return p.differs.size(); });
  each("peer_round_trip_microseconds", "gauge", "Last round trip to the node.",
       [](const auto& p) { return p.round_trip_us; });
  each("peer_queue_bytes", "gauge", "Bytes on their way to the node.",
       [](const auto& p) { return p.queue_bytes; });
  each("peer_reconnects_total", "counter", "Times the node came back.",
       [](const auto& p) { return p.reconnects; });
  each("peer_sent_bytes_total", "counter", "Bytes sent to the node.",
       [](const auto& p) { return p.sent_bytes; });
  each("peer_received_bytes_total", "counter", "Bytes received from the node.",
       [](const auto& p) { return p.received_bytes; });
  each("peer_sent_batches_total", "counter", "Batches sent to the node.",
       [](const auto& p) { return p.sent_batches; });
  each("peer_received_batches_total", "counter",
       "Batches received from the node.",
       [](const auto& p) { return p.received_batches; });
}

void render_tunnels(text& out, const net::tunnel_counters& x) {
  out.metric("tunnels", "gauge",
             "Requests of clients here that another node serves, and the other "
             "way round.");
  out.value(x.away.load(), label("side", "away"));
  out.value(x.hosted.load(), label("side", "hosted"));
  out.counter("tunnels_opened_total", "Requests passed on to other nodes.",
              x.opened.load());
  out.counter("tunnels_accepted_total", "Requests taken from other nodes.",
              x.accepted.load());
  out.counter("tunnels_refused_total",
              "Requests of other nodes refused, for limits.connections.",
              x.refused.load());
  out.counter("tunnels_lost_total", "Tunnels that ended with their node.",
              x.lost.load());
  out.gauge("tunnel_bytes",
            "Bytes that tunnels have on their way to other nodes.",
            x.waiting.load());
  out.counter("tunnels_narrowed_total",
              "Frames of tunnels that came to wait for the others, for "
              "cluster.queue-bytes.",
              x.narrowed.load());
  out.counter("tunnels_sent_bytes_total", "Bytes sent through tunnels.",
              x.bytes_out.load());
  out.counter("tunnels_received_bytes_total", "Bytes received from tunnels.",
              x.bytes_in.load());
}

void render_peer_port(text& out, const net::peer_port_counters& x) {
  out.counter("peer_port_accepted_total", "Connections to cluster.listen.",
              x.accepted.load());
  out.counter("peer_port_refused_total",
              "Connections to or from nodes that came to nothing.",
              x.refused.load());
  out.counter("peer_port_broken_total",
              "Connections cut off because they did not speak as nodes do.",
              x.broken.load());
}

} // namespace

std::string render_metrics(const all_counters& x) {
  text out;
  out.gauge("ready", "1 if the router takes new sessions.",
            static_cast<int>(x.ready));
  out.gauge("resident_memory_bytes", "Resident memory of the process.",
            resident_bytes());
  out.metric("certificate_expiry_timestamp_seconds", "gauge",
             "When a certificate in use ends, in seconds since 1970.");
  for (const auto& each : x.certificates)
    out.value(each.until, label("setting", each.setting));
  out.metric("actors", "gauge", "Living actors.");
  for (size_t i = 0; i < std::size(kinds); ++i)
    out.value(x.actors.actors[i].load(), label("kind", kinds[i]));
  render_sessions(out, x);
  render_net(out, x);
  render_memory(out, x.memory);
  render_log(out);
  render_connects(out, x.actors);
  render_site(out, x.actors);
  render_ingest(out, x.actors);
  if (x.cluster)
    render_peers(out, *x.cluster);
  if (x.tunnels != nullptr)
    render_tunnels(out, *x.tunnels);
  if (x.peer_port != nullptr)
    render_peer_port(out, *x.peer_port);
  return out.take();
}

std::string render_clients(const net::client_census& x) {
  using namespace std::chrono;
  auto seconds = [](auto t) {
    return std::to_string(
      duration_cast<std::chrono::seconds>(t.time_since_epoch()).count());
  };
  std::string out{'['};
  for (const auto& each : x.entries()) {
    if (out.size() > 1)
      out += ',';
    out += "{\"dialect\":\"";
    out += codec::to_string(each.dialect);
    out += "\",\"transport\":\"" + each.transport + "\",\"origin\":";
    if (each.origin.empty())
      out += "null";
    else
      codec::quote_json(each.origin, out);
    out += ",\"sessions\":" + std::to_string(each.sessions) + ",\"first\":"
           + seconds(each.first) + ",\"last\":" + seconds(each.last) + '}';
  }
  return out + ']';
}

std::string render_cluster(const cluster_info& x) {
  auto out = "{\"node\":" + std::to_string(x.node) + ",\"name\":";
  codec::quote_json(x.name, out);
  out += std::string{",\"settled\":"} + (x.settled ? "true" : "false");
  if (!x.conflict.empty()) {
    out += ",\"conflict\":";
    codec::quote_json(x.conflict, out);
  }
  out += ",\"members\":[";
  for (const auto& each : x.members) {
    if (out.back() != '[')
      out += ',';
    out += "{\"node\":" + std::to_string(each.node) + ",\"state\":\""
           + each.state + "\",\"address\":";
    codec::quote_json(each.address, out);
    out += ",\"round_trip_us\":" + std::to_string(each.round_trip_us)
           + ",\"queue_bytes\":" + std::to_string(each.queue_bytes)
           + ",\"reconnects\":" + std::to_string(each.reconnects);
    if (!each.differs.empty()) {
      out += ",\"differs\":[";
      for (const auto& name : each.differs) {
        codec::quote_json(name, out);
        out += ',';
      }
      out.back() = ']';
    }
    out += '}';
  }
  return out + "]}";
}

std::string render_status(const all_counters& x, double uptime_seconds,
                          const std::string& version) {
  const auto& a = x.actors;
  auto number = [](const auto& y) { return std::to_string(y.load()); };
  std::string state = x.draining          ? "draining"
                      : x.ready           ? "ready"
                      : x.trouble.empty() ? "starting"
                                          : "not ready";
  std::string trouble;
  if (!x.trouble.empty()) {
    trouble = ",\"trouble\":";
    codec::quote_json(x.trouble, trouble);
  }
  return "{\"version\":\"" + version + "\",\"state\":\"" + state + '"' + trouble
         + ",\"uptime_seconds\":"
         + std::to_string(static_cast<int64_t>(uptime_seconds))
         + ",\"sessions\":{\"polling\":" + number(x.sessions.live_polling)
         + ",\"websocket\":" + number(x.sessions.live_websocket)
         + "},\"users_online\":" + number(a.users_online)
         + ",\"tcp_connections\":" + number(x.net.open)
         + ",\"tcp_connections_max\":" + std::to_string(x.max_connections)
         + ",\"events\":{\"accepted\":" + number(a.events_accepted)
         + ",\"refused\":" + number(a.events_refused)
         + ",\"duplicate\":" + number(a.events_duplicate) + "},\"deliveries\":"
         + number(a.deliveries) + ",\"resident_memory_bytes\":"
         + std::to_string(resident_bytes()) + "}";
}

} // namespace signalbox
