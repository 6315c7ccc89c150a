// Two processes and the link between them: how many events a second it carries,
// and how long a question and its answer take, beside CAF's own. Run by
// bench/link; the child process is this program again.

#include "actors/api/register.hpp"
#include "actors/api/type_ids.hpp"
#include "actors/api/wire.hpp"
#include "actors/membership/gateway.hpp"
#include "actors/membership/membership.hpp"
#include "actors/shard/coordinator.hpp"
#include "actors/shard/light_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/middleman.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace signalbox;
using clock_type = std::chrono::steady_clock;

namespace {

/// Where CAF's own connection is opened.
constexpr uint16_t caf_port = 8599;

constexpr uint64_t events = 2000000;
constexpr size_t questions = 2000;
constexpr size_t most_queued = 8 << 20;

double seconds_since(clock_type::time_point x) {
  return std::chrono::duration<double>(clock_type::now() - x).count();
}

double median(std::vector<double> xs) {
  std::sort(xs.begin(), xs.end());
  return xs.empty() ? 0 : xs[xs.size() / 2];
}

struct config : shard_config {
  config() {
    register_messages(*this);
  }
};

/// Takes what the other process sends and answers questions.
class sink : public light_actor {
public:
  using light_actor::light_actor;

  const char* name() const override {
    return "bench.sink";
  }

  mesh* others = nullptr;
  std::function<void(uint64_t)> on_acked;
  std::function<void()> on_answer;
  std::function<void()> on_peer;
  uint64_t received = 0;

protected:
  void receive(caf::mailbox_element& x) override {
    dispatch<wire::deliver, wire::command, wire::command_done, batches_acked,
             view_changed>(x, [this](auto& msg) { on(msg); });
  }

private:
  void on(wire::deliver&) {
    ++received;
  }

  void on(wire::command& x) {
    others->send(x.from,
                 wire::command_done{0, x.ticket, received, {}, {}, {}, 0});
  }

  void on(wire::command_done&) {
    if (on_answer)
      on_answer();
  }

  void on(batches_acked& x) {
    if (on_acked)
      on_acked(x.number);
  }

  void on(view_changed& x) {
    others->reattached(x.serial);
    if (x.nodes.size() > 1 && on_peer)
      on_peer();
  }
};

/// One node with nothing but its links.
struct bench_node {
  bench_node(uint16_t number, const std::string& folder) {
    opts.router.node = number;
    auto& c = opts.cluster;
    c.name = "bench";
    c.listen = "127.0.0.1:" + std::to_string(8590 + number);
    c.queue_bytes = size_t{1} << 30;
    if (number == 2)
      c.seeds = {"127.0.0.1:8591"};
    if (!folder.empty()) {
      auto at = folder + "/node" + std::to_string(number);
      c.certificate = at + ".pem";
      c.key = at + ".key";
      c.ca = folder + "/ca.pem";
    }
    cfg.loops.push_back(&loop);
    gateway::configure(cfg, c);
    system = std::make_unique<caf::actor_system>(cfg);
    auto& home = shards_of(*system).at(0);
    peers = std::make_unique<gateway>(*system, c);
    membership = spawn_membership(
      home, opts, count,
      [this](const auto& address, const auto& asker) {
        peers->dial(address, asker);
      },
      real_chance(), [this](const auto& process) { peers->cut(process); });
    std::tie(handle, to) = spawn_light<sink, caf::actor>(home);
    to->others = membership.local;
    auto error = peers->listen(caf::actor_cast<caf::actor>(membership.handle));
    if (!error.empty()) {
      std::fprintf(stderr, "cannot listen on %s: %s\n", c.listen.c_str(),
                   error.c_str());
      ::_exit(2);
    }
  }

  void start() {
    start_membership(membership, {handle, handle, {}, {}}, peers->address());
  }

  /// Runs something on the shard and waits for it.
  void on_shard(std::function<void()> fun) {
    std::promise<void> done;
    loop.post([&] {
      fun();
      done.set_value();
    });
    done.get_future().wait();
  }

  settings opts;
  counters count;
  net::loop loop{0};
  config cfg;
  std::unique_ptr<caf::actor_system> system;
  std::unique_ptr<gateway> peers;
  membership_ref membership;
  caf::actor handle;
  sink* to = nullptr;
};

/// CAF as it comes, with its own sockets; its actors run on a shard as well.
struct caf_node {
  caf_node() {
    cfg.loops.push_back(&loop);
    cfg.load<caf::io::middleman>();
    system = std::make_unique<caf::actor_system>(cfg);
  }

