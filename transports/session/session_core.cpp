#include "transports/session/session_core.hpp"

#include <utility>

namespace signalbox::session {

namespace {

/// POSTs of a client that may wait behind the one under way.
constexpr size_t most_posts = 4;

} // namespace

session_core::session_core(std::string_view sid, const options& opts,
                           timer_wheel& wheel, forget fun, void* owner)
  : opts_(opts), wheel_(wheel), sid_(sid),
    timer_(make_timer<&session_core::on_timer>(this)),
    outbox_(opts.outbox_bytes, opts.outbox_packets), forget_(fun),
    owner_(owner) {
  // nop
}

session_core::~session_core() = default;

bool session_core::push(const codec::shared_event& event, codec::wire_form form,
                        std::optional<uint64_t> ack_id) {
  const auto& bodies = event.packets(form);
  size_t bytes = 0;
  for (const auto& body : bodies)
    bytes += body->text().size();
  if (!fits(bytes, bodies.size())) {
    close(close_reason::slow);
    return false;
  }
  for (const auto& body : bodies) {
    out_packet x{body, {}, false};
    if (ack_id && body == bodies.front())
      x.head = event.header(form, *ack_id);
    outbox_.push(std::move(x));
  }
  opts_.count->packets_out.fetch_add(1, std::memory_order_relaxed);
  return true;
}

void session_core::on_post(std::string bytes, bool binary,
                           std::shared_ptr<post> from) {
  auto x = std::make_unique<payload>(std::move(bytes), binary, from);
  if (!split(*x)) {
    on_post_taken(false);
    from->done();
  } else if (posted_ == nullptr) {
    posted_ = std::move(x);
    go_on();
  } else if (!queue_post(std::move(x))) {
    close(close_reason::limit);
    from->done();
  }
}

/// Returns false if too many wait.
bool session_core::queue_post(std::unique_ptr<payload> x) {
  auto* last = &posted_->next;
  for (size_t n = 1; *last != nullptr; ++n) {
    if (n == most_posts)
      return false;
    last = &(*last)->next;
  }
  *last = std::move(x);
  return true;
}

void session_core::go_on() {
  if (posted_ == nullptr)
    return;
  std::string scratch;
  for (size_t n = 0; !closed_ && !posted_->empty(); ++n) {
    if (!up_->ready())
      return;
    if (n == payload::turn) {
      posted_->from().go_on_later();
      return;
    }
    on_piece(posted_->take(), scratch);
  }
  finish_post();
}

void session_core::finish_post() {
  auto x = std::move(posted_);
  posted_ = std::move(x->next);
  on_post_taken(x->lost);
  x->from().done();
  if (posted_ != nullptr)
    posted_->from().go_on_later();
  else if (auto* to = via())
    to->resume();
}

bool session_core::lose_post() noexcept {
  if (posted_ == nullptr)
    return false;
  posted_->lost = true;
  return true;
}

void session_core::resume() {
  if (auto* x = via())
    x->resume();
  if (posted_ != nullptr)
    posted_->from().go_on_later();
}

void session_core::tell_end(close_reason why) {
  ++opts_.count->closed[static_cast<size_t>(why)];
  if (up_ != nullptr)
    up_->on_close(why);
  // A POST with waiting packets is answered all the same.
  if (posted_ != nullptr)
    posted_->from().go_on_later();
}

void session_core::vanish() {
  timer_.cancel();
  outbox_.clear();
  forget_(owner_, sid_);
}

} // namespace signalbox::session
