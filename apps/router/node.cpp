#include "apps/router/node.hpp"

#include "actors/api/credentials.hpp"
#include "actors/api/log.hpp"
#include "actors/api/register.hpp"
#include "actors/ingest/ingest.hpp"
#include "actors/membership/gateway.hpp"
#include "actors/membership/membership.hpp"
#include "actors/metrics/operations_service.hpp"
#include "actors/nsp/nsp.hpp"
#include "actors/presence/users.hpp"
#include "actors/relay/relay.hpp"
#include "actors/shard/coordinator.hpp"
#include "actors/site_auth/site_auth.hpp"
#include "actors/transport/api_service.hpp"
#include "actors/transport/session_link.hpp"
#include "actors/transport/tunnel_link.hpp"
#include "apps/router/net_options.hpp"
#include "apps/router/version.hpp"
#include "transports/net/engine_service.hpp"
#include "transports/net/server.hpp"
#include "transports/net/site_guard.hpp"

#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <future>
#include <list>
#include <thread>

namespace signalbox::app {

namespace {

/// Descriptors kept for listeners, the site's API, logs and the like.
constexpr size_t reserved_files = 200;

/// Connections that only the site and the operators may have, beside those
/// that they share with the browsers.
constexpr size_t inner_connections = 64;

/// How long the last actors may take to end.
constexpr auto patience = std::chrono::seconds{3};

/// A refused Origin is reported once per so many milliseconds.
constexpr int64_t report_interval = 1000;

struct system_config : shard_config {
  system_config() {
    register_messages(*this);
  }
};

/// Raises the limit on open files to what the system allows. Returns it.
size_t raise_file_limit() {
  rlimit x{};
  ::getrlimit(RLIMIT_NOFILE, &x);
  x.rlim_cur = x.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &x);
  ::getrlimit(RLIMIT_NOFILE, &x);
  return x.rlim_cur;
}

} // namespace

struct node::impl {
  explicit impl(const settings& x)
    : opts(x), keys(x.ingest.keys, x.site_listener.namespaces),
      addresses(x.limits.per_ip, x.limits.per_ip_rate, x.limits.count_loopback),
      origins(x.origin.allow, x.origin.require) {
    // nop
  }

  // -- start ------------------------------------------------------------------

  std::string start() {
    auto threads = opts.router.threads;
    if (threads == 0)
      threads = std::max(1u, std::thread::hardware_concurrency());
    for (size_t i = 0; i < threads; ++i)
      loops.push_back(std::make_unique<net::loop>(i));
    set_limits();
    std::string error;
    files =
      std::make_unique<net::client_files>(opts.engine.client_files, error);
    if (!error.empty())
      return "engine.client-files: " + error
             + "; install the npm package socket.io-client and name its dist "
               "folder, or leave the setting empty";
    std::shared_ptr<net::tls_context> tls;
    if (!opts.tls.certificate.empty()) {
      tls = net::tls_context::server(opts.tls.certificate, opts.tls.key, error);
      if (tls == nullptr)
        return "tls: " + error;
    }
    auto site_tls = net::tls_context::client(opts.site.ca_file, error);
    if (site_tls == nullptr)
      return "site.ca-file: " + error;
    for (auto& each : loops)
      config.loops.push_back(each.get());
    if (clustered())
      gateway::configure(config, opts.cluster);
    system = std::make_unique<caf::actor_system>(config);
    if (opts.router.io_uring)
      for (auto& each : loops)
        open_ring(*each);
    spawn_actors(std::move(site_tls));
    return listen(std::move(tls));
  }

  void set_limits() {
    auto allowed = raise_file_limit();
    auto most =
      allowed > 2 * reserved_files ? allowed - reserved_files : allowed / 2;
    if (opts.limits.connections != 0)
      most = std::min(most, opts.limits.connections);
    spdlog::info("{} open files allowed: up to {} connections", allowed, most);
    limits.http = http_limits_of(opts);
    limits.connections = most;
    limits.addresses = &addresses;
    limits.counters = &net_count;
    limits.trusted_proxies = opts.proxy.trusted_proxies;
    // However many browsers come, the site and the operators get through.
    inner_limits = limits;
    inner_limits.connections +=
      std::min(inner_connections, (allowed - most) / 2);
    fill_engine_options(opts, engine);
    engine.census = &clients;
    engine.session.count = &session_count;
    engine.on_origin_refused = [this](auto origin, auto host) {
      report_origin(origin, host);
    };
    // Publishers come as they are and say whose address they have themselves.
    site_limits = inner_limits;
    site_limits.trusted_proxies.clear();
    site_limits.bare_lf = true;
    site_engine = engine;
    site_engine.site = true;
    site_engine.jsonp = {};
  }

