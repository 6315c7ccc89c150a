#include "actors/api/log.hpp"
#include "apps/router/commands.hpp"
#include "apps/router/node.hpp"
#include "apps/router/version.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>

namespace signalbox::app {

namespace {

namespace asio = boost::asio;

/// How often a draining router looks whether it is done.
constexpr auto look = std::chrono::milliseconds{50};

/// What clients get beyond the drain time to finish their closing handshakes.
constexpr auto farewell = std::chrono::seconds{2};

class supervisor {
public:
  supervisor(const settings& opts, node& router)
    : opts_(opts), router_(router) {
    wait();
  }

  void run() {
    context_.run();
  }

private:
  void wait() {
    signals_.async_wait([this](auto ec, int number) {
      if (!ec)
        on_signal(number);
    });
  }

  void on_signal(int number) {
    if (number == SIGHUP) {
      auto error = router_.reload();
      if (error.empty())
        spdlog::info("certificate read anew");
      else
        spdlog::error("tls: {}; the old certificate stays in use", error);
    } else if (draining_) {
      spdlog::warn("second signal: leaving at once");
      spdlog::default_logger()->flush();
      ::_exit(0);
    } else {
      draining_ = true;
      spdlog::info("draining for up to {} s; a second signal ends at once",
                   opts_.router.drain_seconds);
      router_.drain();
      until_ = std::chrono::steady_clock::now()
               + std::chrono::seconds{opts_.router.drain_seconds} + farewell;
      check();
    }
    wait();
  }

  void check() {
    if (router_.drained() || std::chrono::steady_clock::now() > until_) {
      // Close frames and last answers are on their way.
      timer_.expires_after(look);
      timer_.async_wait([this](auto) { context_.stop(); });
      return;
    }
    timer_.expires_after(look);
    timer_.async_wait([this](auto) { check(); });
  }

  const settings& opts_;
  node& router_;
  asio::io_context context_;
  asio::signal_set signals_{context_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer timer_{context_};
  std::chrono::steady_clock::time_point until_;
  bool draining_ = false;
};

} // namespace

int serve(const settings& opts) {
  std::signal(SIGPIPE, SIG_IGN);
  node router{opts};
  // Before the threads start, so that all of them leave signals to us.
  supervisor signals{opts, router};
  auto error = router.start();
  if (!error.empty()) {
    spdlog::error("{}", error);
    return 1;
  }
  spdlog::info("signalbox {} is ready", version);
  std::cout << "ready " << router.addresses() << std::endl;
  signals.run();
  router.stop();
  spdlog::info("stopped");
  return 0;
}

} // namespace signalbox::app
