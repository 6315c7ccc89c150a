#pragma once

#include "transports/codec/result.hpp"
#include "transports/codec/socket/packet.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace signalbox::socket {

/// Joins a binary packet with its attachments. Holds at most one unfinished
/// packet and at most `max_bytes` of attachments.
class assembler {
public:
  explicit assembler(size_t max_bytes) : max_bytes_(max_bytes) {
    // nop
  }

  /// Takes a decoded header. Returns the packet if it is complete, nothing if
  /// attachments are outstanding, `unexpected_attachment` if an earlier packet
  /// still waits.
  codec::result<std::optional<packet>> add(packet x);

  /// Takes one binary message. Returns the packet when this was the last one.
  codec::result<std::optional<packet>> add_binary(std::string bytes);

  /// Returns whether a packet waits for attachments.
  bool waiting() const noexcept {
    return current_.has_value();
  }

private:
  size_t max_bytes_;
  size_t bytes_ = 0;
  std::optional<packet> current_;
};

} // namespace signalbox::socket
