#pragma once

#include "transports/codec/result.hpp"
#include "transports/codec/socket/packet.hpp"
#include "transports/codec/socket/v5.hpp"

#include <string>
#include <string_view>

// Socket.IO protocols 3 and 4, as clients 1 and 2 speak them: the grammar of
// protocol 5, but a CONNECT carries a query instead of a payload, its answer
// carries nothing, and what refuses it (ERROR) carries any JSON value.

namespace signalbox::socket::v4 {

/// Decodes the text of an Engine.IO message. The data of a CONNECT is the raw
/// query behind its namespace; a payload is ignored.
codec::result<packet> decode(std::string_view text, const v5::limits& bounds);

/// Returns the JSON that a packet carries on the wire. A refusal of protocol 5,
/// `{"message":...}`, becomes the message alone unless it has `data` too.
std::string_view payload_of(const packet& x);

/// Appends the text of a packet; its attachments are not part of it.
void encode(const packet& x, std::string& out);

} // namespace signalbox::socket::v4
