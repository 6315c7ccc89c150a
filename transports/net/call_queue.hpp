#pragma once

#include "transports/net/call_turns.hpp"
#include "transports/net/http_client.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

namespace signalbox::net {

/// Lets so many calls of a client be under way and the others wait for their
/// turn, which `call_turns` decides. Lives on the client's loop.
class call_queue {
public:
  struct options {
    /// Most calls under way.
    size_t concurrency = 28;
    /// Most calls that wait; one more and one of them fails.
    size_t most = 1000;
    /// How long a call may wait. The client bounds the call itself.
    std::chrono::milliseconds patience{15000};
  };

  /// Calls that were never made.
  struct drops {
    /// Too many waited.
    uint64_t full = 0;
    /// They had waited for too long.
    uint64_t late = 0;
  };

  call_queue(loop& home, http_client& client, const options& opts);
  ~call_queue();

  call_queue(const call_queue&) = delete;
  call_queue& operator=(const call_queue&) = delete;

  /// Makes a call as soon as it may; `done` runs once, not from within, unless
  /// the queue or its client is destroyed before. Returns an id for `share`.
  uint64_t call(client_request x, call_kind kind, const call_origin& from,
                http_client::callback done);

  /// Says that another client wants the answer to a call, too. If it still
  /// waits, it waits in that client's line if its turn is nearer there.
  void share(uint64_t id, const call_origin& with);

  /// Returns how many calls wait.
  size_t waiting() const noexcept {
    return waiting_.size();
  }

  const drops& dropped() const noexcept {
    return dropped_;
  }

private:
  struct entry {
    client_request request;
    call_kind kind;
    call_origin from;
    http_client::callback done;
    session::time_point until = 0;
  };

  void start(entry x);
  void start_next();
  void fail(entry x);
  void expire();

  loop& home_;
  http_client& client_;
  options opts_;
  call_turns turns_;
  uint64_t last_id_ = 0;
  /// By id, so in the order in which they came, which is that of their
  /// deadlines.
  std::map<uint64_t, entry> waiting_;
  drops dropped_;
  session::timer timer_;
  /// Ends with this object, which posted calls may outlive.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};

} // namespace signalbox::net
