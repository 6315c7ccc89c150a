#pragma once

#include "transports/net/address_limiter.hpp"
#include "transports/net/forwarded.hpp"
#include "transports/net/http.hpp"
#include "transports/net/ip_address.hpp"
#include "transports/net/loop.hpp"
#include "transports/net/notice.hpp"
#include "transports/net/tls.hpp"
#include "transports/session/transfer_watch.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace signalbox::net {

class proxy_opening;
struct memory_counters;
struct memory_holder;

/// Bounds of an HTTP connection.
struct http_limits {
  size_t request_line = 4096;
  size_t header_bytes = 16384;
  size_t headers = 100;
  std::chrono::milliseconds header_timeout{10000};
  std::chrono::milliseconds body_timeout{30000};
  std::chrono::milliseconds idle_timeout{15000};
  std::chrono::milliseconds write_timeout{30000};
  /// For bodies and answers that have begun.
  session::transfer_rules transfers;
};

/// The counters of the listeners, for reports.
struct net_counters {
  std::atomic<uint64_t> accepted{0};
  std::atomic<uint64_t> refused_address{0};
  std::atomic<uint64_t> refused_rate{0};
  std::atomic<uint64_t> refused_limit{0};
  std::atomic<uint64_t> accept_paused{0};
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> operations_refused{0};
  std::atomic<uint64_t> bad_requests{0};
  std::atomic<uint64_t> header_too_large{0};
  std::atomic<uint64_t> too_many_headers{0};
  std::atomic<uint64_t> body_too_large{0};
  std::atomic<uint64_t> timeouts_header{0};
  std::atomic<uint64_t> timeouts_body{0};
  std::atomic<uint64_t> timeouts_idle{0};
  std::atomic<uint64_t> timeouts_write{0};
  std::atomic<int64_t> open{0};
};

/// What all listeners of a process share.
struct shared_limits {
  http_limits http;
  /// Connections at a time; the file limit minus a reserve.
  size_t connections = 1000;
  address_limiter* addresses = nullptr;
  net_counters* counters = nullptr;
  /// Whether the process has memory for more; null for always.
  memory_counters* memory = nullptr;
  /// The proxies that are believed about the clients behind them. Their
  /// connections are not counted by address; sessions that come by them are.
  networks trusted_proxies;
  /// Which headers are believed of them.
  forwarded_headers forwarded = forwarded_headers::any;
  /// Whether their connections may begin with a PROXY header.
  bool proxy_protocol = false;
  /// Whether header lines of a GET may end with a bare LF.
  bool bare_lf = false;
  /// Is told of refused connections; may be null.
  notice_listener on_notice;
};

/// Forgets a connection that was admitted, wherever it had got to. Connections
/// may outlive their listener, so they tell the limits themselves. No address
/// stands for a client that was admitted at another node.
void release_address(const shared_limits& limits, const std::string& address);

/// The same for an entry that `find_address` returned.
void release_address(const shared_limits& limits, address_limiter::entry* x);

/// Returns whether the process has no memory for a handshake or post, which is
/// to be refused then, and counts that.
bool short_of_memory(const shared_limits& limits);

/// Returns where an admitted connection counts, null for nowhere.
address_limiter::entry* find_address(const shared_limits& limits,
                                     const std::string& address);

/// A listener: one accepting socket per loop, and the connections they made.
class server {
public:
  /// Makes the service of one loop.
  using service_factory =
    std::function<std::unique_ptr<http_service>(loop& home)>;

  server(std::vector<loop*> loops, const shared_limits& limits,
         service_factory make);
  ~server();

  /// Binds `address` (`host:port`, port 0 for any). Returns an empty string
  /// or what went wrong. Before the loops run.
  std::string listen(const std::string& address,
                     std::shared_ptr<tls_context> tls);

  /// Returns the address really bound.
  const std::string& address() const noexcept {
    return address_;
  }

  /// Replaces the certificate for new connections. From any thread.
  void set_tls(std::shared_ptr<tls_context> tls);

  /// Stops accepting, when what is established already has been accepted. From
  /// any thread.
  void stop_accepting();

  /// Makes every further answer the last of its connection. From any thread.
  void retire() noexcept {
    draining_.store(true, std::memory_order_relaxed);
  }

  /// Ends idle keep-alive connections, too, and makes every further answer the
  /// last of its connection. From any thread.
  void drain();

  /// Drops every connection. From any thread.
  void close_all();

  /// Adds the connections of a loop for which something waits. On its thread.
  void collect(const loop& home, std::vector<memory_holder>& to) const;

  /// Returns how many HTTP connections are open. From any thread.
  size_t open() const noexcept {
    return open_.load(std::memory_order_relaxed);
  }

  bool draining() const noexcept {
    return draining_.load(std::memory_order_relaxed);
  }

  const shared_limits& limits() const noexcept {
    return limits_;
  }

  // -- for connections --------------------------------------------------------

  http_service& service(const loop& home) noexcept;
  loop& loop_at(size_t index) noexcept {
    return *loops_[index];
  }
  void enter(const loop& home, std::shared_ptr<http_connection> x);
  void leave(const loop& home, const std::shared_ptr<http_connection>& x);
  void enter(const loop& home, std::shared_ptr<proxy_opening> x);
  void leave(const loop& home, const std::shared_ptr<proxy_opening>& x);

  /// Counts a connection of `peer`, unless that is a trusted proxy. Returns
  /// false if it is one too many.
  bool admit(const std::string& peer);

private:
  struct slot;
  void accept(slot& at);
  void on_accept(slot& at, int fd);

  std::vector<loop*> loops_;
  const shared_limits& limits_;
  std::string address_;
  std::mutex tls_mutex_;
  std::shared_ptr<tls_context> tls_;
  std::atomic<bool> draining_{false};
  std::atomic<size_t> open_{0};
  std::vector<std::unique_ptr<slot>> slots_;
};

} // namespace signalbox::net
