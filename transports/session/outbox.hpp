#pragma once

#include "transports/codec/encoded.hpp"
#include "transports/codec/ws/frame.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace signalbox::session {

/// One Engine.IO packet on its way out: a shared body, a text of its own, or a
/// text of its own that replaces the beginning of a shared body.
struct out_packet {
  codec::encoded_ptr body;
  std::string head;
  /// Whether the protocol itself needs it; then it is in no bound.
  bool control = false;

  /// Returns the bytes of the packet itself, in two parts.
  std::string_view first() const noexcept {
    return body && head.empty() ? body->text() : std::string_view{head};
  }

  std::string_view second() const noexcept {
    return body && !head.empty()
             ? std::string_view{body->frame}.substr(body->json_at)
             : std::string_view{};
  }

  size_t size() const noexcept {
    return first().size() + second().size();
  }

  bool binary() const noexcept {
    return body && body->binary;
  }
};

/// The packets that wait to leave through the session's carrier. Bounded in
/// bytes and packets; the caller ends a session that breaks the bound.
class outbox {
public:
  /// Cost of a packet beside its bytes.
  static constexpr size_t packet_cost = 64;

  outbox(size_t max_bytes, size_t max_packets) noexcept
    : max_bytes_(static_cast<uint32_t>(max_bytes)),
      max_packets_(static_cast<uint32_t>(max_packets)) {
    // nop
  }

  /// Returns whether an event of this many bytes and packets stays within the
  /// bound. However large, it does if no other event waits. `between_polls`
  /// says that the client is to fetch it by its next poll: however fast it is,
  /// all that comes meanwhile waits, so the bytes decide, and the packets only
  /// as far as each costs memory of its own.
  bool fits(size_t bytes, size_t packets, bool between_polls) const noexcept {
    auto most = between_polls
                  ? std::max<size_t>(max_packets_, max_bytes_ / packet_cost)
                  : max_packets_;
    return events_ == 0
           || (bytes_ + bytes <= max_bytes_ && events_ + packets <= most);
  }

  /// Appends a packet of an event that fits.
  void push(out_packet x);

  /// Appends a packet that the protocol itself needs and no bound counts.
  void push_control(std::string text);

  bool empty() const noexcept {
    return queue_ == nullptr;
  }

  size_t packets() const noexcept {
    return queue_ == nullptr ? 0 : queue_->packets.size() - queue_->gone;
  }

  /// Returns how many packets no bound counts.
  size_t controls() const noexcept {
    return packets() - events_;
  }

  /// Returns the bytes of all events.
  size_t bytes() const noexcept {
    return bytes_;
  }

  const out_packet& at(size_t index) const noexcept {
    return queue_->packets[queue_->gone + index];
  }

  /// Removes the first packet.
  void pop();

  /// Removes everything.
  void clear() noexcept;

private:
  /// The waiting packets, and how many before them have left.
  struct line {
    std::vector<out_packet> packets;
    size_t gone = 0;
  };
  class line_pool;

  line& open();

  uint32_t max_bytes_;
  uint32_t max_packets_;
  uint32_t bytes_ = 0;
  uint32_t events_ = 0;
  /// A silent session needs none; others come from a pool and go back there.
  std::unique_ptr<line> queue_;
};

} // namespace signalbox::session
