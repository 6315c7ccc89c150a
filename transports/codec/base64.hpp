#pragma once

#include "transports/codec/result.hpp"

#include <string>
#include <string_view>

namespace signalbox::codec {

/// Appends the standard base64 form of `bytes`, with padding, to `out`.
void encode_base64(std::string_view bytes, std::string& out);

/// Appends base64url without padding (RFC 4648 section 5) to `out`.
void encode_base64url(std::string_view bytes, std::string& out);

/// Decodes standard base64; padding may be missing, anything else that is not
/// of the alphabet is refused.
result<std::string> decode_base64(std::string_view text);

/// The same, broken into lines as some clients do (Java); line ends anywhere
/// are passed over.
result<std::string> decode_base64_lines(std::string_view text);

/// Decodes base64url without padding.
result<std::string> decode_base64url(std::string_view text);

} // namespace signalbox::codec
