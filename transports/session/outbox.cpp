#include "transports/session/outbox.hpp"

#include <utility>

namespace signalbox::session {

namespace {

/// Lines that a thread keeps, and the longest one worth keeping, in packets.
constexpr size_t most_lines = 65536;
constexpr size_t longest_line = 32;

/// From so many packets on that have left, their room is given back.
constexpr size_t compact_from = 64;

} // namespace

/// Lines of outboxes that are empty now; of one thread.
class outbox::line_pool {
public:
  static line_pool& mine() {
    thread_local line_pool x;
    return x;
  }

  std::unique_ptr<line> take() {
    if (free_.empty())
      return std::make_unique<line>();
    auto out = std::move(free_.back());
    free_.pop_back();
    return out;
  }

  void give(std::unique_ptr<line> x) {
    if (x->packets.capacity() > longest_line || free_.size() >= most_lines)
      return;
    x->packets.clear();
    x->gone = 0;
    free_.push_back(std::move(x));
  }

private:
  std::vector<std::unique_ptr<line>> free_;
};

outbox::line& outbox::open() {
  if (queue_ == nullptr)
    queue_ = line_pool::mine().take();
  return *queue_;
}

void outbox::push(out_packet x) {
  bytes_ += static_cast<uint32_t>(x.size());
  ++events_;
  open().packets.push_back(std::move(x));
}

void outbox::push_control(std::string text) {
  open().packets.push_back({nullptr, std::move(text), true});
}

void outbox::pop() {
  auto& all = queue_->packets;
  auto x = std::move(all[queue_->gone++]);
  if (!x.control) {
    bytes_ -= static_cast<uint32_t>(x.size());
    --events_;
  }
  if (queue_->gone == all.size()) {
    clear();
  } else if (queue_->gone >= compact_from && 2 * queue_->gone >= all.size()) {
    all.erase(all.begin(),
              all.begin() + static_cast<std::ptrdiff_t>(queue_->gone));
    queue_->gone = 0;
  }
}

void outbox::clear() noexcept {
  if (queue_ != nullptr)
    line_pool::mine().give(std::move(queue_));
  bytes_ = 0;
  events_ = 0;
}

} // namespace signalbox::session
