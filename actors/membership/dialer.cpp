#include "actors/membership/dialer.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/membership/membership.hpp"
#include "transports/net/probe.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/openssl/publish.hpp>
#include <caf/send.hpp>

#include <charconv>

namespace signalbox {

namespace {

/// How long a connect and its handshakes may take.
constexpr auto patience = std::chrono::seconds{5};

bool encrypted(const cluster_settings& opts) {
  return !opts.certificate.empty();
}

uint16_t parse_port(const std::string& text) {
  uint16_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

void dial(caf::event_based_actor* self, bool tls, const std::string& address,
          const membership_actor& asker) {
  std::string host;
  std::string port;
  net::split_address(address, host, port);
  auto& sys = self->system();
  auto manager = tls ? sys.openssl_manager().actor_handle()
                     : sys.middleman().actor_handle();
  self->request(manager, patience, caf::connect_atom::value, host,
                parse_port(port))
    .then(
      [=](const caf::node_id&, const caf::strong_actor_ptr& gate,
          const std::set<std::string>&) {
        caf::anon_send(asker, dialed{address, gate, {}});
      },
      [=](caf::error& e) {
        caf::anon_send(asker,
                       dialed{address, nullptr, self->system().render(e)});
      });
}

} // namespace

void dial_node(shard& home, const cluster_settings& opts,
               const std::string& address, const membership_actor& asker) {
  auto tls = encrypted(opts);
  auto& sys = home.system();
  net::probe(home.home(), address, opts.request_timeout,
             [&sys, tls, address, asker](const std::string& error) {
               if (error.empty())
                 sys.spawn<caf::hidden>(dial, tls, address, asker);
               else
                 caf::anon_send(asker, dialed{address, nullptr, error});
             });
}

void configure_membership(caf::actor_system_config& to,
                          const cluster_settings& opts) {
  to.load<caf::io::middleman>();
  if (encrypted(opts)) {
    to.load<caf::openssl::manager>();
    to.openssl_certificate = opts.certificate;
    to.openssl_key = opts.key;
    to.openssl_cafile = opts.ca;
  }
  // An integer would be ignored: CAF wants a timespan.
  to.set("middleman.heartbeat-interval",
         caf::timespan{std::max<std::chrono::milliseconds>(
           opts.heartbeat, std::chrono::seconds{1})});
  to.set("middleman.connection-timeout",
         caf::timespan{std::max<std::chrono::milliseconds>(
           opts.dead_after, std::chrono::seconds{3})});
  to.set("middleman.workers", size_t{0});
}

std::string publish_membership(const membership_ref& x,
                               const cluster_settings& opts,
                               std::string& address) {
  std::string host;
  std::string port;
  if (!net::split_address(opts.listen, host, port))
    return "no address";
  auto gate = caf::actor_cast<caf::actor>(x.handle);
  auto& sys = gate.home_system();
  // A peer has no business with what spawns and configures.
  sys.registry().erase(caf::atom("SpawnServ"));
  sys.registry().erase(caf::atom("ConfigServ"));
  auto bound =
    encrypted(opts)
      ? caf::openssl::publish(gate, parse_port(port), host.c_str(), true)
      : sys.middleman().publish(gate, parse_port(port), host.c_str(), true);
  if (!bound)
    return sys.render(bound.error());
  address = opts.listen.substr(0, opts.listen.rfind(':') + 1)
            + std::to_string(*bound);
  return {};
}

} // namespace signalbox
