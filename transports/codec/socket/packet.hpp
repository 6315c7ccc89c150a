#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace signalbox::socket {

/// Packet types of Socket.IO, the same in protocols 3 to 5.
enum class packet_type : uint8_t {
  connect,
  disconnect,
  event,
  ack,
  connect_error,
  binary_event,
  binary_ack,
};

/// One Socket.IO packet, free of any revision.
struct packet {
  packet_type type = packet_type::event;
  /// Namespace, always with its leading slash.
  std::string nsp = "/";
  /// Ack id; in an event the sender asks for an ack.
  std::optional<uint64_t> id;
  /// JSON text exactly as it came; empty if the packet has none.
  std::string data;
  /// The binary values, in the order of the placeholders' numbers.
  std::vector<std::string> attachments;
  /// How many attachments the header announced.
  size_t expected_attachments = 0;
};

} // namespace signalbox::socket
