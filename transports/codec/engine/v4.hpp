#pragma once

#include "transports/codec/engine/packet.hpp"
#include "transports/codec/result.hpp"

#include <string>
#include <string_view>
#include <vector>

// Engine.IO revision 4: https://socket.io/docs/v4/engine-io-protocol/

namespace signalbox::engine::v4 {

/// Separates the packets of a polling payload (ASCII record separator).
constexpr char separator = '\x1e';

/// Decodes one text packet: a digit and its data, or `b` and base64. The
/// decoded bytes of the latter go to `scratch`.
codec::result<packet> decode_packet(std::string_view text,
                                    std::string& scratch);

/// Splits a polling payload at the separators without decoding the packets.
/// An empty payload is one empty packet, as in the official server.
/// Refuses more than `max_packets` packets (`too_many_pieces`).
codec::result<std::vector<piece>> split_payload(std::string_view payload,
                                                size_t max_packets);

/// Appends a text packet.
void encode_packet(packet_type type, std::string_view data, std::string& out);

/// Appends a binary message in its text form, `b` and base64.
void encode_binary(std::string_view bytes, std::string& out);

} // namespace signalbox::engine::v4
