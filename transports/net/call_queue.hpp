#pragma once

#include "transports/net/http_client.hpp"

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>

namespace signalbox::net {

/// Lets so many calls of a client be under way and the others wait for their
/// turn, first come first served. Lives on the client's loop.
class call_queue {
public:
  struct options {
    /// Most calls under way.
    size_t concurrency = 28;
    /// Most calls that wait; a further one fails with "queue full".
    size_t most = 1000;
    /// Time of a call, the wait included.
    std::chrono::milliseconds timeout{3000};
  };

  call_queue(loop& home, http_client& client, const options& opts);
  ~call_queue();

  call_queue(const call_queue&) = delete;
  call_queue& operator=(const call_queue&) = delete;

  /// Makes a call as soon as it may; `done` runs once, not from within, unless
  /// the queue or its client is destroyed before.
  void call(client_request x, http_client::callback done);

  /// Returns how many calls wait.
  size_t waiting() const noexcept {
    return waiting_.size();
  }

private:
  struct entry {
    client_request request;
    http_client::callback done;
    session::time_point until = 0;
  };

  void start(entry x);
  void start_next();
  void expire();

  loop& home_;
  http_client& client_;
  options opts_;
  size_t started_ = 0;
  /// In the order in which they came, which is that of their deadlines.
  std::list<entry> waiting_;
  session::timer timer_;
  /// Ends with this object, which what was posted may outlive.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>();
};

} // namespace signalbox::net
