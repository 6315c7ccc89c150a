#pragma once

#include "transports/codec/engine/packet.hpp"
#include "transports/codec/result.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Engine.IO revision 3, which EIO=2 speaks too. Its polling payloads have a
// text form, `<length>:<packet>...`, with lengths in UTF-16 code units, and a
// binary form, where each packet follows its kind (0 text, 1 binary), its
// length in decimal digits of one byte each, and 0xFF.

namespace signalbox::engine::v3 {

/// Splits a text payload. Refuses it whole if any length is malformed, zero or
/// beyond the payload (`bad_payload`), it is no UTF-8 (`bad_utf8`), or it has
/// more than `max_packets` packets (`too_many_pieces`). Clients 1.x encode such
/// text to UTF-8 twice; the bytes tell, so a text that looks like it is taken
/// for it.
codec::result<std::vector<piece>> split_text(std::string_view payload,
                                             size_t max_packets);

/// Splits a binary payload, with the same refusals.
codec::result<std::vector<piece>> split_binary(std::string_view payload,
                                               size_t max_packets);

/// Decodes a packet: a digit and its data, `b4` and base64, or as bytes a raw
/// type and its data. What is not in the input as it is goes to `scratch`.
codec::result<packet> decode_packet(const piece& x, std::string& scratch);

/// Appends a text packet, `head` and then `body`, to a text payload.
void append_text(std::string_view head, std::string_view body,
                 std::string& out);

/// Appends a packet to a binary payload; a binary one with its type byte.
void append_binary(std::string_view head, std::string_view body, bool binary,
                   std::string& out);

/// Appends a binary message in its text form, `b4` and base64.
void encode_binary(std::string_view bytes, std::string& out);

} // namespace signalbox::engine::v3
