#include "transports/session/outbox.hpp"

namespace signalbox::session {

void outbox::push(out_packet x) {
  if (queue_ == nullptr)
    queue_ = std::make_unique<std::deque<out_packet>>();
  bytes_ += static_cast<uint32_t>(x.size());
  ++events_;
  queue_->push_back(std::move(x));
}

void outbox::push_control(std::string text) {
  if (queue_ == nullptr)
    queue_ = std::make_unique<std::deque<out_packet>>();
  queue_->push_back({nullptr, std::move(text), true});
}

void outbox::pop() {
  const auto& x = queue_->front();
  if (!x.control) {
    bytes_ -= static_cast<uint32_t>(x.size());
    --events_;
  }
  queue_->pop_front();
  if (queue_->empty())
    clear();
}

void outbox::clear() noexcept {
  queue_.reset();
  bytes_ = 0;
  events_ = 0;
}

} // namespace signalbox::session
