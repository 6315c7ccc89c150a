#include "apps/router/listeners.hpp"

#include "actors/transport/api_service.hpp"
#include "apps/router/net_options.hpp"
#include "apps/router/version.hpp"
#include "transports/net/memory_use.hpp"
#include "transports/net/operations_guard.hpp"
#include "transports/net/session_ids.hpp"
#include "transports/net/site_guard.hpp"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace signalbox::app {

namespace {

/// Descriptors kept for listeners, the site's API, logs and the like.
constexpr size_t reserved_files = 200;

/// Connections that only the site and the operators may have, beside those
/// that they share with the browsers.
constexpr size_t inner_connections = 64;

/// How long a router that ends goes on reading from idle connections.
constexpr auto last_words = std::chrono::milliseconds{50};

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

listeners::listeners(const settings& opts, counters& count)
  : opts_(opts), count_(count),
    addresses_(opts.limits.per_ip, opts.limits.per_ip_rate,
               opts.limits.count_loopback, opts.limits.sessions_per_ip),
    origins_(opts.origin.allow, opts.origin.require), notices_(opts) {
  count_.memory_full = &memory_count_.full;
}

// -- start --------------------------------------------------------------------

std::string listeners::prepare() {
  set_limits();
  std::string error;
  files_ =
    std::make_unique<net::client_files>(opts_.engine.client_files, error);
  if (!error.empty())
    return "engine.client-files: " + error
           + "; install the npm package socket.io-client and name its dist "
             "folder, or leave the setting empty";
  return {};
}

void listeners::set_limits() {
  auto allowed = raise_file_limit();
  auto most =
    allowed > 2 * reserved_files ? allowed - reserved_files : allowed / 2;
  if (opts_.limits.connections != 0)
    most = std::min(most, opts_.limits.connections);
  spdlog::info("{} open files allowed: up to {} connections", allowed, most);
  fill_limits(opts_, limits_);
  limits_.connections = most;
  limits_.addresses = &addresses_;
  limits_.counters = &net_count_;
  limits_.memory = &memory_count_;
  limits_.on_notice = [this](auto what, auto about) {
    notices_.report(what, about);
  };
  // However many browsers come, the site and the operators get through.
  inner_limits_ = limits_;
  inner_limits_.connections +=
    std::min(inner_connections, (allowed - most) / 2);
  fill_engine_options(opts_, engine_);
  engine_.most_sessions = most_sessions(opts_, most);
  engine_.census = &clients_;
  engine_.session.count = &session_count_;
  engine_.on_page_refused = [this](const auto& x) { notices_.report(x); };
  engine_.on_notice = [this](auto what, auto about) {
    notices_.report(what, about);
  };
  // Publishers come as they are and say whose address they have themselves.
  site_limits_ = inner_limits_;
  site_limits_.trusted_proxies = {};
  site_limits_.proxy_protocol = false;
  site_limits_.bare_lf = true;
  site_engine_ = engine_;
  site_engine_.site = true;
  site_engine_.jsonp = {};
  // One publisher may have a session for each of its posts.
  ingest_engine_ = engine_;
  engine_.addresses = &addresses_;
}

std::string listeners::open(const std::vector<net::loop*>& loops, rooms& inside,
                            std::function<all_counters()> read) {
  public_ids_ = make_ids("public", loops.size());
  ingest_ids_ = make_ids("ingest", 1);
  site_ids_ = make_ids("site", 1);
  if (inside.clustered())
    open_tunnels(loops, inside);
  make_servers(loops, inside, read);
  if (ways_ != nullptr)
    name_to_tunnels();
  watch_memory(loops);
  return bind("operations", *operations_, opts_.listen.operations, nullptr);
}

std::unique_ptr<net::session_ids> listeners::make_ids(const char* listener,
                                                      size_t shards) const {
  auto number = static_cast<uint16_t>(opts_.router.node);
  if (opts_.cluster.name.empty())
    return std::make_unique<net::session_ids>(number, shards);
  return std::make_unique<net::session_ids>(number, shards,
                                            opts_.cluster.sid_key, listener);
}

void listeners::open_tunnels(const std::vector<net::loop*>& loops,
                             rooms& inside) {
  ways_ = std::make_unique<net::tunnels>(
    loops, *inside.carrier(), limits_.connections,
    opts_.cluster.queue_bytes / 2, tunnel_count_);
  inside.carrier()->start(*inside.membership(), *ways_);
  engine_.away = ways_.get();
  ingest_engine_.away = ways_.get();
  site_engine_.away = ways_.get();
}

void listeners::make_servers(const std::vector<net::loop*>& loops,
                             rooms& inside,
                             const std::function<all_counters()>& read) {
  auto make_engine = [this, &inside](net::loop& home,
                                     const net::session_ids& ids,
                                     const net::engine_options& with) {
    auto x = std::make_unique<net::engine_service>(
      home, with, ids, origins_, *files_, engine_count_, inside.sessions());
    engines_.push_back({&home, x.get()});
    return x;
  };
  public_ = std::make_unique<net::server>(
    loops, limits_, [&](net::loop& home) -> std::unique_ptr<net::http_service> {
      return make_engine(home, *public_ids_, engine_);
    });
  std::vector<net::loop*> first{loops.front()};
  ingest_ =
    std::make_unique<net::server>(first, inner_limits_, [&](net::loop& home) {
      return make_api_service(inside.add_transport(), opts_.ingest.max_body,
                              make_engine(home, *ingest_ids_, ingest_engine_));
    });
  if (!opts_.listen.site.empty())
    site_ =
      std::make_unique<net::server>(first, site_limits_, [&](net::loop& home) {
        return net::make_site_guard(
          make_engine(home, *site_ids_, site_engine_),
          {opts_.site_listener.allow, opts_.site_listener.hosts});
      });
  operations_ =
    std::make_unique<net::server>(first, inner_limits_, [&](net::loop&) {
      cluster_actions actions;
      if (inside.clustered())
        actions = {[] { ::kill(::getpid(), SIGTERM); },
                   [x = inside.membership()](uint16_t number) {
                     return x->drain(number);
                   }};
      return net::make_operations_guard(make_operations_service(
                                          read, std::string{version},
                                          [this] { return ingest_->address(); },
                                          std::move(actions)),
                                        opts_.operations.hosts);
    });
}

void listeners::name_to_tunnels() {
  ways_->add(0, *public_, *public_ids_);
  ways_->add(1, *ingest_, *ingest_ids_);
  if (site_ != nullptr)
    ways_->add(2, *site_, *site_ids_);
}

void listeners::watch_memory(const std::vector<net::loop*>& loops) {
  net::memory_use use;
  auto limit = opts_.limits.memory;
  if (limit == 0)
    limit = use.given() / 5 * 4;
  spdlog::info("up to {} MiB of memory", limit >> 20);
  memory_ = std::make_unique<net::memory_guard>(
    limit, [use] { return use.used(); }, memory_count_);
  for (auto* each : loops)
    memory_->add(*each, [this, each](auto& to) { collect(*each, to); });
  memory_->start();
}

/// Adds all clients of a loop for which something waits.
void listeners::collect(const net::loop& home,
                        std::vector<net::memory_holder>& to) const {
  net::session_list all;
  for (const auto& [at, each] : engines_)
    if (at == &home)
      each->collect(all);
  for (auto& weak : all)
    if (auto x = weak.lock(); x && x->queue().bytes() > 0)
      to.push_back({x->queue().bytes(), [weak] {
                      if (auto self = weak.lock())
                        self->close(session::close_reason::slow);
                    }});
  for (const auto* each : {public_.get(), ingest_.get(), site_.get()})
    if (each != nullptr)
      each->collect(home, to);
}

std::string listeners::serve(std::shared_ptr<net::tls_context> tls) {
  const auto& at = opts_.listen;
  auto error = bind("ingest", *ingest_, at.ingest, nullptr);
  if (error.empty() && site_ != nullptr)
    error = bind("site", *site_, at.site, nullptr);
  if (error.empty())
    error = bind("public", *public_, at.public_, std::move(tls));
  return error;
}

std::string listeners::bind(const char* name, net::server& x,
                            const std::string& at,
                            std::shared_ptr<net::tls_context> tls) {
  auto error = x.listen(at, std::move(tls));
  if (error.empty())
    return {};
  return "cannot listen on " + at + ": " + error
         + "; choose another address with --listen." + name
         + "=HOST:PORT, or stop what uses this one";
}

// -- life ---------------------------------------------------------------------

std::string listeners::addresses() const {
  auto out = "\"public\":\"" + public_->address() + "\",\"ingest\":\""
             + ingest_->address() + "\",\"operations\":\""
             + operations_->address() + '"';
  if (site_ != nullptr)
    out += ",\"site\":\"" + site_->address() + '"';
  return out;
}

void listeners::set_tls(std::shared_ptr<net::tls_context> x) {
  public_->set_tls(std::move(x));
}

void listeners::drain(int64_t spread) {
  // Clients come to other nodes by new connections only.
  public_->retire();
  for (auto& [home, each] : engines_)
    home->post([x = each, spread] { x->drain(spread); });
  if (ways_ != nullptr)
    ways_->retire(spread);
}

bool listeners::drained() const {
  return engine_count_.sessions == 0 && (ways_ == nullptr || ways_->retired());
}

// -- end ----------------------------------------------------------------------

void listeners::finish() {
  if (ingest_ == nullptr)
    return;
  for (auto* each : {ingest_.get(), public_.get()}) {
    each->retire();
    each->stop_accepting();
  }
  // Requests that arrive meanwhile are answered.
  std::this_thread::sleep_for(last_words);
  for (auto* each : {ingest_.get(), public_.get()})
    each->drain();
  if (ways_ != nullptr)
    ways_->release_all();
}

bool listeners::finished() const {
  return ingest_ == nullptr
         || (ingest_->open() == 0
             // Clients have other nodes to go to.
             && (ways_ == nullptr
                 || (tunnel_count_.away == 0 && public_->open() == 0)));
}

void listeners::close() {
  if (memory_ != nullptr)
    memory_->stop();
  if (ways_ != nullptr)
    ways_->close_all();
  for (auto* each :
       {public_.get(), ingest_.get(), site_.get(), operations_.get()}) {
    if (each == nullptr)
      continue;
    each->stop_accepting();
    each->close_all();
  }
  for (auto& [home, each] : engines_)
    home->post([x = each] { x->close_all(); });
}

void listeners::end() {
  public_.reset();
  ingest_.reset();
  site_.reset();
  operations_.reset();
}

void listeners::clear() {
  ways_.reset();
}

} // namespace signalbox::app
