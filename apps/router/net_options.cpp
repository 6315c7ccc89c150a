#include "apps/router/net_options.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox::app {

namespace {

session::transfer_rules rules_of(const limit_settings& x) {
  return {static_cast<int64_t>(x.min_rate), x.min_rate_time.count(),
          x.transfer_timeout.count()};
}

} // namespace

void fill_limits(const settings& opts, net::shared_limits& out) {
  const auto& l = opts.limits;
  out.http = {l.request_line, l.header_bytes, l.headers,       l.header_timeout,
              l.body_timeout, l.idle_timeout, l.write_timeout, rules_of(l)};
  const auto& proxy = opts.proxy;
  out.trusted_proxies = net::networks{proxy.trusted_proxies};
  out.proxy_protocol = proxy.protocol == proxy_protocol::accept;
  if (proxy.headers == proxy_headers::x_forwarded)
    out.forwarded = net::forwarded_headers::x_forwarded;
  else if (proxy.headers == proxy_headers::forwarded)
    out.forwarded = net::forwarded_headers::forwarded;
}

size_t most_sessions(const settings& opts, size_t connections) {
  // Polling sessions have no connection between two requests.
  return opts.limits.sessions != 0 ? opts.limits.sessions : 2 * connections;
}

void fill_engine_options(const settings& opts, net::engine_options& out) {
  const auto& e = opts.engine;
  const auto& l = opts.limits;
  auto offers = [&e](const char* name) {
    return std::find(e.transports.begin(), e.transports.end(), name)
           != e.transports.end();
  };
  out.path = e.path;
  if (!out.path.ends_with('/'))
    out.path += '/';
  out.serves = {};
  for (const auto& name : e.generations)
    if (auto known = codec::parse_dialect(name))
      out.serves[static_cast<size_t>(*known)] = true;
  out.jsonp = {opts.jsonp.v09, opts.jsonp.eio3, opts.jsonp.eio4};
  out.unnamed_revision = e.unnamed_revision;
  out.lax_revision = e.lax_revision;
  out.session.main_namespace =
    std::any_of(opts.namespaces.begin(), opts.namespaces.end(),
                [](const auto& nsp) { return nsp.name == "/"; });
  out.session.ping_interval = e.ping_interval;
  out.session.ping_timeout = e.ping_timeout;
  out.session.upgrade_timeout = e.upgrade_timeout;
  out.session.close_timeout = e.close_timeout;
  out.session.assembly_timeout = l.assembly_timeout;
  out.session.max_payload = e.max_payload;
  out.session.payload_packets = l.payload_packets;
  out.session.outbox_bytes = l.outbox_bytes;
  out.session.outbox_packets = l.outbox_packets;
  out.session.polling = offers("polling");
  out.session.websocket = offers("websocket");
  out.session.packets.json = {l.json_depth, l.json_nodes};
  out.session.packets.attachments = e.max_attachments;
  out.websocket.deflate = e.per_message_deflate;
  out.websocket.messages = {e.max_payload, l.fragments};
  out.websocket.assembly_ms = l.assembly_timeout.count();
  out.session.transfers = rules_of(l);
  out.websocket.transfers = rules_of(l);
  out.websocket.close_ms = l.write_timeout.count();
  out.keep_headers = opts.site.headers;
  for (auto* name : {"cookie", "origin", "authorization"})
    out.keep_headers.emplace_back(name);
  out.keep_host = opts.site.forwarded != forwarded_style::none;
  out.bind_cookies = opts.session.bind_cookies;
  out.compression = e.http_compression;
}

std::shared_ptr<net::tls_context> make_tls(const settings& opts,
                                           std::string& error) {
  const auto& x = opts.tls;
  return net::tls_context::server(x.certificate, x.key,
                                  {x.ciphers, x.min_version == "1.3"}, error);
}

void open_ring(net::loop& x) {
  x.post([&x] {
    auto why = x.batch().open_ring();
    if (x.index() > 0)
      return;
    if (why.empty())
      spdlog::info("broadcasts are written through io_uring");
    else
      spdlog::info("no io_uring here ({}): broadcasts are written one by one",
                   why);
  });
}

} // namespace signalbox::app
