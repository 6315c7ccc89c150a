#pragma once

#include "transports/net/channel.hpp"

#include <caf/io/network/multiplexer.hpp>
#include <caf/resumable.hpp>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace signalbox {

/// What CAF's brokers run on: not a thread and sockets of their own but the
/// first shard and the channels that are given to them. Load it with the
/// middleman: `load<caf::io::middleman, multiplexer>()`. Opens no sockets.
class multiplexer : public caf::io::network::multiplexer,
                    private caf::resumable {
public:
  using super = caf::io::network::multiplexer;

  explicit multiplexer(caf::actor_system* sys) : super(sys) {
    // CAF would take the thread that starts the system for the one that runs
    // brokers, and end them there.
    thread_id({});
  }

  ~multiplexer() override;

  /// Has the middleman use this; before the actor system is made.
  static void configure(caf::actor_system_config& to);

  /// Makes a connection for a broker. On the shard.
  caf::io::scribe_ptr new_scribe(std::shared_ptr<net::channel> via);

  /// Queues a job of a broker. From any thread.
  void exec_later(caf::resumable* job) override;

  // -- what a middleman with nothing but BASP never asks for ------------------

  caf::io::scribe_ptr new_scribe(caf::io::network::native_socket) override;
  caf::expected<caf::io::scribe_ptr> new_tcp_scribe(const std::string&,
                                                    uint16_t) override;
  caf::io::doorman_ptr new_doorman(caf::io::network::native_socket) override;
  caf::expected<caf::io::doorman_ptr> new_tcp_doorman(uint16_t, const char*,
                                                      bool) override;
  caf::io::datagram_servant_ptr
    new_datagram_servant(caf::io::network::native_socket) override;
  caf::io::datagram_servant_ptr new_datagram_servant_for_endpoint(
    caf::io::network::native_socket,
    const caf::io::network::ip_endpoint&) override;
  caf::expected<caf::io::datagram_servant_ptr>
  new_remote_udp_endpoint(const std::string&, uint16_t) override;
  caf::expected<caf::io::datagram_servant_ptr>
  new_local_udp_endpoint(uint16_t, const char*, bool) override;

  // -- life -------------------------------------------------------------------

  /// Returns null: there is no thread to keep alive.
  supervisor_ptr make_supervisor() override;

  /// Returns when the shard has done the jobs queued so far; from another
  /// thread. The middleman calls it at its end.
  bool try_run_once() override;
  void run_once() override;
  void run() override;

private:
  class scribe;

  subtype_t subtype() const override;
  resume_result resume(caf::execution_unit*, size_t) override;
  void intrusive_ptr_add_ref_impl() override;
  void intrusive_ptr_release_impl() override;

  std::mutex mutex_;
  std::vector<caf::resumable*> jobs_;
  bool queued_ = false;
  int64_t last_handle_ = 0;
};

} // namespace signalbox
