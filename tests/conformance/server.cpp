#include "transports/net/server.hpp"

#include "tests/conformance/echo.hpp"
#include "transports/net/engine_service.hpp"

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

// The server that the official suites want to talk to, made of the router's
// transports alone: Engine.IO messages come back at /engine.io/, Socket.IO
// events at /socket.io/. See echo.hpp for what it answers.

namespace {

using namespace signalbox;
using namespace std::chrono_literals;

constexpr session::time_point connect_timeout = 1000;

/// What the services of one path share.
struct site {
  site(std::string path, bool raw, session::acceptor& app, size_t shards)
    : ids(0, shards), accept(app) {
    opts.path = std::move(path);
    opts.session.raw = raw;
    opts.session.ping_interval = 300ms;
    opts.session.ping_timeout = 200ms;
    opts.session.count = &sessions;
    opts.websocket.messages.message = opts.session.max_payload;
  }

  std::unique_ptr<net::engine_service> serve(net::loop& home,
                                             const net::origin_policy& origins,
                                             const net::client_files& files) {
    return std::make_unique<net::engine_service>(home, opts, ids, origins,
                                                 files, counters, accept);
  }

  session::counters sessions;
  net::engine_counters counters;
  net::engine_options opts;
  net::session_ids ids;
  session::acceptor& accept;
};

/// Lets the path decide which of two services answers.
class fork : public net::http_service {
public:
  using service_ptr = std::unique_ptr<net::engine_service>;

  fork(service_ptr engine, service_ptr socket)
    : engine_(std::move(engine)), socket_(std::move(socket)) {
    // nop
  }

  size_t on_header(const std::shared_ptr<net::http_connection>& from) override {
    return at(from->request()).on_header(from);
  }

  void on_request(const std::shared_ptr<net::http_connection>& from) override {
    at(from->request()).on_request(from);
  }

  void on_too_large(net::http_connection& from) override {
    at(from.request()).on_too_large(from);
  }

  void on_abort(net::http_connection& from) override {
    at(from.request()).on_abort(from);
  }

  std::string error_headers(const net::http_request& x) override {
    return at(x).error_headers(x);
  }

private:
  net::engine_service& at(const net::http_request& x) {
    return x.path.starts_with("/engine.io/") ? *engine_ : *socket_;
  }

  service_ptr engine_;
  service_ptr socket_;
};

int serve(unsigned port, const sigset_t& end) {
  // Two, so that requests find their session on the other one.
  std::array<net::loop, 2> loops{net::loop{0}, net::loop{1}};
  std::vector<net::loop*> all{&loops[0], &loops[1]};
  conformance::engine_echo engine_app;
  conformance::socket_echo socket_app{all, connect_timeout};
  site engine{"/engine.io/", true, engine_app, all.size()};
  site socket{"/socket.io/", false, socket_app, all.size()};
  net::origin_policy origins{{"*"}, false};
  std::string error;
  net::client_files files{{}, error};
  net::net_counters counters;
  net::address_limiter addresses{1000, 1000, false};
  net::shared_limits limits;
  limits.addresses = &addresses;
  limits.counters = &counters;
  net::server server{all, limits, [&](net::loop& home) {
                       return std::make_unique<fork>(
                         engine.serve(home, origins, files),
                         socket.serve(home, origins, files));
                     }};
  // Clients say localhost, which may be either address.
  auto text = std::to_string(port);
  error = server.listen("[::]:" + text, nullptr);
  if (!error.empty())
    error = server.listen("127.0.0.1:" + text, nullptr);
  if (!error.empty()) {
    std::fprintf(stderr, "port %u: %s\n", port, error.c_str());
    return 1;
  }
  auto bound = server.address();
  std::printf("ready {\"public\":\"127.0.0.1%s\"}\n",
              bound.substr(bound.rfind(':')).c_str());
  std::fflush(stdout);
  std::array<std::thread, 2> threads;
  for (size_t i = 0; i < loops.size(); ++i)
    threads[i] = std::thread{[&loops, i] { loops[i].run(); }};
  int signal = 0;
  sigwait(&end, &signal);
  for (auto& each : loops)
    each.stop();
  for (auto& each : threads)
    each.join();
  // Connections that are open still refer to everything above.
  std::_Exit(0);
}

} // namespace

int main(int argc, char** argv) {
  unsigned port = 0;
  for (int i = 1; i + 1 < argc; ++i)
    if (std::strcmp(argv[i], "--port") == 0)
      std::from_chars(argv[i + 1], argv[i + 1] + std::strlen(argv[i + 1]),
                      port);
  // Blocked before there are threads, so that only `sigwait` sees them.
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);
  return serve(port, end);
}
