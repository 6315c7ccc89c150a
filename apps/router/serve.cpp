#include "actors/api/log.hpp"
#include "apps/router/changes.hpp"
#include "apps/router/commands.hpp"
#include "apps/router/node.hpp"
#include "apps/router/options.hpp"
#include "apps/router/version.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
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

/// How often the ends of certificates are looked at.
constexpr auto certificate_interval = std::chrono::hours{1};

/// Files that are read at the start only.
std::string files_of_the_start(const settings& x) {
  std::string out;
  auto add = [&out](const std::string& value, const char* name) {
    if (!value.empty())
      out += (out.empty() ? "" : ", ") + std::string{name};
  };
  add(x.site.ca_file, "site.ca-file");
  if (!x.cluster.name.empty()) {
    add(x.cluster.certificate, "cluster.certificate");
    add(x.cluster.key, "cluster.key");
    add(x.cluster.ca, "cluster.ca");
  }
  add(x.engine.client_files, "engine.client-files");
  return out;
}

volatile std::sig_atomic_t exit_code = 0;

extern "C" void leave_at_once(int) {
  ::_exit(exit_code);
}

/// What happens to the running process from outside, and when it is over.
class life {
public:
  life(const settings& opts, const command_line& line, node& router)
    : opts_(opts), line_(line), router_(router) {
    wait();
  }

  /// Returns the exit code of the process once the router has drained.
  int run() {
    look_at_certificates();
    context_.run();
    exit_code = failed_ ? 1 : 0;
    // The end takes a while too, and this thread sees to it.
    for (auto each : {SIGTERM, SIGINT})
      std::signal(each, leave_at_once);
    std::signal(SIGHUP, SIG_IGN);
    return exit_code;
  }

  /// The router has failed and ends, at once if there is not even memory for
  /// this. From any thread.
  void fail() noexcept {
    asio::post(context_, [this] {
      failed_ = true;
      if (!draining_)
        drain();
    });
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
      reload();
    } else if (draining_) {
      spdlog::warn("second signal: leaving at once");
      spdlog::default_logger()->flush();
      ::_exit(failed_ ? 1 : 0);
    } else {
      drain();
    }
    wait();
  }

  void look_at_certificates() {
    router_.look_at_certificates();
    certificates_.expires_after(certificate_interval);
    certificates_.async_wait([this](auto ec) {
      if (!ec)
        look_at_certificates();
    });
  }

  /// SIGHUP: reads what can be read anew, and says what cannot.
  void reload() {
    auto error = router_.reload();
    if (opts_.tls.certificate.empty())
      spdlog::info("SIGHUP: tls.certificate is not set, so nothing was read "
                   "anew");
    else if (error.empty())
      spdlog::info("SIGHUP: tls.certificate and tls.key were read anew");
    else
      spdlog::error("SIGHUP: tls.{}; the old certificate stays in use", error);
    auto fresh = load_settings(line_, process_environment());
    for (const auto& each : fresh.errors)
      spdlog::error("SIGHUP: the router would not start again: {}", each);
    if (!fresh.errors.empty())
      return;
    std::string changed;
    for (const auto& each : changed_settings(opts_, fresh.values))
      changed += (changed.empty() ? "" : ", ") + each;
    if (!changed.empty())
      spdlog::warn("SIGHUP: changed, but in effect only after a restart: {}",
                   changed);
    if (auto files = files_of_the_start(opts_); !files.empty())
      spdlog::info("SIGHUP: not read anew, a restart does: {}", files);
  }

  void drain() {
    draining_ = true;
    spdlog::info("draining for up to {} s; a second signal ends at once",
                 opts_.router.drain_seconds);
    router_.drain();
    until_ = std::chrono::steady_clock::now()
             + std::chrono::seconds{opts_.router.drain_seconds} + farewell;
    check();
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
  const command_line& line_;
  node& router_;
  asio::io_context context_;
  asio::signal_set signals_{context_, SIGTERM, SIGINT, SIGHUP};
  asio::steady_timer timer_{context_};
  asio::steady_timer certificates_{context_};
  std::chrono::steady_clock::time_point until_;
  bool draining_ = false;
  bool failed_ = false;
};

} // namespace

int serve(const settings& opts, const command_line& line) {
  std::signal(SIGPIPE, SIG_IGN);
  node router{opts};
  // Before the threads start, so that all of them leave signals to us.
  life outside{opts, line, router};
  auto error = router.start([&outside] { outside.fail(); });
  if (!error.empty()) {
    spdlog::error("{}", error);
    return 1;
  }
  spdlog::info("signalbox {} is ready", version);
  std::cout << "ready " << router.addresses() << std::endl;
  auto code = outside.run();
  router.stop();
  spdlog::info("stopped");
  return code;
}

} // namespace signalbox::app