  void spawn_actors(std::shared_ptr<net::tls_context> site_tls) {
    auto& shards = shards_of(*system);
    std::vector<shard*> all;
    for (size_t i = 0; i < shards.size(); ++i)
      all.push_back(&shards.at(i));
    // Everything an event passes before it fans out lives on one shard; the
    // order of events rests on that.
    auto& control = *all.front();
    std::map<std::string, nsp_actor> nsp_handles;
    for (const auto& each : opts.namespaces) {
      nsps.push_back(
        spawn_nsp(control, all, each.name, count, opts.limits.rooms));
      const auto& x = nsps.back();
      nsp_handles[each.name] = x.handle;
      auto& place = shared.namespaces[each.name];
      place.opts = each;
      for (const auto& hub : x.hubs)
        place.hubs.push_back(hub.local);
    }
    shared.users = spawn_users(control, nsp_handles, opts.presence, count);
    shared.site_auth =
      spawn_site_auth(control, opts, std::move(site_tls), count);
    // Alone, INGEST speaks to USERS and the NSPs itself.
    auto to_users = shared.users;
    if (clustered()) {
      peers = std::make_unique<gateway>(*system, opts.cluster);
      membership = spawn_membership(
        control, opts, count,
        [this](const auto& address, const auto& asker) {
          peers->dial(address, asker);
        },
        real_chance(), [this](const auto& process) { peers->cut(process); });
      relay = spawn_relay(control, opts, *membership.local, shared.users,
                          nsp_handles, count);
      set_mesh(shared.users, *membership.local, relay.self);
      to_users = relay.users;
    }
    shared.ingest =
      spawn_ingest(control, opts, keys, to_users, std::move(nsp_handles),
                   relay.events, net::random_id().substr(0, 8) + "-", count);
    shared.acks = clustered() ? relay.ingest : shared.ingest;
    set_ingest(shared.users, shared.acks);
    for (const auto& each : nsps)
      set_ingest(each, shared.acks);
    if (clustered())
      set_ingest(relay, shared.ingest);
    shared.make_id = net::random_id;
    link = std::make_unique<session_link>(all, shared);
  }

  bool clustered() const noexcept {
    return !opts.cluster.name.empty();
  }

  std::unique_ptr<net::session_ids> make_ids(const char* listener,
                                             size_t shards) const {
    auto number = static_cast<uint16_t>(opts.router.node);
    if (!clustered())
      return std::make_unique<net::session_ids>(number, shards);
    return std::make_unique<net::session_ids>(number, shards,
                                              opts.cluster.sid_key, listener);
  }

  /// Opens the port for the other nodes and begins to look for them.
  std::string join() {
    if (!clustered())
      return {};
    auto error = peers->listen(caf::actor_cast<caf::actor>(membership.handle));
    if (!error.empty())
      return "cannot listen on " + opts.cluster.listen + ": " + error
             + "; choose another address with --cluster.listen=HOST:PORT, or "
               "mend the file";
    start_membership(membership,
                     {caf::actor_cast<caf::actor>(shared.users), relay.self,
                      carrier->actor(), [this] { drain(); }},
                     opts.cluster.advertise.empty() ? peers->address()
                                                    : opts.cluster.advertise);
    return {};
  }

