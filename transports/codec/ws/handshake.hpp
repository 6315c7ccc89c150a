#pragma once

#include <string>
#include <string_view>

namespace signalbox::ws {

/// Returns whether `key` has the form RFC 6455 section 4.1 asks for: 22 base64
/// characters and `==`.
bool valid_key(std::string_view key) noexcept;

/// Returns the value of Sec-WebSocket-Accept for a key (RFC 6455 section
/// 4.2.2): base64 of the SHA-1 of key and GUID. Takes a key of any form.
std::string accept_key(std::string_view key);

} // namespace signalbox::ws
