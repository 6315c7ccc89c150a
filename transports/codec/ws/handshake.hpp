#pragma once

#include <string>
#include <string_view>

namespace signalbox::ws {

/// Returns whether `key` has the form RFC 6455 section 4.1 asks for: 22 base64
/// characters and `==`.
bool valid_key(std::string_view key) noexcept;

/// Returns whether `key` has the form that old PHP publishers send (elephant.io
/// 3 to 5 for Socket.IO 0.9 and 1): base64 of 20 bytes, 28 characters.
bool valid_old_key(std::string_view key) noexcept;

/// Returns the value of Sec-WebSocket-Accept for a key (RFC 6455 section
/// 4.2.2): base64 of the SHA-1 of key and GUID. Takes a key of any form.
std::string accept_key(std::string_view key);

/// Returns whether a Sec-WebSocket-Extensions header holds an offer of
/// permessage-deflate that `deflate_answer` fits (RFC 7692 section 7.1): no
/// unknown parameter, and no window smaller than ours.
bool offers_deflate(std::string_view extensions);

/// The answer to such an offer: neither side keeps a context between messages.
constexpr std::string_view deflate_answer =
  "permessage-deflate; server_no_context_takeover; "
  "client_no_context_takeover";

} // namespace signalbox::ws
