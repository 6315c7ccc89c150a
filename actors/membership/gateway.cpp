#include "actors/membership/gateway.hpp"

#include "actors/api/type_ids.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>

#include <algorithm>

namespace signalbox {

namespace {

/// How long the handshake of two brokers may take.
constexpr auto patience = std::chrono::seconds{5};

/// BASP tells published actors by ports; there is one, so any number will do.
constexpr uint16_t gate_port = 1;

void shake_hands(caf::event_based_actor* self, const caf::actor& basp,
                 const caf::io::scribe_ptr& connection,
                 const std::string& address, const membership_actor& asker) {
  self->request(basp, patience, caf::connect_atom::value, connection, gate_port)
    .then(
      [=](const caf::node_id&, const caf::strong_actor_ptr& gate,
          const std::set<std::string>&) {
        caf::anon_send(asker, dialed{address, gate, {}});
      },
      [=](caf::error& e) {
        caf::anon_send(asker, dialed{address, nullptr,
                                     "no handshake (" + self->system().render(e)
                                       + "); is its certificate signed by "
                                         "cluster.ca?"});
      });
}

} // namespace

void gateway::configure(caf::actor_system_config& to,
                        const cluster_settings& opts) {
  to.load<caf::io::middleman>();
  // CAF wants timespans and ignores integers. Below a second it would cut off
  // connections whose handshake is under way.
  to.set("middleman.heartbeat-interval",
         caf::timespan{std::max<std::chrono::milliseconds>(
           opts.heartbeat, std::chrono::seconds{1})});
  to.set("middleman.connection-timeout",
         caf::timespan{std::max<std::chrono::milliseconds>(
           opts.dead_after, std::chrono::seconds{3})});
  to.set("middleman.workers", size_t{0});
}

gateway::gateway(caf::actor_system& sys, const cluster_settings& opts)
  : sys_(sys), opts_(opts),
    basp_(
      sys.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"))) {
  // A peer has no business with what spawns and configures.
  sys.registry().erase(caf::atom("SpawnServ"));
  sys.registry().erase(caf::atom("ConfigServ"));
}

gateway::~gateway() = default;

std::string gateway::listen(const caf::actor& gate) {
  net::peer_port::options x;
  if (!opts_.certificate.empty()) {
    std::string error;
    x.tls =
      net::tls_context::peer(opts_.certificate, opts_.key, opts_.ca, error);
    if (x.tls == nullptr)
      return error;
  }
  port_ = std::make_unique<net::peer_port>(x);
  address_ = opts_.listen;
  return port_->listen(address_, [this, gate](int fd) {
    caf::anon_send(basp_, caf::publish_atom::value,
                   sys_.middleman().backend().new_scribe(fd), gate_port,
                   caf::actor_cast<caf::strong_actor_ptr>(gate),
                   std::set<std::string>{});
  });
}

void gateway::dial(const std::string& address, const membership_actor& asker) {
  port_->dial(
    address, [this, address, asker](int fd, const std::string& error) {
      if (fd < 0) {
        caf::anon_send(asker, dialed{address, nullptr, error});
        return;
      }
      sys_.spawn<caf::hidden>(shake_hands, basp_,
                              sys_.middleman().backend().new_scribe(fd),
                              address, asker);
    });
}

void gateway::cut(const caf::node_id& process) {
  sys_.middleman().run_later([basp = basp_, process] {
    // On the broker's own thread, as its heartbeat does it.
    auto& broker = static_cast<caf::io::basp_broker&>(
      *caf::actor_cast<caf::abstract_actor*>(basp));
    if (broker.ctx.empty())
      return;
    if (auto connection = broker.instance.tbl().lookup_direct(process)) {
      broker.connection_cleanup(*connection, caf::sec::connection_timeout);
      broker.close(*connection);
    }
  });
}

} // namespace signalbox
