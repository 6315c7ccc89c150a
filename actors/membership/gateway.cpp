#include "actors/membership/gateway.hpp"

#include "actors/api/type_ids.hpp"
#include "actors/membership/multiplexer.hpp"
#include "actors/shard/coordinator.hpp"

#include <caf/actor_system.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>

namespace signalbox {

namespace {

/// How long the handshake of two brokers may take.
constexpr auto patience = std::chrono::seconds{5};

/// BASP tells published actors by ports; there is one, so any number will do.
constexpr uint16_t gate_port = 1;

/// Returns an id as it is on the wire.
std::string written(const caf::node_id& id) {
  std::vector<char> out;
  caf::binary_serializer to{nullptr, out};
  to(id);
  return {out.begin(), out.end()};
}

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
  multiplexer::configure(to);
  // CAF wants timespans and ignores integers. Below a second it would cut off
  // connections whose handshake is under way.
  to.set("middleman.heartbeat-interval",
         caf::timespan{std::max<std::chrono::milliseconds>(
           opts.heartbeat, std::chrono::seconds{1})});
  to.set("middleman.connection-timeout",
         caf::timespan{std::max<std::chrono::milliseconds>(
           opts.dead_after, std::chrono::seconds{3})});
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
  net::peer_port::options with;
  if (!opts_.certificate.empty()) {
    std::string error;
    with.tls =
      net::tls_context::peer(opts_.certificate, opts_.key, opts_.ca, error);
    if (with.tls == nullptr)
      return "cluster." + error;
    if (auto fault = net::own_fault(*with.tls); !fault.empty())
      spdlog::error("other nodes will refuse this one: cluster.certificate {}, "
                    "checked against cluster.ca {}: {}",
                    opts_.certificate, opts_.ca, fault);
    with.certificate = opts_.certificate;
  }
  with.self = written(sys_.node());
  port_ = std::make_unique<net::peer_port>(shards_of(sys_).at(0).home(), with);
  address_ = opts_.listen;
  return port_->listen(address_, [this, gate](std::shared_ptr<net::channel> x) {
    caf::anon_send(basp_, caf::publish_atom::value, adopt(std::move(x)),
                   gate_port, caf::actor_cast<caf::strong_actor_ptr>(gate),
                   std::set<std::string>{});
  });
}

caf::io::scribe_ptr gateway::adopt(std::shared_ptr<net::channel> x) {
  return static_cast<multiplexer&>(sys_.middleman().backend())
    .new_scribe(std::move(x));
}

void gateway::dial(const std::string& address, const membership_actor& asker) {
  port_->dial(address, [this, address, asker](std::shared_ptr<net::channel> x,
                                              const std::string& error) {
    if (x == nullptr)
      caf::anon_send(asker, dialed{address, nullptr, error});
    else
      sys_.spawn<caf::hidden>(shake_hands, basp_, adopt(std::move(x)), address,
                              asker);
  });
}

void gateway::close() {
  if (port_)
    port_->close();
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