  std::string listen(std::shared_ptr<net::tls_context> tls) {
    std::vector<net::loop*> every;
    for (auto& each : loops)
      every.push_back(each.get());
    public_ids = make_ids("public", every.size());
    ingest_ids = make_ids("ingest", 1);
    site_ids = make_ids("site", 1);
    if (clustered()) {
      carrier = std::make_unique<tunnel_link>(shards_of(*system).at(0), count);
      ways = std::make_unique<net::tunnels>(every, *carrier, limits.connections,
                                            tunnel_count);
      carrier->start(*membership.local, *ways);
      engine.away = ways.get();
      site_engine.away = ways.get();
    }
    auto make_engine = [this](net::loop& home, const net::session_ids& ids,
                              const net::engine_options& with) {
      auto x = std::make_unique<net::engine_service>(
        home, with, ids, origins, *files, engine_count, *link);
      engines.push_back({&home, x.get()});
      return x;
    };
    public_server = std::make_unique<net::server>(
      every, limits,
      [&](net::loop& home) -> std::unique_ptr<net::http_service> {
        return make_engine(home, *public_ids, engine);
      });
    auto& control = shards_of(*system).at(0);
    std::vector<net::loop*> first{every.front()};
    ingest_server =
      std::make_unique<net::server>(first, inner_limits, [&](net::loop& home) {
        return make_api_service(control, shared.ingest, opts.ingest.max_body,
                                make_engine(home, *ingest_ids, engine), count);
      });
    const auto& site = opts.listen.site;
    if (!site.empty())
      site_server =
        std::make_unique<net::server>(first, site_limits, [&](net::loop& home) {
          return net::make_site_guard(
            make_engine(home, *site_ids, site_engine),
            {opts.site_listener.allow, opts.site_listener.hosts});
        });
    operations_server =
      std::make_unique<net::server>(first, inner_limits, [this](net::loop&) {
        cluster_actions actions;
        if (clustered())
          actions = {[] { ::kill(::getpid(), SIGTERM); },
                     [x = membership.local](uint16_t number) {
                       return x->drain(number);
                     }};
        return make_operations_service(
          [this] { return read(); }, std::string{version}, std::move(actions));
      });
    if (ways != nullptr) {
      ways->add(0, *public_server, *public_ids);
      ways->add(1, *ingest_server, *ingest_ids);
      if (site_server != nullptr)
        ways->add(2, *site_server, *site_ids);
    }
    auto bind = [](const char* name, net::server& x, const std::string& at,
                   std::shared_ptr<net::tls_context> with) -> std::string {
      auto error = x.listen(at, std::move(with));
      if (error.empty())
        return {};
      return std::string{"cannot listen on "} + at + ": " + error
             + "; choose another address with --listen." + name
             + "=HOST:PORT, or stop what uses this one";
    };
    auto error =
      bind("operations", *operations_server, opts.listen.operations, nullptr);
    if (error.empty())
      error = bind("ingest", *ingest_server, opts.listen.ingest, nullptr);
    if (error.empty() && site_server != nullptr)
      error = bind("site", *site_server, site, nullptr);
    if (error.empty())
      error =
        bind("public", *public_server, opts.listen.public_, std::move(tls));
    if (error.empty())
      error = join();
    ready = error.empty();
    return error;
  }

  // -- life -------------------------------------------------------------------

  all_counters read() const {
    all_counters out{
      count,   net_count,          engine_count,       session_count,
      clients, limits.connections, ready && !draining, draining,
      {}};
    // Both live on the first loop.
    if (membership.local != nullptr)
      out.cluster = membership.local->info();
    if (clustered()) {
      out.tunnels = &tunnel_count;
      out.peer_port = &peers->counters();
    }
    return out;
  }

  void report_origin(std::string_view origin, std::string_view host) {
    auto now = net::loop::clock();
    auto last = origin_reported.load();
    if (now - last < report_interval
        || !origin_reported.compare_exchange_strong(last, now))
      return;
    spdlog::warn("refused a request with Origin \"{}\" to host \"{}\"; to "
                 "admit it, add it to origin.allow",
                 printable(origin), printable(host));
  }

  void drain() {
    draining = true;
    auto spread = static_cast<int64_t>(opts.router.drain_seconds) * 1000;
    for (auto& [home, each] : engines)
      home->post([x = each, spread] { x->drain(spread); });
  }

  /// Returns when every loop has done what it was given so far.
  void settle() {
    for (auto& each : loops) {
      auto done = std::make_shared<std::promise<void>>();
      each->post([done] { done->set_value(); });
      done->get_future().wait_for(patience);
    }
  }