  net::loop loop{0};
  config cfg;
  std::unique_ptr<caf::actor_system> system;
};

caf::behavior echo(caf::event_based_actor*) {
  return {[](caf::get_atom x) { return x; }};
}

void serve(const std::string& folder) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  bench_node x{1, folder};
  x.start();
  caf_node own;
  auto port = own.system->middleman().publish(
    own.system->spawn<caf::hidden>(echo), caf_port, "127.0.0.1", true);
  std::printf("%s\n", port ? "ready" : "failed");
  std::fflush(stdout);
  for (;;)
    ::pause();
}

/// Events of 128 bytes, as fast as the link takes them. Returns how many a
/// second.
double push(bench_node& x) {
  wire::deliver event;
  event.nsp = "/";
  event.users = {"user1"};
  event.args = std::string(128, 'x');
  std::promise<void> done;
  uint64_t sent = 0;
  uint64_t last = 0;
  std::function<void()> more;
  x.to->on_acked = [&](uint64_t number) {
    if (sent == events && number >= last)
      done.set_value();
  };
  more = [&] {
    auto queued = x.membership.local->info().members.front().queue_bytes;
    for (size_t i = 0; i < 2000 && sent < events && queued < most_queued; ++i) {
      last = x.membership.local->send(1, event);
      ++sent;
    }
    // Keys are acknowledged at once, and everything before them.
    if (sent < events)
      x.loop.post(more);
    else
      last = x.membership.local->send(1, wire::keys{});
  };
  auto start = clock_type::now();
  x.loop.post(more);
  done.get_future().wait();
  auto took = seconds_since(start);
  x.on_shard([&] { x.to->on_acked = nullptr; });
  return static_cast<double>(events) / took;
}

/// One question at a time. Returns the median in microseconds.
double ask(bench_node& x) {
  std::vector<double> all;
  std::promise<void> done;
  clock_type::time_point asked;
  auto question = [&] {
    asked = clock_type::now();
    x.membership.local->send(1,
                             wire::command{0, 1, 0, false, {"u"}, {}, {}, {}});
  };
  x.to->on_answer = [&] {
    all.push_back(seconds_since(asked) * 1e6);
    if (all.size() < questions)
      question();
    else
      done.set_value();
  };
  x.on_shard(question);
  done.get_future().wait();
  x.on_shard([&] { x.to->on_answer = nullptr; });
  return median(all);
}

/// The same between two of CAF's own actors over CAF's own connection, both on
/// shards.
double ask_caf() {
  caf_node x;
  auto there = x.system->middleman().remote_actor("127.0.0.1", caf_port);
  if (!there)
    return 0;
  std::promise<double> done;
  auto result = done.get_future();
  struct state {
    std::vector<double> all;
    clock_type::time_point asked;
  };
  auto s = std::make_shared<state>();
  x.system->spawn<caf::hidden>(
    [&, s, to = *there](caf::event_based_actor* self) {
      auto next = std::make_shared<std::function<void()>>();
      *next = [=, &done] {
        s->asked = clock_type::now();
        self->request(to, std::chrono::seconds{5}, caf::get_atom::value)
          .then([=, &done](caf::get_atom) {
            s->all.push_back(seconds_since(s->asked) * 1e6);
            if (s->all.size() < questions) {
              (*next)();
            } else {
              done.set_value(median(s->all));
              *next = nullptr;
            }
          });
      };
      (*next)();
    });
  return result.get();
}

} // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  spdlog::set_level(spdlog::level::warn);
  std::string folder = argc > 2 ? argv[2] : "";
  if (argc > 1 && std::strcmp(argv[1], "serve") == 0) {
    serve(folder);
    return 0;
  }
  bench_node x{2, folder};
  std::promise<void> up;
  x.to->on_peer = [&] {
    x.to->on_peer = nullptr;
    up.set_value();
  };
  x.start();
  if (up.get_future().wait_for(std::chrono::seconds{10})
      != std::future_status::ready) {
    std::fprintf(stderr, "the other process did not come\n");
    ::_exit(2);
  }
  auto ours = ask(x);
  auto caf_own = ask_caf();
  auto rate = push(x);
  std::printf("{\"events_per_second\":%.0f,\"round_trip_us\":%.1f,"
              "\"caf_round_trip_us\":%.1f}\n",
              rate, ours, caf_own);
  std::fflush(stdout);
  ::_exit(0);
}
