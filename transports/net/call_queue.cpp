#include "transports/net/call_queue.hpp"

#include <utility>
#include <vector>

namespace signalbox::net {

namespace {

client_reply failure(std::string why) {
  client_reply out;
  out.error = std::move(why);
  return out;
}

std::string text_of(std::chrono::milliseconds x) {
  auto n = x.count();
  return n % 1000 == 0 ? std::to_string(n / 1000) + "s"
                       : std::to_string(n) + "ms";
}

} // namespace

call_queue::call_queue(loop& home, http_client& client, const options& opts)
  : home_(home), client_(client), opts_(opts),
    turns_({opts.concurrency, opts.most}),
    timer_(session::make_timer<&call_queue::expire>(this)) {
  // nop
}

call_queue::~call_queue() = default;

uint64_t call_queue::call(client_request x, call_kind kind,
                          const call_origin& from, http_client::callback done) {
  auto id = ++last_id_;
  waiting_.emplace(id, entry{std::move(x), kind, from, std::move(done),
                             home_.wheel().now() + opts_.patience.count()});
  turns_.add(id, kind, from);
  start_next();
  while (auto surplus = turns_.overflow(from)) {
    ++dropped_.full;
    fail(std::move(waiting_.extract(*surplus).mapped()));
  }
  if (!waiting_.empty() && !timer_.armed())
    home_.wheel().arm(timer_, opts_.patience.count());
  return id;
}

void call_queue::share(uint64_t id, const call_origin& with) {
  auto i = waiting_.find(id);
  if (i == waiting_.end())
    return;
  auto& x = i->second;
  if (turns_.share(id, x.kind, x.from, with))
    x.from = with;
}

void call_queue::start(entry x) {
  client_.call(std::move(x.request),
               [this, kind = x.kind, done = std::move(x.done),
                alive = std::weak_ptr{alive_}](client_reply reply) {
                 if (alive.expired())
                   return;
                 turns_.end(kind);
                 start_next();
                 done(std::move(reply));
               });
}

void call_queue::start_next() {
  while (auto id = turns_.next())
    start(std::move(waiting_.extract(*id).mapped()));
}

/// Too many wait.
void call_queue::fail(entry x) {
  home_.post([done = std::move(x.done), alive = std::weak_ptr{alive_}] {
    if (!alive.expired())
      done(failure("too many calls wait (site.queue)"));
  });
}

void call_queue::expire() {
  auto now = home_.wheel().now();
  std::vector<http_client::callback> late;
  while (!waiting_.empty() && waiting_.begin()->second.until <= now) {
    auto node = waiting_.extract(waiting_.begin());
    auto& x = node.mapped();
    turns_.remove(node.key(), x.kind, x.from);
    late.push_back(std::move(x.done));
  }
  dropped_.late += late.size();
  if (!waiting_.empty())
    home_.wheel().arm(timer_, waiting_.begin()->second.until - now);
  auto alive = std::weak_ptr{alive_};
  for (auto& done : late) {
    done(failure("waited " + text_of(opts_.patience)
                 + " for its turn (site.queue-timeout)"));
    // The call may have been the end of this queue.
    if (alive.expired())
      return;
  }
}

} // namespace signalbox::net
