#include "transports/net/call_queue.hpp"

namespace signalbox::net {

namespace {

client_reply failure(const char* why) {
  client_reply out;
  out.error = why;
  return out;
}

} // namespace

call_queue::call_queue(loop& home, http_client& client, const options& opts)
  : home_(home), client_(client), opts_(opts),
    timer_(session::make_timer<&call_queue::expire>(this)) {
  // nop
}

call_queue::~call_queue() = default;

void call_queue::call(client_request x, http_client::callback done) {
  entry fresh{std::move(x), std::move(done),
              home_.wheel().now() + opts_.timeout.count()};
  if (started_ < opts_.concurrency)
    return start(std::move(fresh));
  if (waiting_.size() >= opts_.most) {
    home_.post([done = std::move(fresh.done), alive = std::weak_ptr{alive_}] {
      if (!alive.expired())
        done(failure("queue full"));
    });
    return;
  }
  waiting_.push_back(std::move(fresh));
  if (!timer_.armed())
    home_.wheel().arm(timer_, opts_.timeout.count());
}

void call_queue::start(entry x) {
  ++started_;
  auto left = x.until - home_.wheel().now();
  client_.call(
    std::move(x.request),
    [this, done = std::move(x.done),
     alive = std::weak_ptr{alive_}](client_reply reply) {
      if (alive.expired())
        return;
      --started_;
      start_next();
      done(std::move(reply));
    },
    std::chrono::milliseconds{left > 0 ? left : 1});
}

void call_queue::start_next() {
  while (!waiting_.empty() && started_ < opts_.concurrency) {
    auto x = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(x));
  }
}

void call_queue::expire() {
  auto now = home_.wheel().now();
  std::list<entry> late;
  while (!waiting_.empty() && waiting_.front().until <= now)
    late.splice(late.end(), waiting_, waiting_.begin());
  if (!waiting_.empty())
    home_.wheel().arm(timer_, waiting_.front().until - now);
  auto alive = std::weak_ptr{alive_};
  for (auto& each : late) {
    each.done(failure("timeout"));
    // What was told may have been the end of this queue.
    if (alive.expired())
      return;
  }
}

} // namespace signalbox::net
