#include "apps/router/node.hpp"

#include "actors/api/credentials.hpp"
#include "actors/api/register.hpp"
#include "apps/router/certificates.hpp"
#include "apps/router/listeners.hpp"
#include "apps/router/net_options.hpp"
#include "apps/router/rooms.hpp"

#include <caf/actor_system.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <ctime>
#include <future>
#include <memory>
#include <thread>
#include <vector>

namespace signalbox::app {

namespace {

/// How long the last actors may take to end.
constexpr auto patience = std::chrono::seconds{3};

/// How often a router that starts or ends looks whether it can go on.
constexpr auto look = std::chrono::milliseconds{5};

/// What the last answers get beyond the time that they may take.
constexpr auto farewell = std::chrono::seconds{1};

struct system_config : shard_config {
  system_config() {
    register_messages(*this);
  }
};

} // namespace

// What runs and in which order it starts and ends; the parts do the work.
struct node::impl {
  explicit impl(const settings& x)
    : opts(x), keys(x.ingest.keys, x.site_listener.namespaces) {
    // nop
  }

  // -- start ------------------------------------------------------------------

  std::string start(std::function<void()> failed) {
    auto error = ports.prepare();
    if (!error.empty())
      return error;
    std::shared_ptr<net::tls_context> tls;
    if (!opts.tls.certificate.empty()) {
      tls = make_tls(opts, error);
      if (tls == nullptr)
        return "tls." + error;
    }
    auto site_tls = net::tls_context::client(opts.site.ca_file, error);
    if (site_tls == nullptr)
      return "site." + error;
    certificates.read(opts);
    start_system();
    inside.spawn(*system, std::move(site_tls),
                 [this, failed = std::move(failed)](const std::string& what) {
                   // First: there may be no memory for words.
                   failed();
                   fail(what);
                 });
    error = ports.open(config.loops, inside, [this] { return read(); });
    if (error.empty() && inside.clustered())
      error = inside.join([this] { drain(); });
    if (error.empty()) {
      wait_for_others();
      error = ports.serve(std::move(tls));
    }
    ready = error.empty();
    return error;
  }

  /// A node that is linked to no other yet would not know their sessions, and
  /// no user as online. Those that start first wait for each other in vain.
  void wait_for_others() {
    auto until =
      std::chrono::steady_clock::now() + opts.cluster.request_timeout;
    while (!inside.joined(*loops.front())
           && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(look);
  }

  /// Starts the event loops, and CAF on them.
  void start_system() {
    auto threads = opts.router.threads;
    if (threads == 0)
      threads = std::max(1u, std::thread::hardware_concurrency());
    for (size_t i = 0; i < threads; ++i) {
      loops.push_back(std::make_unique<net::loop>(i));
      config.loops.push_back(loops.back().get());
    }
    if (inside.clustered())
      gateway::configure(config, opts.cluster);
    system = std::make_unique<caf::actor_system>(config);
    if (opts.router.io_uring)
      for (auto& each : loops)
        open_ring(*each);
  }

  // -- life -------------------------------------------------------------------

  all_counters read() const {
    all_counters out{count,
                     ports.connections(),
                     ports.requests(),
                     ports.sessions(),
                     ports.clients(),
                     ports.memory(),
                     ports.most(),
                     ready && !draining,
                     draining,
                     {},
                     nullptr,
                     nullptr,
                     {}};
    // All of it lives on the first loop, as the listener that asks does.
    out.trouble = trouble;
    if (inside.membership() != nullptr) {
      out.cluster = inside.membership()->info();
      if (trouble.empty())
        out.trouble = out.cluster->conflict;
    }
    out.ready = out.ready && out.trouble.empty();
    if (inside.clustered()) {
      out.tunnels = &ports.tunnels();
      out.peer_port = &inside.peers()->counters();
    }
    out.certificates = certificates.ends();
    return out;
  }

  /// A part has ended. On the first loop.
  void fail(const std::string& what) {
    trouble = what;
    spdlog::critical("{}; the router cannot go on without it, drains and ends "
                     "with code 1, to be started anew",
                     what);
  }

  void drain() {
    draining = true;
    ports.drain(static_cast<int64_t>(opts.router.drain_seconds) * 1000);
  }

  // -- end --------------------------------------------------------------------

  /// Returns when every loop has run the calls posted so far.
  void settle() {
    for (auto& each : loops) {
      auto done = std::make_shared<std::promise<void>>();
      each->post([done] { done->set_value(); });
      done->get_future().wait_for(patience);
    }
  }

  /// Has what is under way answered, and leaves to other nodes what they need
  /// of this one.
  void finish() {
    ports.finish();
    if (!answered_within(opts.cluster.request_timeout)) {
      inside.end_confirms();
      answered_within(farewell);
    }
    inside.hand_over(*loops.front(),
                     std::chrono::seconds{opts.router.drain_seconds}
                       + opts.cluster.request_timeout + farewell);
  }

  /// Waits for the posts under way. Returns whether they were answered in time.
  bool answered_within(std::chrono::milliseconds time) const {
    auto until = std::chrono::steady_clock::now() + time;
    while (!ports.finished() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(look);
    return ports.finished();
  }

  void stop() {
    if (system == nullptr)
      return;
    finish();
    inside.release();
    ports.close();
    // What closing sets off takes a turn or two.
    for (auto i = 0; i < 3; ++i)
      settle();
    inside.end(*loops.front(), [this] { settle(); });
    ports.end();
    settle();
    settle();
    inside.clear();
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
    ports.clear();
  }

  const settings& opts;
  credentials keys;
  counters count;
  certificate_watch certificates;
  std::atomic<bool> ready{false};
  std::atomic<bool> draining{false};
  /// What has failed; on the first loop.
  std::string trouble;
  rooms inside{opts, keys, count};
  listeners ports{opts, count};
  std::vector<std::unique_ptr<net::loop>> loops;
  system_config config;
  std::unique_ptr<caf::actor_system> system;
};

node::node(const settings& opts) : impl_(std::make_unique<impl>(opts)) {
  // nop
}

node::~node() {
  stop();
}

std::string node::start(std::function<void()> failed) {
  return impl_->start(std::move(failed));
}

std::string node::addresses() const {
  auto out = "{" + impl_->ports.addresses();
  if (const auto* peers = impl_->inside.peers())
    out += ",\"cluster\":\"" + peers->address() + '"';
  return out + '}';
}

std::string node::reload() {
  const auto& x = impl_->opts.tls;
  if (x.certificate.empty())
    return {};
  std::string error;
  auto fresh = make_tls(impl_->opts, error);
  if (fresh != nullptr) {
    impl_->ports.set_tls(std::move(fresh));
    impl_->certificates.read_listener(impl_->opts);
  }
  return error;
}

void node::look_at_certificates() {
  impl_->certificates.look(std::time(nullptr));
}

void node::drain() {
  impl_->drain();
}

bool node::drained() const {
  return impl_->ports.drained();
}

void node::stop() {
  impl_->stop();
}

} // namespace signalbox::app