  void stop() {
    if (system == nullptr)
      return;
    if (ways != nullptr)
      ways->close_all();
    for (auto* each : {public_server.get(), ingest_server.get(),
                       site_server.get(), operations_server.get()}) {
      if (each == nullptr)
        continue;
      each->stop_accepting();
      each->close_all();
    }
    for (auto& [home, each] : engines)
      home->post([x = each] { x->close_all(); });
    // What closing sets off takes a turn or two.
    for (auto i = 0; i < 3; ++i)
      settle();
    for (const auto& each : nsps)
      caf::anon_send_exit(each.handle, caf::exit_reason::user_shutdown);
    if (membership.local != nullptr) {
      loops.front()->post([x = membership.local] { x->leave(); });
      settle();
      settle();
      carrier->stop();
      settle();
      peers->close();
      caf::anon_send_exit(membership.handle, caf::exit_reason::user_shutdown);
      caf::anon_send_exit(relay.self, caf::exit_reason::user_shutdown);
    }
    caf::anon_send_exit(shared.ingest, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(shared.users, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(shared.site_auth, caf::exit_reason::user_shutdown);
    public_server.reset();
    ingest_server.reset();
    site_server.reset();
    operations_server.reset();
    settle();
    settle();
    nsps.clear();
    membership = {};
    relay = {};
    peers.reset();
    shared.acks = nullptr;
    shared.ingest = nullptr;
    shared.users = nullptr;
    shared.site_auth = nullptr;
    auto until = std::chrono::steady_clock::now() + patience;
    while (system->registry().running() > 0
           && std::chrono::steady_clock::now() < until)
      settle();
    if (auto left = system->registry().running(); left > 0) {
      // Waiting for them in the destructor could take for ever.
      spdlog::error("{} actors did not end; leaving without them", left);
      spdlog::default_logger()->flush();
      ::_exit(1);
    }
    system.reset();
  }

  const settings& opts;
  credentials keys;
  counters count;
  net::net_counters net_count;
  net::engine_counters engine_count;
  session::counters session_count;
  net::address_limiter addresses;
  net::origin_policy origins;
  net::shared_limits limits;
  net::shared_limits inner_limits;
  net::shared_limits site_limits;
  net::client_census clients;
  net::engine_options engine;
  net::engine_options site_engine;
  std::unique_ptr<net::client_files> files;
  std::unique_ptr<net::session_ids> public_ids;
  std::unique_ptr<net::session_ids> ingest_ids;
  std::unique_ptr<net::session_ids> site_ids;
  std::atomic<int64_t> origin_reported{0};
  std::atomic<bool> ready{false};
  std::atomic<bool> draining{false};
  net::tunnel_counters tunnel_count;
  std::unique_ptr<tunnel_link> carrier;
  std::vector<std::unique_ptr<net::loop>> loops;
  std::unique_ptr<net::tunnels> ways;
  connection_context shared{opts, keys, count, {}, {}, {}, {}, {}, {}};
  membership_ref membership;
  relay_ref relay;
  std::unique_ptr<gateway> peers;
  std::unique_ptr<session_link> link;
  std::vector<std::pair<net::loop*, net::engine_service*>> engines;
  system_config config;
  std::unique_ptr<caf::actor_system> system;
  std::vector<nsp_ref> nsps;
  std::unique_ptr<net::server> public_server;
  std::unique_ptr<net::server> ingest_server;
  std::unique_ptr<net::server> site_server;
  std::unique_ptr<net::server> operations_server;
};

node::node(const settings& opts) : impl_(std::make_unique<impl>(opts)) {
  // nop
}

node::~node() {
  stop();
}

std::string node::start() {
  return impl_->start();
}

std::string node::addresses() const {
  auto out = "{\"public\":\"" + impl_->public_server->address()
             + "\",\"ingest\":\"" + impl_->ingest_server->address()
             + "\",\"operations\":\"" + impl_->operations_server->address();
  if (impl_->site_server != nullptr)
    out += "\",\"site\":\"" + impl_->site_server->address();
  if (impl_->peers != nullptr)
    out += "\",\"cluster\":\"" + impl_->peers->address();
  return out + "\"}";
}

std::string node::reload() {
  const auto& x = impl_->opts.tls;
  if (x.certificate.empty())
    return {};
  std::string error;
  auto fresh = net::tls_context::server(x.certificate, x.key, error);
  if (fresh != nullptr)
    impl_->public_server->set_tls(std::move(fresh));
  return error;
}

void node::drain() {
  impl_->drain();
}

bool node::drained() const {
  return impl_->engine_count.sessions == 0;
}

void node::stop() {
  impl_->stop();
}

} // namespace signalbox::app
