#pragma once

#include "transports/codec/json_scan.hpp"
#include "transports/codec/result.hpp"
#include "transports/codec/socket/packet.hpp"

#include <string>
#include <string_view>

// Socket.IO protocol 5: https://socket.io/docs/v4/socket-io-protocol/

namespace signalbox::socket::v5 {

/// Bounds what a packet may hold.
struct limits {
  codec::json_limits json;
  /// Most attachments of one packet.
  size_t attachments = 10;
  /// Longest namespace name in bytes.
  size_t nsp_bytes = 128;
};

/// Decodes the text of an Engine.IO message. Attachments, if announced, follow
/// as binary messages (see `assembler`).
codec::result<packet> decode(std::string_view text, const limits& bounds);

/// Appends the text of a packet; its attachments are not part of it.
void encode(const packet& x, std::string& out);

/// Appends everything of the text form that stands before the JSON: type,
/// attachment count, namespace and id.
void encode_header(packet_type type, size_t attachments, std::string_view nsp,
                   std::optional<uint64_t> id, std::string& out);

/// Returns whether a client must not emit, and a server must not send, an
/// event of this name.
bool reserved_event(std::string_view name) noexcept;

} // namespace signalbox::socket::v5
