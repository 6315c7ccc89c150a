#include "transports/net/kept_links.hpp"

#include <algorithm>
#include <utility>

namespace signalbox::net {

struct kept_links::kept : std::enable_shared_from_this<kept_links::kept> {
  kept(kept_links& x, std::string name, link connection)
    : owner(&x), server(std::move(name)), to(std::move(connection)),
      since(x.home_.wheel().now()) {
    // nop
  }

  void wait() {
    to.io->wait_readable(callback::to<&kept::on_readable>(shared_from_this()));
  }

  void on_readable() {
    if (owner != nullptr)
      owner->on_byte(*this);
  }

  /// Null once it is not kept any more.
  kept_links* owner;
  std::string server;
  link to;
  session::time_point since;
};

kept_links::kept_links(loop& home, const options& opts)
  : home_(home), opts_(opts),
    timer_(session::make_timer<&kept_links::expire>(this)) {
  // nop
}

kept_links::~kept_links() {
  while (!idle_.empty())
    drop(*idle_.front());
}

kept_links::link kept_links::take(const std::string& server) {
  auto now = home_.wheel().now();
  auto quiet = now < servers_[server].proven ? unproven_quiet_ms : quiet_ms;
  // The one that was used last is the least likely to be closed just now.
  for (auto i = idle_.rbegin(); i != idle_.rend(); ++i) {
    auto x = *i;
    if (x->server != server || now - x->since < quiet)
      continue;
    char byte;
    auto n = x->to.io->read(&byte, 1);
    if (n == stream::again) {
      auto out = std::move(x->to);
      drop(*x);
      return out;
    }
    if (n > 0) {
      distrust(server);
      return {};
    }
    drop(*x);
    return take(server);
  }
  return {};
}

void kept_links::keep(const std::string& server, link x) {
  auto now = home_.wheel().now();
  auto& known = servers_[server];
  // Those that are here are nearer to being of use than a further one.
  if (opts_.idle_ms == 0 || idle_.size() >= opts_.most || now < known.doubted
      || now - x.born >= life_ms)
    return;
  if (known.proven == 0)
    known.proven = now + proof_ms;
  idle_.push_back(std::make_shared<kept>(*this, server, std::move(x)));
  idle_.back()->wait();
  if (!timer_.armed())
    home_.wheel().arm(timer_, opts_.idle_ms);
}

void kept_links::distrust(const std::string& server) {
  auto& known = servers_[server];
  known.doubted = home_.wheel().now() + distrust_ms;
  known.proven = 0;
  for (auto i = idle_.begin(); i != idle_.end();) {
    auto x = *i++;
    if (x->server == server)
      drop(*x);
  }
}

void kept_links::on_byte(kept& x) {
  char byte;
  auto n = x.to.io->read(&byte, 1);
  if (n == stream::again) {
    // A word of TLS itself, such as a ticket.
    x.wait();
    return;
  }
  if (n > 0)
    distrust(std::string{x.server});
  else
    drop(x);
}

void kept_links::expire() {
  auto now = home_.wheel().now();
  while (!idle_.empty() && now - idle_.front()->since >= opts_.idle_ms)
    drop(*idle_.front());
  if (!idle_.empty())
    home_.wheel().arm(timer_, idle_.front()->since + opts_.idle_ms - now);
}

void kept_links::drop(kept& x) {
  auto i = std::find_if(idle_.begin(), idle_.end(),
                        [&x](auto& each) { return each.get() == &x; });
  auto last = std::move(*i);
  idle_.erase(i);
  last->owner = nullptr;
  last->to.io.reset();
}

} // namespace signalbox::net
